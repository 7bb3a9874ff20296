// What the page says to a person: what has just been done, and what went wrong.

const MOMENT = 4000; // milliseconds that it is shown

const $ = (id) => document.getElementById(id);
let timer;

/** Say something for a moment; what ends in … stays until the next. */
export function say(words) {
  $("says").textContent = words;
  clearTimeout(timer);
  if (words && !words.endsWith("…")) timer = setTimeout(() => say(""), MOMENT);
}

/** The same, and what goes wrong in it is said. */
export function attempt(does) {
  return async (...given) => {
    try {
      await does(...given);
    } catch (problem) {
      fail(problem);
    }
  };
}

/** Say what went wrong, until a dream begins. */
export function fail(problem) {
  console.error(problem);
  say("");
  $("fault").textContent = `The dream cannot go on: ${problem.message}`;
}
