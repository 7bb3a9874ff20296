import * as address from "./address.js";
import { Clock, FPS } from "./clock.js";
import * as drawings from "./drawings.js";
import { Hands } from "./hands.js";
import { Library } from "./library.js";
import { Panes } from "./panes.js";
import { attempt, fail, say } from "./saying.js";
import { Sliders, SPREAD } from "./sliders.js";
import { Dreams, WorldAndDream } from "./worlds.js";

const NUMBERS_EVERY = 100; // milliseconds
const WARMER = 0.05; // of temperature, for a key press
const REPEATED = ["+", "-"]; // keys that may be held to do more
const ABOUT = {
  dream: "One road, imagined. Nothing of it was drawn by hand or by the game.",
  two:
    "Two agents that learned to see in two ways, from the same moment, with the same keys and " +
    "the same random numbers.",
  world:
    "Left what happened, right what M dreams from the same actions once it no longer sees the " +
    "world. Steer, and only the dream follows you.",
};

const $ = (id) => document.getElementById(id);

class Page {
  constructor(library) {
    this.library = library;
    this.is = address.read(library.folders);
    this.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.byAgent = true;
    this.turn = 0; // counts what was opened and begun: the last of them stays
    this.numbersAt = -Infinity;
    this.panes = new Panes($("panes"));
    const moved = attempt((i, value) => this.change(i, value));
    this.sliders = new Sliders($("sliders"), $("others"), moved);
    this.hands = new Hands(() => this.take());
    this.clock = new Clock({
      runs: () => this.playing && this.ready && !this.view.over,
      pace: () => Number($("pace").value),
      step: () => this.step(),
      draw: () => this.draw(),
    });
  }

  /** Load what the view needs, and begin. */
  async open() {
    const turn = ++this.turn;
    this.ready = false;
    this.loading = true;
    const folders = this.is.view === "two" ? this.library.folders : [this.is.vision];
    say("The networks are loading …");
    const agents = await Promise.all(folders.map((folder) => this.library.agent(folder)));
    if (turn !== this.turn) return;
    this.loading = false;
    say("");
    const { library } = this;
    const one = this.is.view === "world";
    this.view = one ? new WorldAndDream(library, agents[0]) : new Dreams(agents);
    this.panes.make(this.view.panes);
    $("weighed").textContent = weighed(agents[0]);
    $("unused").textContent = this.sliders.make(this.view.lead.agent.latents);
    this.label();
    await this.begin();
    const { latents, engine } = this.view.lead.agent;
    await this.sliders.picture(latents, (z) => engine.decode(z));
  }

  async begin() {
    address.write(this.is);
    if (this.loading) return this.open(); // what is there is kept, what failed is tried again
    const turn = ++this.turn;
    this.ready = false;
    await Promise.allSettled([this.stepping, this.beginning]);
    if (turn !== this.turn) return;
    this.beginning = this.view.begin(this.is.seed, Number($("watching").value));
    await this.beginning;
    if (turn !== this.turn) return;
    $("fault").textContent = "";
    this.hands.rest();
    this.untouched = null;
    this.ready = true;
    this.draw();
  }

  /** What goes wrong stops the dream, not the clock: Restart tries again. */
  async step() {
    try {
      const action = this.hands.action();
      this.stepping = this.view.step(this.byAgent ? null : action, this.is.temperature);
      await this.stepping;
    } catch (problem) {
      this.ready = false;
      fail(problem);
      return;
    }
    if (this.view.over) say(this.view.over);
  }

  // What a person does

  /** Who touches the wheel has it. */
  take() {
    if (!this.byAgent) return;
    this.byAgent = false;
    this.label();
    say("You drive.");
  }

  changeDriver() {
    this.byAgent = !this.byAgent;
    this.label();
    say(this.byAgent ? `${$("driver").textContent}.` : "You drive.");
  }

  pause(paused = this.playing) {
    this.playing = !paused;
    this.untouched = null;
    this.label();
    this.draw();
  }

  again() {
    return this.begin();
  }

  another() {
    this.is.seed = address.randomSeed();
    return this.begin();
  }

  warm(temperature) {
    const { min, max } = $("temperature");
    this.is.temperature = Math.min(max, Math.max(min, Number(temperature.toFixed(2))));
    address.write(this.is);
    this.label();
  }

  /** Another number of z: the dream waits, and shows it. */
  async change(i, value) {
    if (this.playing) this.pause(true);
    const { lead } = this.view;
    await this.stepping;
    this.untouched ??= lead.state.z.slice();
    const z = lead.state.z.slice();
    z[i] = value;
    await this.look(z);
  }

  async undo() {
    const z = this.untouched;
    if (!z) return;
    this.untouched = null;
    await this.look(z);
  }

  async look(z) {
    this.stepping = this.view.lead.look(z);
    await this.stepping;
    this.draw();
  }

  async share() {
    try {
      await navigator.clipboard.writeText(location.href);
      say("The link is copied.");
    } catch {
      say("The link is in the address bar.");
    }
  }

  // What is shown

  /** The words of the controls. */
  label() {
    const { view, temperature, vision } = this.is;
    $("about").textContent = ABOUT[view];
    $("play").textContent = this.playing ? "Pause" : "Play";
    $("driver").textContent = view === "world" ? "As recorded" : "Agent drives";
    $("driver").setAttribute("aria-pressed", this.byAgent);
    $("vision").hidden = view === "two" || this.library.agents.length < 2;
    $("vision").querySelector("select").value = vision;
    $("watch").hidden = $("parting").hidden = view !== "world";
    $("temperature").value = temperature;
    $("warmth").textContent = temperature.toFixed(2);
    $("watched").textContent = $("watching").value;
    for (const radio of document.getElementsByName("view")) radio.checked = radio.value === view;
  }

