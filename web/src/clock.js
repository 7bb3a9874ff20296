export const FPS = 50; // steps of the game in a second
const MOST_DUE = 5; // steps that are caught up with at most
const TURN = 50; // milliseconds of steps between two pictures, as fast as it goes

/** Calls `step` at its pace and `draw` for every picture that the screen shows, while `runs()`. */
export class Clock {
  rate = 0; // steps a second that were really done

  constructor({ runs, pace, step, draw }) {
    Object.assign(this, { runs, pace, step, draw });
  }

  async run() {
    let [due, before] = [0, performance.now()];
    let [counted, since] = [0, before];
    for (;;) {
      const now = await nextPicture();
      const pace = this.pace();
      due = Math.min(MOST_DUE, due + ((now - before) / 1000) * FPS * pace);
      before = now;
      if (!this.runs()) {
        [due, counted, since] = [0, 0, now];
        continue;
      }
      while (this.runs() && (pace === Infinity ? performance.now() - now < TURN : due >= 1)) {
        await this.step();
        due--;
        counted++;
      }
      if (now - since >= 500) {
        this.rate = (1000 * counted) / (now - since);
        [counted, since] = [0, now];
      }
      this.draw();
    }
  }
}

const nextPicture = () => new Promise((resolve) => requestAnimationFrame(resolve));
