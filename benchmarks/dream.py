"""How fast the dream steps on one core, against the published way: one `predict` for each step.

    python benchmarks/dream.py data/models/vae

Times are processor time of the whole process, held to one core, so that what else the machine
does matters little. All contestants dream with the same M; a round of each in turn, and the
medians count.
"""

import argparse
import os
import statistics
import time

from controller import arch as policy
from controller.dream.rollout import DreamRollout
from rnn import arch
from rnn.dream.dynamics import Dream
from rnn.dream.env import DreamEnv, DreamVectorEnv
from runs.arguments import run
from runs.directory import ModelDirectory, write_json

import command_line
import numpy as np
import tensorflow as tf

ROUNDS = 5
PREDICTED = 20  # steps a round of the published way
ALONE = 200  # of one world
TOGETHER = 10  # calls a round of many worlds
WORLDS = (64, 512, 2048)
EVOLVED = (64, 16)  # candidates and dreams of each, as in an evolution
EVOLVED_STEPS = 20
TO_REACH = {"times the published way": 500, "steps a second": 20_000}
GAS = np.array([0, 0.5, 0], np.float32)


def predicting(dream: Dream):
    """The published way: Keras's `predict` for every step of one world, the mixture in NumPy."""
    memory, rng = dream.memory, np.random.default_rng(0)
    state = [dream.starts.z[:1], np.zeros((1, memory.units)), np.zeros((1, memory.units))]

    def steps() -> int:
        z, h, c = state
        for _ in range(PREDICTED):
            x = np.concatenate([z, GAS[None]], -1)[:, None]
            out = memory.network.predict([x, h, c], verbose=0)
            h, c = out["h"], out["c"]
            logits, mean, log_sd = np.split(out["mixture"].reshape(memory.latent, -1), 3, -1)
            weights = np.exp(logits - logits.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            chosen = [rng.choice(len(w), p=w / w.sum()) for w in weights.astype(float)]
            rows = np.arange(memory.latent)
            z = mean[rows, chosen] + np.exp(log_sd[rows, chosen]) * rng.normal(size=len(rows))
            z = z[None].astype(np.float32)
        return PREDICTED

    return steps


def alone(directory: ModelDirectory):
    env = DreamEnv(directory.path)
    env.reset(seed=1)

    def steps() -> int:
        for _ in range(ALONE):
            if env.step(GAS)[2]:
                env.reset()
        return ALONE

    return steps


def together(directory: ModelDirectory, worlds: int):
    env = DreamVectorEnv(worlds, directory.path)
    env.reset(seed=1)
    action = np.tile(GAS, (worlds, 1))

    def steps() -> int:
        for _ in range(TOGETHER):
            env.step(action)
        return TOGETHER * worlds

    return steps


def evolving(dream: Dream):
    candidates, dreams = EVOLVED
    rollout = DreamRollout(dream, EVOLVED_STEPS)
    size = policy.size(rollout.features)
    parameters = np.random.default_rng(0).normal(0, 0.1, (candidates, size))
    keys = np.arange(dreams, dtype=np.uint32)

    def steps() -> int:
        return sum(outcome.steps for row in rollout.drive(parameters, keys) for outcome in row)

    return steps


def main() -> None:
    options = parse()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    directory = ModelDirectory(options.model)
    dream = Dream(directory)
    contestants = {"the published way": predicting(dream), "one world": alone(directory)}
    for worlds in WORLDS:
        contestants[f"{worlds} worlds"] = together(directory, worlds)
    name = f"an evolution's {EVOLVED[0]} candidates × {EVOLVED[1]} dreams"
    contestants[name] = evolving(dream)

    rates = {name: [] for name in contestants}
    for steps in contestants.values():
        steps()  # traced on first use
    for _ in range(ROUNDS):
        for name, steps in contestants.items():
            start = time.process_time()
            done = steps()
            rates[name].append(done / (time.process_time() - start))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    report(medians, dream)
    if options.json:
        write_json(options.json, medians)


def report(medians: dict[str, float], dream: Dream) -> None:
    memory = dream.memory
    print(
        f"M with {memory.network.count_params():,} parameters, "
        f"{arch.ACTIONS + memory.latent} numbers in; steps a second on one core:"
    )
    published = medians["the published way"]
    for name, rate in medians.items():
        print(f"{rate:12,.0f}  {rate / published:8,.0f} ×  {name}")
    best = max(medians.values())
    reached = {"times the published way": best / published, "steps a second": best}
    for name, least in TO_REACH.items():
        word = "reached" if reached[name] >= least else "MISSED"
        print(f"{word}: {reached[name]:,.0f} {name}, at least {least:,} wanted")


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__)
    command_line.add(parser, "model")
    command_line.add(parser, "--json", help="where the medians go (default: nowhere)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