  draw() {
    if (!this.ready) return;
    const { lead } = this.view;
    this.panes.draw(this.view.panes.map((pane) => this.pane(pane)));
    $("points").textContent = lead.points.toFixed(0);
    $("seconds").textContent = (this.view.steps / FPS).toFixed(1);
    $("speed").textContent = lead.speed.toFixed(0);
    $("rate").textContent = this.clock.rate ? this.clock.rate.toFixed(0) : "–";
    $("undo").disabled = !this.untouched;
    drawings.pedals($("pedals"), lead.action);
    this.drawNumbers(lead);
    const { parting } = this.view;
    if (!parting) return;
    drawings.apart($("alike"), parting);
    $("parted").textContent = this.parted(parting);
  }

  /** z and h, less often than pictures: nobody reads so fast, and so many bars take a while. */
  drawNumbers(lead) {
    const now = performance.now();
    if (this.playing && now - this.numbersAt < NUMBERS_EVERY) return;
    this.numbersAt = now;
    const { latents } = lead.agent;
    const far = [...lead.state.z].map((z, i) => (z - latents[i].mean) / latents[i].sd / SPREAD);
    drawings.bars($("z"), far, (i) => latents[i].used);
    drawings.bars($("h"), [...lead.state.h]);
    this.sliders.show(lead.state.z);
  }

  pane(pane) {
    if (pane === this.view.world) {
      return { frame: pane.frame, note: `track ${this.view.episode.track}`, end: "" };
    }
    const over = pane.over || this.view.over;
    const end = over && `${over} Restart, or take a new start.`;
    return { frame: pane.frame, note: this.note(pane), end };
  }

  note({ points }) {
    if (this.view.watching) return "still sees the world";
    return this.view.panes.length > 1 ? `${points.toFixed(0)} points` : "";
  }

  parted({ at, watched }) {
    if (this.view.watching) return "M sees the world, and remembers.";
    if (at === null) return "M’s eyes are closed. Dream and world are still alike.";
    return `They parted ${((at - watched) / FPS).toFixed(1)} s after M’s eyes were closed.`;
  }
}

/** How large the driver is, how well it drives in the world, and how well its speed is read. */
function weighed({ latent, units, score, speed }) {
  const numbers = latent + units;
  const size = `${numbers} numbers, weighed by the ${3 * (numbers + 1)} that are the whole driver.`;
  const { tracks, mean, sd } = score;
  const won = `${mean?.toFixed(0)} points, with a standard deviation of ${sd?.toFixed(0)}`;
  const drove = tracks ? ` In the world it drove ${tracks} tracks for ${won}.` : "";
  const read = speed.r2 === null ? "" : ` The speed above is read from h (R² ${speed.r2}).`;
  return size + drove + read;
}

function listen(page) {
  const clicks = {
    play: () => page.pause(),
    driver: () => page.changeDriver(),
    again: () => page.again(),
    another: () => page.another(),
    undo: () => page.undo(),
    share: () => page.share(),
  };
  for (const [id, does] of Object.entries(clicks)) $(id).addEventListener("click", attempt(does));
  for (const radio of document.getElementsByName("view")) {
    const look = () => {
      page.is.view = radio.value;
      return page.open();
    };
    radio.addEventListener("change", attempt(look));
  }
  const see = ({ target }) => {
    page.is.vision = target.value;
    return page.open();
  };
  $("vision").addEventListener("change", attempt(see));
  $("temperature").addEventListener("input", ({ target }) => page.warm(Number(target.value)));
  $("watching").addEventListener("input", () => page.label());
  $("watching").addEventListener("change", attempt(() => page.begin()));
  for (const button of document.querySelectorAll("[data-hold]")) {
    page.hands.button(button, button.dataset.hold);
  }
  const keys = {
    " ": () => page.pause(),
    a: () => page.changeDriver(),
    r: () => page.again(),
    n: () => page.another(),
    "+": () => page.warm(page.is.temperature + WARMER),
    "-": () => page.warm(page.is.temperature - WARMER),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || inControl(event)) return;
    const does = keys[event.key.toLowerCase()];
    if (page.hands.key(event) || does) event.preventDefault();
    if (does && (!event.repeat || REPEATED.includes(event.key))) attempt(does)();
  });
  // Also in a control: a key that is let go there was pressed before.
  addEventListener("keyup", (event) => page.hands.key(event));
  letGo();
  addEventListener("resize", () => page.draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.draw());
}

/** What was used with the mouse or a finger gives the focus back, so that the arrow keys drive. */
function letGo() {
  let byPointer = false;
  addEventListener("pointerdown", () => (byPointer = true), true);
  addEventListener("keydown", () => (byPointer = false), true);
  const blur = ({ type, target }) => {
    const opened = type === "click" && target.matches("select"); // a list to choose from
    if (byPointer && !opened) document.activeElement.blur();
  };
  addEventListener("click", blur);
  addEventListener("change", blur);
}

/** Whether a key belongs to what has the focus. */
function inControl({ key, target }) {
  if (target.matches("input, select")) return true;
  return target.matches("button, a, summary") && [" ", "Enter"].includes(key);
}

async function start() {
  try {
    const library = await Library.open();
    $("watching").value = library.index.seen;
    document.querySelector("[value=two]").parentNode.hidden = library.agents.length < 2;
    const page = new Page(library);
    for (const { folder, name } of library.agents) {
      $("vision").querySelector("select").add(new Option(name, folder));
    }
    listen(page);
    page.clock.run().catch(fail);
    await page.open();
  } catch (problem) {
    fail(problem);
  }
}

start();
