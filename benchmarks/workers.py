"""How much faster two worker processes drive than one.

    python benchmarks/workers.py

Both drive the same policies on the same tracks, in turn, as a generation of an evolution does:
episodes begin as others end and the last of them end alone. Times are of the clock on the wall,
so the machine must have two cores that nobody else works on.
"""

import argparse
import time
from collections import defaultdict

from controller import arch
from controller.fleet import Fleet
from controller.rollout import Job
from runs.arguments import BadInput, run, whole
from runs.directory import ModelDirectory, write_json
from runs.processors import best_precision, cores
from runs.workplace import Workplace

import command_line
import common
import numpy as np

TRACKS = 2  # which every policy drives
TO_REACH = 1.9


def measure(
    directory: ModelDirectory, rounds: int, policies: int, worlds: int, patience: int
) -> dict:
    """Steps a second of one and of two workers, and the ratio. A round is one turn of each."""
    jobs, precision = generation(directory, policies), best_precision()
    measured, driven = defaultdict(list), {}
    with (
        Fleet(directory, precision, Workplace(1), worlds) as one,
        Fleet(directory, precision, Workplace(2), worlds) as two,
    ):
        for fleet in (one, two):
            fleet.drive(jobs[: 2 * fleet.workers], patience=1)
        for _ in range(rounds):
            for fleet in (one, two):
                start = time.perf_counter()
                outcomes = fleet.drive(jobs, patience)
                seconds = time.perf_counter() - start
                assert driven.setdefault("outcomes", outcomes) == outcomes
                steps = sum(outcome.steps for outcome in outcomes)
                measured[fleet.workers].append(steps / seconds)
    return {
        "settings": {
            "rounds": rounds,
            "episodes": len(jobs),
            "steps": steps,
            "worlds": worlds,
            "precision": precision,
        },
        "steps_per_s": common.medians(measured),
        "ratios": {"one worker": common.ratio(measured[2], measured[1])},
    }


def generation(directory: ModelDirectory, policies: int) -> list[Job]:
    """The episodes of a generation as evolution has it."""
    tracks = range(common.FIRST_TRACK, common.FIRST_TRACK + TRACKS)
    return [Job(policy, track) for policy in around(directory, policies) for track in tracks]


def around(directory: ModelDirectory, count: int) -> np.ndarray:
    """Policies around the model's controller, or around nothing."""
    rng = np.random.default_rng(1)
    if directory.has("controller"):
        features = directory.facts("controller")["features"]
        return rng.normal(arch.load(directory, features), 0.05, (count, arch.size(features)))
    # Policies of this size drive on the whole: episodes of a few hundred steps.
    return rng.normal(0, 0.1, (count, arch.size(288)))


def arguments(script: str, description: str, rounds: int) -> argparse.Namespace:
    """The settings of a benchmark in which one worker and two drive the same policies.

    Raises `BadInput` where this process may not use two processors.
    """
    parser = command_line.parser(description, script, rounds)
    command_line.add(parser, "--model")
    command_line.add(parser, "--policies", default=64, help=f"each on {TRACKS} tracks")
    command_line.add(parser, "--worlds", default=36, help="stepped together by each")
    parser.add_argument(
        "--patience",
        type=whole(1),
        default=100,
        help="steps without a new tile that end an episode (default: 100)",
    )
    given = parser.parse_args()
    if cores() < 2:
        raise BadInput("Two workers need two processors, and this process may use only one.")
    return given


def main() -> None:
    given = arguments(__file__, __doc__, rounds=5)
    with common.model_directory(given.model) as directory:
        result = measure(directory, given.rounds, given.policies, given.worlds, given.patience)
    common.row("workers", "steps/s", "ratio", "to reach")
    rates = result["steps_per_s"]
    common.row("one", f"{rates[1]:,.0f}")
    ratio = result["ratios"]["one worker"]
    common.row("two", f"{rates[2]:,.0f}", f"{ratio:.2f} x", f"{TO_REACH} x")
    write_json(given.json, result)


if __name__ == "__main__":
    run(main)
