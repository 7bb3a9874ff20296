"""What a controller evolved in the dream must beat: random weights, and luck on the same budget.

    python benchmarks/dream_untrained.py data/models/vae

Random weights are those that an evolution begins with, N(0, 0.1²). Luck takes as many of them as
an evolution tries, and of these the one with the best score in the dream. Both then drive the
real validation tracks.
"""

import argparse

from controller import arch, rollout
from controller.agent import Agent
from controller.dream.rollout import DreamRollout
from controller.report.scores import summary
from controller.rollout import Job
from envs import tracks
from rnn.dream.dynamics import Dream
from runs.arguments import run, whole
from runs.directory import ModelDirectory

import command_line
import numpy as np

SIGMA = 0.1
DREAM_STEPS = 200
DREAMS = 8  # of each candidate


def main() -> None:
    options = parse()
    directory = ModelDirectory(options.model)
    agent = Agent(directory)
    rng = np.random.default_rng(options.seed)
    candidates = SIGMA * rng.standard_normal((options.candidates, arch.size(agent.features)))
    dream = Dream(directory, options.temperature, "anywhere")
    outcomes = DreamRollout(dream, DREAM_STEPS).drive(
        candidates, np.arange(DREAMS, dtype=np.uint32)
    )
    dreamt = np.array([np.mean([outcome.score for outcome in row]) for row in outcomes])
    lucky = candidates[dreamt.argmax()]

    driven_on = tracks.validation(options.tracks)
    drivers = {
        "random weights, another set on each track": candidates[: options.tracks],
        f"luckiest of {options.candidates} in the dream": [lucky] * options.tracks,
    }
    print(f"in the dream: {dreamt.mean():.0f} on average, {dreamt.max():.0f} the luckiest")
    for name, policies in drivers.items():
        jobs = enumerate(
            Job(policy, track) for policy, track in zip(policies, driven_on, strict=True)
        )
        found = summary([outcome for _, outcome in rollout.drive(agent, jobs, options.tracks)])
        print(f"in the world: {found['mean']:7.1f} ± {found['sd']:.1f}  {name}")


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__)
    command_line.add(parser, "model")
    parser.add_argument("--candidates", type=whole(16), default=1280, help="tried by luck")
    command_line.add(parser, "--tracks", type=whole(1, 16), default=16)
    command_line.add(parser, "--temperature", default=1.15)
    command_line.add(parser, "--seed", default=1)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
