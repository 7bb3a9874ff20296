"""Does the dream know what actions do? One action held, dreamt and driven from the same moments.

    python benchmarks/dream_actions.py data/models/vae-dream-1

C drives 150 steps of each of some tracks. From there an action is held for 100 steps, in the world
and, with what M remembers at that moment, in the dream. A car that no longer steers leaves the road
at the next bend; in a dream that knows it, it does so as soon. Prints the tiles reached in every 20
steps, and for comparison those of C itself. Tracks that are over or lost before the action is held
do not count; after the end of an episode, driven or dreamt, no tile is reached.
"""

import argparse

from controller import arch, rollout
from controller.agent import Agent
from controller.recording import Logs
from controller.rollout import Job
from envs import tracks
from envs.rollouts import Episode
from rnn.dream.dynamics import Dream, State
from runs.arguments import BadInput, run, whole
from runs.directory import ModelDirectory

import command_line
import numpy as np
import tensorflow as tf

BEFORE, AFTER, EACH = 150, 100, 20  # steps
DREAMS = 16  # of each moment
TOGETHER = 32  # worlds stepped side by side
HELD = {
    "straight, half gas": (0.0, 0.5, 0.0),
    "straight, no pedal": (0.0, 0.0, 0.0),
    "a little left, half gas": (-0.4, 0.5, 0.0),
    "C itself": None,
}


def main() -> None:
    options = parse()
    directory = ModelDirectory(options.model)
    agent, dream = Agent(directory), Dream(directory, options.temperature, "anywhere")
    if agent.memory is None:
        raise BadInput(f"The C in {directory.path} sees z alone; a dream's C sees h too.")
    policy = arch.load(directory, agent.features)
    print(f"Tiles in each {EACH} of {AFTER} steps:")
    for name, held in HELD.items():
        episodes = drive(agent, policy, held, options)
        driven = np.stack([tiles_after(episode) for episode in episodes])
        tiles = dreamt(dream, begin(agent, dream, episodes), policy, held)
        for where, reached in (("driven", driven), ("dreamt", tiles)):
            counts = reached.reshape(len(reached), -1, EACH).sum(-1).mean(0)
            values = " ".join(f"{value:5.1f}" for value in counts)
            print(f"  {name:24s}{where}  {values}  ({len(episodes)} tracks)")


def drive(agent: Agent, policy: np.ndarray, held: tuple | None, options) -> list[Episode]:
    """Drive C, and hold `held` (3,) from step 150 on; the episodes that were on the road then."""
    recorder = Held(held)
    driven_on = tracks.evolution(options.seed, 0, options.tracks)
    jobs = enumerate(Job(policy, track) for track in driven_on)
    together = min(options.tracks, TOGETHER)
    driven = rollout.drive(agent, jobs, together, most_steps=BEFORE + AFTER, recorder=recorder)
    episodes = dict(sorted((job, recorder.take(job)) for job, _ in driven))
    episodes = [episode for episode in episodes.values() if len(episode) > BEFORE]
    on_road = [
        episode for episode in episodes if (episode.reward[BEFORE - EACH : BEFORE] > 0).any()
    ]
    if not on_road:
        raise BadInput(
            f"This C is on the road after {BEFORE} steps of no track: nothing to compare."
        )
    return on_road


class Held(Logs):
    """Records episodes, whose actions are held at `held` (3,) from step 150 on."""

    def __init__(self, held: tuple | None):
        super().__init__()
        self.held = held

    def act(self, world: rollout.World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        own = self.held is None or world.steps < BEFORE
        return action if own else np.array(self.held, np.float32)


def tiles_after(episode: Episode) -> np.ndarray:
    """Whether each of 100 steps from step 150 on reached a tile, (100,); none after the end."""
    reached = episode.reward[BEFORE:] > 0
    return np.pad(reached, (0, AFTER - len(reached)))


def begin(agent: Agent, dream: Dream, episodes: list[Episode]) -> State:
    """What is seen and remembered at step 150 of N episodes, rows N·DREAMS."""
    encode = tf.function(agent.vision.encoder)
    z = np.stack([encode(episode.obs[: BEFORE + 1])[0] for episode in episodes])
    action = np.stack([episode.action[:BEFORE] for episode in episodes])
    empty = np.zeros((len(z), dream.memory.units), np.float32)
    outputs = dream.memory.network([np.concatenate([z[:, :BEFORE], action], -1), empty, empty])
    now = (z[:, BEFORE], outputs["h"].numpy(), outputs["c"].numpy())
    return State.at(*(tf.constant(np.repeat(part, DREAMS, 0)) for part in now))


def dreamt(dream: Dream, state: State, policy: np.ndarray, held: tuple | None) -> np.ndarray:
    """The tiles expected in each of 100 steps of B dreams, driven by C's numbers (P,) or `held`
    (3,): (B, 100)."""
    kernel, bias = (part[0] for part in arch.unpack(policy[None]))
    count = len(state.z)
    keys = tf.range(count, dtype=tf.int64)

    @tf.function
    def step(state: State, tick: tf.Tensor):
        if held is None:
            action = arch.squash(tf.concat([state.z, state.h], -1) @ kernel + bias)
        else:
            action = tf.tile([held], [count, 1])
        ticks = tf.fill([count], tick)
        state, _, ended, tile = dream.step(state, action, tf.cast(keys, tf.uint32), ticks)
        return state, ended, tile

    tiles, going = [], np.ones(count, bool)
    for tick in range(1, AFTER + 1):
        state, ended, tile = step(state, tf.constant(tick, tf.uint32))
        tiles.append(np.where(going, tile, 0))
        going &= ~ended.numpy()
    return np.stack(tiles, -1)


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__)
    command_line.add(parser, "model", help="a model directory with V, M, C and starts")
    command_line.add(parser, "--tracks", default=32, help="of the evolution's")
    command_line.add(parser, "--temperature", default=1.0)
    command_line.add(parser, "--seed", type=whole(0, 999), default=78, help="of the tracks")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
