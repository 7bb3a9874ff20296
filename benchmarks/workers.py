"""How much faster two worker processes drive than one.

    python benchmarks/workers.py

Both drive the same policies on the same tracks, in turn, as a generation of an evolution does:
episodes begin as others end and the last of them end alone. Times are of the clock on the wall,
so the machine must have two cores that nobody else works on.
"""

import time
from collections import defaultdict

from controller import arch
from controller.fleet import Fleet
from controller.rollout import Job
from runs.arguments import BadInput, run, whole
from runs.directory import ModelDirectory, write_json
from runs.processors import best_precision, cores
from runs.workplace import Workplace

import common
import numpy as np

TRACKS = 2  # which every policy drives
TO_REACH = 1.9


def measure(
    directory: ModelDirectory, rounds: int, policies: int, worlds: int, patience: int
) -> dict:
    """Steps a second of one and of two workers, and the ratio. A round is one turn of each."""
    rng = np.random.default_rng(1)
    parameters = candidates(directory, policies, rng)
    tracks = range(common.FIRST_TRACK, common.FIRST_TRACK + TRACKS)
    jobs = [Job(policy, track) for policy in parameters for track in tracks]
    precision = best_precision()
    seen, driven = defaultdict(list), {}
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
                seen[fleet.workers].append(steps / seconds)
    return {
        "settings": {
            "rounds": rounds,
            "episodes": len(jobs),
            "steps": steps,
            "worlds": worlds,
            "precision": precision,
        },
        "steps_per_s": common.medians(seen),
        "ratios": {"one worker": common.ratio(seen[2], seen[1])},
    }


def candidates(directory: ModelDirectory, count: int, rng: np.random.Generator) -> np.ndarray:
    """A generation as evolution has it: around the model's controller, or around nothing."""
    if directory.has("controller"):
        features = directory.facts("controller")["features"]
        return rng.normal(arch.load(directory, features), 0.05, (count, arch.size(features)))
    # Policies of this size drive on the whole: episodes of a few hundred steps.
    return rng.normal(0, 0.1, (count, arch.size(288)))


def main() -> None:
    parser = common.parser(__file__, __doc__, rounds=5)
    common.add_model(parser)
    parser.add_argument(
        "--policies", type=whole(1), default=64, help=f"each on {TRACKS} tracks (default: 64)"
    )
    parser.add_argument(
        "--worlds", type=whole(1), default=32, help="stepped together by each (default: 32)"
    )
    parser.add_argument(
        "--patience",
        type=whole(1),
        default=100,
        help="steps without a new tile that end an episode (default: 100)",
    )
    arguments = parser.parse_args()
    if cores() < 2:
        raise BadInput("Two workers need two processors, and this process may use only one.")
    with common.model_directory(arguments.model) as directory:
        result = measure(
            directory,
            arguments.rounds,
            arguments.policies,
            arguments.worlds,
            arguments.patience,
        )
    common.row("workers", "steps/s", "ratio", "to reach")
    rates = result["steps_per_s"]
    common.row("one", f"{rates[1]:,.0f}")
    ratio = result["ratios"]["one worker"]
    common.row("two", f"{rates[2]:,.0f}", f"{ratio:.2f} x", f"{TO_REACH} x")
    write_json(arguments.json, result)


if __name__ == "__main__":
    run(main)
