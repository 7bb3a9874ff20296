// What a person's hands say: arrow keys, buttons on the screen or a gamepad, as in
// controller/steering.py.

const TURN = 0.08; // of the steering in a step, away from the middle
const BACK = 0.2; // and back to it
const BRAKE = 0.8; // with all its force the wheels block
const DEAD = 0.1; // of a gamepad's stick, which seldom rests at 0
const PRESSED = 0.05; // of a gamepad's trigger
const KEYS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "gas", ArrowDown: "brake" };

export class Hands {
  #steering = 0;
  #held = new Map(); // what is held → by which keys and fingers

  /** Calls `used` when a person begins to drive. */
  constructor(used) {
    this.used = used;
    addEventListener("blur", () => this.#held.clear());
  }

  /** Whether an event of the keyboard was one of driving. */
  key({ code, type, repeat }) {
    const what = KEYS[code];
    if (!what) return false;
    if (!repeat) this.#hold(what, code, type === "keydown");
    return true;
  }

  /** Let a button of the screen be held: by fingers, the mouse, or a key while it has the focus. */
  button(element, what) {
    const hold = (by, down) => {
      this.#hold(what, by, down);
      element.classList.toggle("held", down);
    };
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      hold("pointer", true);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(end, () => hold("pointer", false));
    }
    for (const type of ["keydown", "keyup"]) {
      element.addEventListener(type, (event) => {
        if (![" ", "Enter"].includes(event.key)) return;
        event.preventDefault();
        hold("focus", type === "keydown");
      });
    }
    element.addEventListener("blur", () => hold("focus", false));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  rest() {
    this.#steering = 0;
  }

  /** The next action: steering in [-1, 1], gas and brake in [0, 1]. */
  action() {
    const pad = this.#gamepad();
    if (pad) return pad;
    const is = (what) => (this.#held.get(what)?.size ? 1 : 0);
    const wanted = is("right") - is("left");
    const away = wanted !== 0 && wanted * this.#steering >= 0;
    const most = away ? TURN : BACK;
    this.#steering += Math.min(Math.max(wanted - this.#steering, -most), most);
    return Float32Array.of(this.#steering, is("gas"), BRAKE * is("brake"));
  }

  /** What the first gamepad does; null where it rests, or keys drive. */
  #gamepad() {
    if ([...this.#held.values()].some((by) => by.size)) return null;
    // Where the page does not come from this machine or by HTTPS, browsers have none.
    const pads = navigator.getGamepads?.() ?? [];
    const pad = pads.find((one) => one?.connected && one.mapping === "standard");
    if (!pad) return null;
    const steering = Math.abs(pad.axes[0]) > DEAD ? pad.axes[0] : 0;
    const [gas, brake] = [pad.buttons[7].value, BRAKE * pad.buttons[6].value];
    const pedals = [gas, brake].map((value) => (value > PRESSED ? value : 0));
    if (!steering && !pedals[0] && !pedals[1]) return null;
    this.used();
    return Float32Array.of(steering, ...pedals);
  }

  #hold(what, by, down) {
    const holding = this.#held.get(what) ?? new Set();
    if (down) holding.add(by);
    else holding.delete(by);
    this.#held.set(what, holding);
    if (down) this.used();
  }
}
