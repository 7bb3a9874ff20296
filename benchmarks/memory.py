"""Whether memory grows with the data: 02, 03, 04 with ten times the episodes, and a worker.

    python benchmarks/memory.py

Each script runs whole, as a process of its own, with some episodes and with ten times as many,
which are links to the same. A worker drives ten times as many episodes as before. Figures are the
most MiB that a process ever took; of the worker, what it has after each. With fewer frames than
the buffer of 8,000 in which they are shuffled, 02 grows until that is full.
"""

import collections
import multiprocessing
import tempfile
from pathlib import Path

from controller.fleet import Fleet
from controller.rollout import Job
from envs import rollouts
from runs.arguments import run, whole
from runs.directory import DataDirectory, ModelDirectory, write_json

import common
import numpy as np
from workers import candidates

GROWTH = 10  # so many times the data
TO_KEEP = 1.05  # times the memory
RECORDED = 40  # episodes; more are links to them
SCRIPTS = {
    "02_train_vae.py": ["--epochs", "1", "--precision", "float32"],
    "03_generate_rnn_data.py": ["--precision", "float32"],
    "04_train_rnn.py": ["--steps", "100"],
}


def measure_scripts(episodes: int, steps: int, untrained: bool) -> dict[str, list[float]]:
    """The most MiB of each script with so many episodes, and with GROWTH times as many."""
    found: dict[str, list[float]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        recorded = common.record(Path(place) / "recorded", min(episodes, RECORDED), steps)
        for count in (episodes, GROWTH * episodes):
            data = DataDirectory(Path(place) / str(count))
            link(recorded, data.rollout, count)
            if untrained:
                with common.model_directory(None) as made:
                    data.model("vae").take(["vision"], made)
            for name, words in list(SCRIPTS.items())[1 if untrained else 0 :]:
                drawn = [] if name.startswith("03") else ["--res", data.root / "res"]
                used = common.run_script([name, "--data-dir", data.root, *drawn, *words])
                found[name].append(used["mib"])
    return found


def link(recorded: list[Path], folder: Path, count: int) -> None:
    """Make so many episodes of those recorded, in turn."""
    folder.mkdir(parents=True)
    for number in range(count):
        path = rollouts.path_of(folder, 1_000_000 + number)
        path.hardlink_to(recorded[number % len(recorded)])


def measure_worker(directory: ModelDirectory, episodes: int) -> list[float]:
    """MiB of a worker after so many episodes, and after GROWTH times as many more."""
    [policy] = candidates(directory, 1, np.random.default_rng(1))
    found = []
    with Fleet(directory, "float32", 1, 8) as fleet:
        for count in (episodes, GROWTH * episodes):
            fleet.drive([Job(policy, track) for track in range(1, count + 1)], patience=15)
            [worker] = multiprocessing.active_children()
            found.append(resident(worker.pid))
    return found


def resident(process: int) -> float:
    """MiB of a process, on Linux."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(process)


def main() -> None:
    parser = common.parser(__file__, __doc__, rounds=None)
    common.add_episodes(parser, 200, 45)
    parser.add_argument(
        "--untrained", action="store_true", help="take an untrained V in place of 02, the longest"
    )
    parser.add_argument(
        "--driven", type=whole(1), default=50, help="episodes of the worker (default: 50)"
    )
    given = parser.parse_args()
    found = measure_scripts(given.episodes, given.steps, given.untrained)
    with common.model_directory(None) as directory:
        found["a worker that drives"] = measure_worker(directory, given.driven)
    common.row("memory, MiB", "few", f"{GROWTH} x", "growth", "to keep")
    for name, (few, many) in found.items():
        common.row(name, f"{few:,.0f}", f"{many:,.0f}", f"{many / few:.3f} x", f"{TO_KEEP} x")
    settings = {"episodes": given.episodes, "steps": given.steps, "driven": given.driven}
    write_json(given.json, {"settings": settings, "mib": found})


if __name__ == "__main__":
    run(main)
