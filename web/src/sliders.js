const SPREAD = 3; // SDs to either side of a latent's mean that a slider reaches

const SEEN = 1; // levels of 255 that a number must change to stand with those V uses

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
    const first = order.findIndex((i) => latents[i].change < SEEN);
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

  #row(i, { mean, sd, does }) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = `z${i + 1}: ${does}`;
    const output = document.createElement("output");
    const input = document.createElement("input");
    const reach = SPREAD * Math.max(sd, 0.01);
    Object.assign(input, { type: "range", min: mean - reach, max: mean + reach, step: "any" });
    input.addEventListener("input", () => {
      output.textContent = Number(input.value).toFixed(1);
      this.moved(i, Number(input.value));
    });
    label.append(name, output, input);
    return { i, label, input, output };
  }
}
