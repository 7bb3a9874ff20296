// M, the decoder and C of one agent, run by ONNX Runtime Web beside the page, which stays smooth.

import * as ort from "onnxruntime-web/wasm";
import { SIDE } from "./picture.js";

// Threads share memory, which browsers allow only on hosts that send two headers; one is enough.
ort.env.wasm.numThreads = 1;

const PARTS = ["step", "decoder", "controller"];
const sessions = {};

const tasks = {
  async load({ folder }) {
    for (const part of PARTS) {
      const answer = await fetch(`${folder}${part}.onnx`);
      if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
      const options = { executionProviders: ["wasm"], graphOptimizationLevel: "all" };
      const bytes = new Uint8Array(await answer.arrayBuffer());
      sessions[part] = await ort.InferenceSession.create(bytes, options);
    }
  },

  /** M goes on by one step, and the decoder shows where it came to. Without an action C acts. */
  async step({ state, action, noise, temperature, show }) {
    const z = row(state.z);
    const h = row(state.h);
    const acted = action ?? (await sessions.controller.run({ z, h })).action.data;
    const out = await sessions.step.run({
      z,
      h,
      c: row(state.c),
      action: row(acted),
      uniform: row(noise.uniform),
      normal: row(noise.normal),
      temperature: new ort.Tensor("float32", [temperature], [1]),
    });
    const next = show ?? out.z_next.data;
    return {
      state: { z: next, h: out.h_next.data, c: out.c_next.data },
      action: acted,
      reward: out.reward.data[0],
      done: out.done.data[0] > 0.5,
      tile: out.tile.data[0],
      frame: await decoded(next),
    };
  },

  async decode({ z }) {
    return { frame: await decoded(z) };
  },
};

function row(numbers) {
  return new ort.Tensor("float32", numbers, [1, numbers.length]);
}

/** A picture of z as the bytes of an ImageData of 64×64 pixels. */
async function decoded(z) {
  const { frame } = await sessions.decoder.run({ z: row(z) });
  const bytes = new Uint8ClampedArray(SIDE * SIDE * 4);
  for (let from = 0, to = 0; to < bytes.length; from += 3, to += 4) {
    for (let colour = 0; colour < 3; colour++) bytes[to + colour] = 255 * frame.data[from + colour];
    bytes[to + 3] = 255;
  }
  return bytes;
}

// A session runs one thing at a time.
let last = Promise.resolve();

self.onmessage = ({ data: { id, task, given } }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ id, result: await tasks[task](given) });
    } catch (problem) {
      self.postMessage({ id, problem: String(problem?.message ?? problem) });
    }
  });
};
