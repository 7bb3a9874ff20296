/** An agent's networks in a worker; every task is a promise of its result. */
export class Engine {
  #worker = new Worker(new URL("./engine.worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #count = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, result, problem } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (problem === undefined) resolve(result);
      else reject(new Error(problem));
    };
    this.#worker.onerror = (event) => {
      const failed = new Error(event.message || "The worker could not be started.");
      for (const { reject } of this.#waiting.values()) reject(failed);
      this.#waiting.clear();
    };
  }

  load(folder) {
    return this.#ask("load", { folder });
  }

  /** Given: state {z, h, c}, action or null where C acts, noise {uniform, normal}, temperature,
   * and z to show in place of the dreamt one, if M only watches. */
  step(given) {
    return this.#ask("step", given);
  }

  decode(z) {
    return this.#ask("decode", { z });
  }

  #ask(task, given) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#count, { resolve, reject });
      this.#worker.postMessage({ id: this.#count, task, given });
    });
  }
}
