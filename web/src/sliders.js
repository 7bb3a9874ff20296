import { SIDE } from "./picture.js";

export const SPREAD = 3; // SDs to either side of a latent's mean that a slider reaches

/** The numbers of z as sliders, those that change most first. */
export class Sliders {
  #rows = [];

  /** Puts those that V uses in one place and the rest in another. Calls `moved(i, value)` when a
   * person moves the slider of number i. */
  constructor(used, unused, moved) {
    Object.assign(this, { used, unused, moved });
  }

  /** Returns how many V hardly uses. */
  make(latents) {
    const order = latents.map((_, i) => i).sort((a, b) => latents[b].change - latents[a].change);
    this.#rows = order.map((i) => this.#row(i, latents[i]));
    const labels = (rows) => rows.map(({ label }) => label);
    const first = order.findIndex((i) => !latents[i].used);
    const count = first < 0 ? order.length : first;
    this.used.replaceChildren(...labels(this.#rows.slice(0, count)));
    this.unused.replaceChildren(...labels(this.#rows.slice(count)));
    return order.length - count;
  }

  show(z) {
    for (const { i, input, output } of this.#rows) {
      if (input === document.activeElement && input.matches(":active")) continue;
      input.value = z[i];
      output.textContent = z[i].toFixed(1);
    }
  }

  /** Show at the ends of the sliders that V uses what the average picture becomes there. */
  async picture(latents, decode) {
    const mean = Float32Array.from(latents, (latent) => latent.mean);
    for (const { i, ends } of this.#rows.filter(({ label }) => label.parentNode === this.used)) {
      for (const [side, canvas] of ends.entries()) {
        const z = mean.slice();
        z[i] = side ? latents[i].high : latents[i].low;
        const { frame } = await decode(z);
        canvas.getContext("2d").putImageData(new ImageData(frame, SIDE, SIDE), 0, 0);
      }
    }
  }

  #row(i, { mean, sd, used, does }) {
    const label = document.createElement("label");
    label.className = "slider";
    const name = document.createElement("span");
    name.className = "name";
    const words = document.createElement("span");
    const strong = document.createElement("b");
    strong.textContent = `z${i + 1}`;
    words.append(strong, ` ${does}`);
    const output = document.createElement("output");
    name.append(words, output);
    const input = document.createElement("input");
    const reach = SPREAD * sd;
    Object.assign(input, { type: "range", min: mean - reach, max: mean + reach, step: "any" });
    input.setAttribute("aria-label", `z${i + 1}: ${does}`);
    input.addEventListener("input", () => {
      output.textContent = Number(input.value).toFixed(1);
      this.moved(i, Number(input.value));
    });
    const ends = used ? [picture(), picture()] : [];
    label.append(name, ...ends.slice(0, 1), input, ...ends.slice(1));
    return { i, label, input, output, ends };
  }
}

function picture() {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: SIDE, height: SIDE, ariaHidden: "true" });
  return canvas;
}
