import { SIDE } from "./picture.js";

/** The pictures of a view, side by side: 64×64 pixels each, crisply enlarged. */
export class Panes {
  #shown = [];

  constructor(place) {
    this.place = place;
  }

  /** Make a pane for each: `title` is its name. */
  make(panes) {
    this.#shown = panes.map(({ title }) => new Pane(title));
    this.place.replaceChildren(...this.#shown.map((pane) => pane.element));
  }

  /** Show frames (bytes of an ImageData), and a note and an end in words; one of each a pane. */
  draw(panes) {
    panes.forEach((pane, i) => this.#shown[i].draw(pane));
  }
}

class Pane {
  constructor(title) {
    this.element = document.createElement("figure");
    this.element.className = "pane";
    const screen = document.createElement("div");
    screen.className = "screen";
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${title}: the road from above, the car in the middle`);
    // Kept in memory: it is written to all the time, and never drawn on.
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.end = document.createElement("p");
    this.end.className = "end";
    this.end.hidden = true;
    screen.append(canvas, this.end);
    const caption = document.createElement("figcaption");
    const name = document.createElement("span");
    name.textContent = title;
    this.note = document.createElement("span");
    this.note.className = "note";
    caption.append(name, this.note);
    this.element.append(caption, screen);
  }

  draw({ frame, note, end }) {
    this.context.putImageData(new ImageData(frame, SIDE, SIDE), 0, 0);
    if (this.note.textContent !== note) this.note.textContent = note;
    this.end.hidden = !end;
    if (this.end.textContent !== end) this.end.textContent = end;
  }
}
