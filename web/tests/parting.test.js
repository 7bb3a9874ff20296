import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, Parting } from "../src/parting.js";

const grey = (level, alpha = 255) => Uint8ClampedArray.of(level, level, level, alpha);

test("pictures that differ by 10 in every colour are 10 apart, whatever their alpha", () => {
  assert.equal(difference(grey(0), grey(10, 0)), 10);
});

test("they part with the first of ten steps above half of what unrelated moments differ by", () => {
  const parting = new Parting({ steps: 100, unrelated: 42 }, 2, 5); // half way is at 22
  const add = (times, level) => {
    for (let i = 0; i < times; i++) parting.add(grey(0), grey(level));
  };
  add(6, 40); // still watched: no parting
  add(9, 23); // a flicker
  add(1, 21);
  assert.equal(parting.at, null);
  add(10, 23);
  assert.equal(parting.at, 16);
  add(10, 0);
  assert.equal(parting.at, 16);
  assert.equal(parting.values[16], 21 / 40);
  assert.equal(parting.values[26], 0);
});
