"""Can a score in the dream be trusted? Recorded actions and whole policies, dreamt and driven.

    python benchmarks/dream_truth.py data/models/vae-dream-1 data/series/vae

First the recorded actions of episodes are done again in the dream, from a moment of theirs: as
many tiles should be reached as were in the world. Once M remembers what came before that moment,
once it begins with an empty memory. Then policies around C, from ones much like it to ones that
hardly drive, are ranked by 250 steps in the dream and by 250 steps in the world.
"""

import argparse
from pathlib import Path

from controller import arch, rollout
from controller.agent import Agent
from controller.dream.rollout import DreamRollout
from controller.rollout import Job
from envs import tracks
from rnn import series
from rnn.dream.dynamics import Dream, State
from runs.arguments import BadInput, run, whole
from runs.directory import ModelDirectory

import command_line
import numpy as np
import tensorflow as tf

AFTER_ZOOM = 50  # steps; before them the camera comes down
WARM_UP, AHEAD = 40, 50  # steps remembered, and steps then dreamt
DREAMS = 8  # of each moment
WEIGHT_NOISE = (0.02, 0.05, 0.1, 0.2, 0.4)
DRAWS = 4  # policies of each
STEPS = 250
POLICY_DREAMS = 32


def main() -> None:
    options = parse()
    directory = ModelDirectory(options.model)
    dream = Dream(directory, options.temperature, "anywhere")
    vision = directory.facts("vision")["digest"]
    moments(dream, series.paths(options.latents, dream.memory.latent, vision), options)
    policies(directory, dream, options)


def moments(dream: Dream, paths: list[Path], options) -> None:
    """Print how the tiles of recorded stretches, dreamt and driven, go together."""
    latent, length = dream.memory.latent, WARM_UP + AHEAD
    rng = np.random.default_rng(options.seed)
    stretches = []
    for path in paths:
        episode = series.read(path, latent)
        last = len(episode["reward"]) - length
        if last > AFTER_ZOOM:
            begin = rng.integers(AFTER_ZOOM, last)
            stretches.append({name: v[begin : begin + length] for name, v in episode.items()})
    if not stretches:
        raise BadInput(
            f"No episode in {options.latents} is longer than {AFTER_ZOOM + length} steps."
        )
    z, action, reward = (
        np.stack([stretch[name] for stretch in stretches]) for name in ("mean", "action", "reward")
    )
    driven = (reward[:, WARM_UP:] > 0).sum(1)
    empty = np.zeros((len(z), dream.memory.units), np.float32)
    x = np.concatenate([z, action], -1)[:, :WARM_UP]
    outputs = dream.memory.network([x, empty, empty])
    remembered = {
        "as M remembers": (outputs["h"].numpy(), outputs["c"].numpy()),
        "with an empty memory": (empty, empty),
    }
    print(f"{len(z)} moments, tiles in the next {AHEAD} steps: {driven.mean():.2f} in the world")
    for name, (h, c) in remembered.items():
        begun = State.at(*(np.repeat(part, DREAMS, 0) for part in (z[:, WARM_UP], h, c)))
        tiles = tiles_of(dream, begun, np.repeat(action[:, WARM_UP:], DREAMS, 0))
        dreamt = tiles.reshape(len(z), DREAMS).mean(1)
        together = np.corrcoef(dreamt, driven)[0, 1]
        print(f"  {dreamt.mean():.2f} dreamt, correlation {together:.2f}, {name}")


def tiles_of(dream: Dream, state: State, action: np.ndarray) -> np.ndarray:
    """The tiles expected of B dreams that do the actions (B, T, 3): (B,)."""
    keys = np.arange(len(action), dtype=np.uint32)
    step = tf.function(dream.step)
    tiles = np.zeros(len(action))
    for t in range(action.shape[1]):
        ticks = tf.fill([len(action)], tf.constant(t + 1, tf.uint32))
        state, _, _, tile = step(state, tf.constant(action[:, t]), keys, ticks)
        tiles += tile.numpy()
    return tiles


def policies(directory: ModelDirectory, dream: Dream, options) -> None:
    """Print how policies rank in the dream and in the world."""
    agent = Agent(directory)
    mean = arch.load(directory, agent.features)
    rng = np.random.default_rng(options.seed)
    found = np.array(
        [mean + sd * rng.standard_normal(len(mean)) for sd in WEIGHT_NOISE for _ in range(DRAWS)]
    )
    keys = np.arange(POLICY_DREAMS, dtype=np.uint32)
    outcomes = DreamRollout(dream, STEPS).drive(found, keys)
    dreamt = np.array([np.mean([outcome.score for outcome in row]) for row in outcomes])
    driven_on = tracks.validation(options.tracks)
    jobs = [Job(policy, track) for policy in found for track in driven_on]
    driven = dict(rollout.drive(agent, enumerate(jobs), len(jobs), most_steps=STEPS))
    scores = np.array([driven[i].score for i in range(len(jobs))]).reshape(len(found), -1).mean(1)
    for i, sd in enumerate(WEIGHT_NOISE):
        group = slice(i * DRAWS, (i + 1) * DRAWS)
        print(f"  C + {sd:g} · noise: {dreamt[group].mean():6.1f} dreamt", end="")
        print(f", {scores[group].mean():6.1f} in the world")
    ranks = [np.argsort(np.argsort(values)) for values in (dreamt, scores)]
    print(f"rank correlation of {len(found)} policies: {np.corrcoef(*ranks)[0, 1]:.2f}")


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__)
    command_line.add(parser, "model", help="a model directory with V, M, C and starts")
    parser.add_argument("latents", type=Path, help="latent episodes of its V")
    command_line.add(parser, "--tracks", type=whole(1, 16), default=4)
    command_line.add(parser, "--temperature", default=1.0)
    command_line.add(parser, "--seed", default=1)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
