import assert from "node:assert/strict";
import { test } from "node:test";
import { normal, uniform } from "../src/noise.js";

test("uniform numbers are those of rnn/dream/noise.py", () => {
  // [float(x) for x in noise.uniform(tf.constant([7], tf.uint32), tf.constant([3], tf.uint32), 3)]
  const expected = [0.2707710862159729, 0.15279358625411987, 0.9395927786827087];
  assert.deepEqual([...uniform(7, 3, 3)], expected.map(Math.fround));
});

test("normal numbers lie where the normal distribution has them", () => {
  const table = [[0.5, 0], [0.975, 1.959963984540054], [0.01, -2.3263478740408408]];
  for (const [p, x] of table) assert.ok(Math.abs(normal(p) - x) < 1e-7, `${p}: ${normal(p)}`);
});
