"""What an agent does with its pedals as the road ahead turns, and whether C could know of it.

    python benchmarks/pedals.py res/published/vae res/published/vaegan

Each agent drives validation tracks. For the turning of the next 28 units of road: how fast it goes,
how much gas it gives, in how many steps it presses the brake. Then how well a linear function of
what C acts on tells that turning and the speed (R² on tracks that it was not fitted to).
"""

import argparse
from pathlib import Path

from controller import arch, rollout
from controller.agent import Agent
from controller.rollout import Job
from envs import tracks, truth
from runs.arguments import number, run, whole
from runs.directory import ModelDirectory

import command_line
import numpy as np

BENDS = (0, 0.25, 0.5, 1, 2, np.inf)  # radians over the next 28 units
RIDGE = 1e-2


def main() -> None:
    options = parse()
    for path in options.models:
        driven = drive(ModelDirectory(path), tracks.validation(options.tracks))
        print(f"{path}\n\n{table(driven)}\n")
        for name, target in (("turning ahead", driven["turn"]), ("speed", driven["speed"])):
            share = explained(driven["features"], target, driven["track"], options.held_out)
            print(f"R² of {name}, linear in what C acts on: {share:.2f}")
        print()


def drive(directory: ModelDirectory, driven_on: list[int]) -> dict[str, np.ndarray]:
    """Every step after the camera came down: what C acted on, its action, the state after it."""
    agent = Agent(directory)
    parameters = arch.load(directory, agent.features)
    recorder = States()
    jobs = enumerate(Job(parameters, track) for track in driven_on)
    for _ in rollout.drive(agent, jobs, len(driven_on), recorder=recorder):
        pass
    return {name: np.array(column) for name, column in recorder.kept.items()}


class States(rollout.Recorder):
    """Keeps what C acted on, its pedals and the state that came of them."""

    def __init__(self):
        self.kept = {name: [] for name in ("track", "features", "turn", "speed", "gas", "brake")}
        self._features: dict[int, np.ndarray] = {}

    def act(self, world: rollout.World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        self._features[world.number] = features
        return action

    def step(self, world: rollout.World, frame, action: np.ndarray, done: bool) -> None:
        if world.steps <= truth.ZOOM_STEPS:
            return
        _, _, curvature, speed = truth.of(world.env)
        turn = abs(curvature) * truth.TILES_AHEAD * truth.car_racing.TRACK_DETAIL_STEP
        values = world.number, self._features[world.number], turn, speed, action[1], action[2]
        for column, value in zip(self.kept.values(), values, strict=True):
            column.append(value)


def table(driven: dict[str, np.ndarray]) -> str:
    """Speed and pedals by the turning ahead, as a Markdown table."""
    lines = ["| turning ahead, radians | steps | speed | gas | brake pressed |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for low, high in zip(BENDS, BENDS[1:], strict=False):
        there = (low <= driven["turn"]) & (driven["turn"] < high)
        if there.any():
            speed, gas, brake = (driven[name][there] for name in ("speed", "gas", "brake"))
            figures = f"{there.mean():.0%} | {speed.mean():.0f} | {gas.mean():.2f}"
            lines.append(f"| {low:g} to {high:g} | {figures} | {(brake > 0).mean():.1%} |")
    return "\n".join(lines)


def explained(
    features: np.ndarray, target: np.ndarray, track: np.ndarray, held_out: float
) -> float:
    """R² of a ridge regression on the last share of the tracks, fitted on the others."""
    x = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
    count = track.max() + 1
    fit = track < count - max(1, round(held_out * count))
    gram = x[fit].T @ x[fit] + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x[fit].T @ target[fit])
    missed = target[~fit] - x[~fit] @ weights
    return float(1 - missed.var() / target[~fit].var())


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__)
    parser.add_argument("models", type=Path, nargs="+", help="directories of trained agents")
    command_line.add(parser, "--tracks", type=whole(2, 1000), default=12)
    parser.add_argument(
        "--held-out",
        type=number(0.05, 0.5),
        default=1 / 3,
        help="share of the tracks that the regressions are judged on (default: 1/3)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
