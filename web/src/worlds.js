// What can be looked at: dreams, alone or side by side, and a dream beside the world.

import { normal, uniform } from "./noise.js";
import { Parting } from "./parting.js";

/** One agent's dream. A seed determines it, together with what is done in it. */
export class Dream {
  constructor(agent) {
    this.agent = agent;
    this.title = `${agent.name}’s dream`;
  }

  async begin(state, seed) {
    Object.assign(this, { state, seed, tick: 0, points: 0, tiles: 0, over: "" });
    this.action = new Float32Array(3);
    this.frame = (await this.agent.engine.decode(state.z)).frame;
  }

  /** Do an action, or what C does where there is none. `seen`: z of the world, if M watches. */
  async step(action, temperature, seen) {
    if (this.over) return;
    const { latent, tile: worth, lap, engine } = this.agent;
    const drawn = uniform(this.seed, ++this.tick, 2 * latent + 1);
    const noise = {
      uniform: Float32Array.of(...drawn.subarray(0, latent), drawn[2 * latent]),
      normal: drawn.subarray(latent, 2 * latent).map(normal),
    };
    const { state } = this;
    const after = await engine.step({ state, action, noise, temperature, show: seen });
    Object.assign(this, { state: after.state, frame: after.frame, action: after.action });
    if (seen) return;
    this.points += after.reward;
    this.tiles += after.tile * worth;
    if (after.done) this.over = ending(after.tile);
    else if (this.tiles >= lap) this.over = "A whole lap’s points.";
  }

  /** Look at other latents, from which the dream goes on. */
  async look(z) {
    this.state.z = z;
    this.frame = (await this.agent.engine.decode(z)).frame;
  }

  /** How fast the car is by what M predicts. */
  get speed() {
    const { weights, bias } = this.agent.speed;
    return Math.max(0, this.state.h.reduce((sum, h, i) => sum + h * weights[i], bias));
  }
}

function ending(tile) {
  return tile > 0.5 ? "M predicts: the lap is complete." : "M predicts: the car has left the world.";
}

/** Dreams of one or more agents that start from the same moment and get the same keys. */
export class Dreams {
  constructor(agents) {
    this.panes = agents.map((agent) => new Dream(agent));
    [this.lead] = this.panes;
  }

  async begin(seed) {
    const which = seed % this.lead.agent.starts;
    await Promise.all(this.panes.map((dream) => dream.begin(dream.agent.start(which), seed)));
    this.steps = 0;
  }

  async step(action, temperature) {
    await Promise.all(this.panes.map((dream) => dream.step(action, temperature)));
    this.steps++;
  }

  get over() {
    return this.panes.every((dream) => dream.over) ? this.lead.over : "";
  }
}

/** A recorded episode, and beside it a dream that gets the same actions. */
export class WorldAndDream {
  constructor(library, agent) {
    this.library = library;
    this.lead = new Dream(agent);
    this.world = { title: "The world, recorded" };
    this.panes = [this.world, this.lead];
  }

  /** `watched`: the steps that M sees of the world before it dreams. */
  async begin(seed, watched) {
    const { episodes } = this.library.index;
    this.episode = await this.library.episode(seed % episodes.length);
    this.watched = Math.min(watched, this.episode.steps - 2);
    this.steps = 0;
    this.over = "";
    const { agent } = this.lead;
    const empty = () => new Float32Array(agent.units);
    const z = agent.seen(this.episode.number, 0);
    await this.lead.begin({ z, h: empty(), c: empty() }, seed);
    this.parting = new Parting(this.episode, agent.loss[this.episode.number], this.watched);
    this.#compare();
  }

  async step(action, temperature) {
    if (this.over) return;
    const { number } = this.episode;
    const recorded = this.episode.action(this.steps);
    const seen = this.watching ? this.lead.agent.seen(number, this.steps + 1) : undefined;
    await this.lead.step(seen ? recorded : (action ?? recorded), temperature, seen);
    this.steps++;
    this.#compare();
    if (this.lead.over) this.over = this.lead.over;
    else if (this.steps >= this.episode.steps - 1) this.over = "The recording ends here.";
  }

  get watching() {
    return this.steps < this.watched;
  }

  #compare() {
    this.world.frame = this.episode.frame(this.steps);
    this.parting.add(this.world.frame, this.lead.frame);
  }
}
