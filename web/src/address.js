// What a link says: ?seed=7&view=two&vision=vaegan&temperature=1.2

const VIEWS = ["dream", "two", "world"];
export const TEMPERATURE = 0.5; // calmer than M's 1: roads last longer
const LARGEST_SEED = 2 ** 31 - 1;

export function read(visions) {
  const given = new URLSearchParams(location.search);
  const number = (name, least, most, otherwise) => {
    const value = Number(given.get(name) ?? NaN);
    return value >= least && value <= most ? value : otherwise;
  };
  const views = visions.length > 1 ? VIEWS : VIEWS.filter((view) => view !== "two");
  const among = (name, choices) =>
    choices.includes(given.get(name)) ? given.get(name) : choices[0];
  return {
    seed: Math.floor(number("seed", 0, LARGEST_SEED, randomSeed())),
    view: among("view", views),
    vision: among("vision", visions),
    temperature: number("temperature", 0.1, 2.5, TEMPERATURE),
  };
}

export function randomSeed() {
  return 1 + Math.floor(Math.random() * 9999);
}

export function write({ seed, view, vision, temperature }) {
  const said = new URLSearchParams({ seed, view, vision });
  if (temperature !== TEMPERATURE) said.set("temperature", temperature);
  history.replaceState(null, "", `?${said}`);
}
