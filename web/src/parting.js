// When a dream and the world part: how alike their pictures are, step by step.

export const APART = 0.5; // from what V itself loses (0) to two unrelated moments (1)
const LASTING = 10; // steps in a row, so that a flicker is no parting

export class Parting {
  /** `loss`: how far V's pictures are from the world's even if M is right. */
  constructor({ steps, unrelated }, loss, watched) {
    Object.assign(this, { steps, unrelated, loss, watched });
    this.values = [];
    this.at = null; // the step at which they parted
    this.run = 0;
  }

  add(real, dreamt) {
    const value = (difference(real, dreamt) - this.loss) / (this.unrelated - this.loss);
    this.values.push(Math.max(0, value));
    const step = this.values.length - 1;
    this.run = step > this.watched && value > APART ? this.run + 1 : 0;
    if (this.at === null && this.run >= LASTING) this.at = step - LASTING + 1;
  }
}

/** The root mean square of the difference of two pictures' bytes, alpha left out. */
export function difference(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) {
    if (i % 4 !== 3) sum += (one[i] - other[i]) ** 2;
  }
  return Math.sqrt(sum / (0.75 * one.length));
}
