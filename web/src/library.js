// What export_web.py wrote: agents, recorded episodes, and where dreams start.

import { Engine } from "./engine.js";
import { SIDE } from "./picture.js";

const FOLDER = new URL("models/", document.baseURI).href;

export class Library {
  #agents = new Map();
  #episodes = new Map();

  static async open() {
    return new Library(await json(`${FOLDER}index.json`));
  }

  constructor(index) {
    this.index = index;
    this.agents = index.agents; // folder and name of each
    this.folders = index.agents.map(({ folder }) => folder);
  }

  /** The agent of a folder, loaded once. */
  agent(folder) {
    return once(this.#agents, folder, () => this.#load(folder));
  }

  /** Episode number i of the world: its frames as bytes of an ImageData each, its actions. */
  episode(i) {
    return once(this.#episodes, i, () => this.#read(i));
  }

  async #load(which) {
    const folder = `${FOLDER}${which}/`;
    const engine = new Engine();
    const [facts, starts, latents] = await Promise.all([
      json(`${folder}agent.json`),
      numbers(`${folder}starts.f32`),
      numbers(`${folder}latents.f32`),
      engine.load(folder),
    ]);
    const { latent, units } = facts;
    const size = latent + 2 * units;
    const lengths = this.index.episodes.map(({ steps }) => steps);
    return {
      ...facts,
      name: this.agents.find((agent) => agent.folder === which).name,
      engine,
      starts: starts.length / size, // as many for every agent
      /** {z, h, c} of a start. */
      start(i) {
        const at = i * size;
        const part = (from, count) => starts.slice(at + from, at + from + count);
        return { z: part(0, latent), h: part(latent, units), c: part(latent + units, units) };
      },
      /** What V sees at a step of an episode. */
      seen(episode, step) {
        const before = lengths.slice(0, episode).reduce((sum, steps) => sum + steps, 0);
        const at = (before + step) * latent;
        return latents.slice(at, at + latent);
      },
    };
  }

  async #read(i) {
    const { track, steps, unrelated, action } = this.index.episodes[i];
    const picture = await bitmap(`${FOLDER}episodes/${i}.png`);
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const { columns } = this.index;
    return {
      number: i,
      track,
      steps,
      unrelated,
      frame(step) {
        const [x, y] = [SIDE * (step % columns), SIDE * Math.floor(step / columns)];
        return context.getImageData(x, y, SIDE, SIDE).data;
      },
      action: (step) => Float32Array.from(action.slice(3 * step, 3 * step + 3)),
    };
  }
}

/** The promise that is kept under a key; made anew where there is none, or it was broken. */
function once(kept, key, make) {
  if (!kept.has(key)) {
    const made = make();
    kept.set(key, made);
    made.catch(() => kept.delete(key));
  }
  return kept.get(key);
}

async function get(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer;
}

const json = async (address) => (await get(address)).json();
const numbers = async (address) => new Float32Array(await (await get(address)).arrayBuffer());
const bitmap = async (address) =>
  createImageBitmap(await (await get(address)).blob(), { colorSpaceConversion: "none" });
