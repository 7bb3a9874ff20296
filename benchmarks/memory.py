"""Whether memory grows: with ten times the episodes, or epochs, or those that a worker drives.

    python benchmarks/memory.py

02, 03 and 04 run whole, each as a process of its own, with some episodes and with ten times as
many, which are links to the same; 02 and 04 also with some epochs of little data and with ten times
as many. A worker drives ten times as many episodes as before. Figures are the most MiB that a
process ever took; of the worker, what it has after each. With fewer frames than the buffer of 8,000
in which they are shuffled, 02 grows until that is full. Writes benchmarks/memory.md.
"""

import argparse
import collections
import multiprocessing
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controller.fleet import Fleet
from controller.rollout import Job
from envs import rollouts
from runs.arguments import run, whole
from runs.directory import DataDirectory, ModelDirectory, write_json, write_text
from runs.workplace import Workplace

import command_line
import common
from measured_on import measured_on
from workers import around

GROWTH = 10  # so many times the data
TO_KEEP = 1.05  # times the memory
RECORDED = 40  # episodes; more are links to them
SCRIPTS = {
    "02_train_vae.py": ["--epochs", "1", "--depth", "8", "--precision", "float32"],
    "03_generate_rnn_data.py": ["--precision", "float32"],
    "04_train_rnn.py": ["--steps", "100", "--batch-size", "10"],
}
# Arguments of a training of so many epochs on little data.
LITTLE = {
    "02_train_vae.py": lambda epochs: [*("--epochs", epochs, "--batch-size", "10", "--depth", "8")],
    "04_train_rnn.py": lambda epochs: [
        *("--steps", 100 * epochs, "--batch-size", "2", "--sequence", "4", "--units", "8")
    ],
}
REPORT = Path(__file__).with_suffix(".md")


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
                res = [] if name.startswith("03") else ["--res", data.root / "res"]
                used = common.run_script([name, "--data-dir", data.root, *res, *words])
                found[name].append(used["mib"])
    return found


def measure_epochs(epochs: int) -> dict[str, list[float]]:
    """The most MiB of trainings on little data of so many epochs, and of GROWTH times as many."""
    found: dict[str, list[float]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        data = DataDirectory(place)
        common.record(data.rollout, 2, 20)
        at, res = ["--data-dir", data.root], ["--res", data.root / "res"]
        for name, words in LITTLE.items():
            for count in (epochs, GROWTH * epochs):
                command = [name, *at, *res, *words(count), "--from-scratch"]
                found[f"{name}, epochs"].append(common.run_script(command)["mib"])
            if name.startswith("02"):
                common.run_script(["03_generate_rnn_data.py", *at])
    return found


def link(recorded: list[Path], folder: Path, count: int) -> None:
    """Make so many episodes of those recorded, in turn."""
    folder.mkdir(parents=True)
    for number in range(count):
        path = rollouts.path_of(folder, 1_000_000 + number)
        path.hardlink_to(recorded[number % len(recorded)])


def measure_worker(directory: ModelDirectory, episodes: int) -> list[float]:
    """MiB of a worker after so many episodes, and after GROWTH times as many more."""
    [policy] = around(directory, 1)
    found = []
    with Fleet(directory, "float32", Workplace(1), 8) as fleet:
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
    parser = command_line.parser(__doc__, __file__)
    command_line.add_episodes(parser, 200, 45)
    parser.add_argument(
        "--untrained", action="store_true", help="take an untrained V in place of 02, the longest"
    )
    parser.add_argument(
        "--driven", type=whole(1), default=50, help="episodes of the worker (default: 50)"
    )
    parser.add_argument(
        "--epochs", type=whole(1), default=30, help="of trainings on little data (default: 30)"
    )
    given = parser.parse_args()
    settings = {name: getattr(given, name) for name in ("episodes", "steps", "driven", "epochs")}
    found: dict[str, list[float]] = {}
    for measured in measures(given):
        found.update(measured)
        write_json(given.json, {"settings": settings, "mib": found})
        report(settings, found)


def measures(given: argparse.Namespace) -> Iterator[dict[str, list[float]]]:
    """What is measured, one thing after the other: it takes long."""
    yield measure_scripts(given.episodes, given.steps, given.untrained)
    with common.model_directory(None) as directory:
        yield {"a worker that drives": measure_worker(directory, given.driven)}
    yield measure_epochs(given.epochs)


def report(settings: dict, found: dict[str, list[float]]) -> None:
    """Print the figures, and write them as a page."""
    head = ["memory, MiB", "few", f"{GROWTH} times as many", "growth", "to keep"]
    rows = [
        [name, f"{few:,.0f}", f"{many:,.0f}", f"{many / few:.3f} x", f"{TO_KEEP} x"]
        for name, (few, many) in found.items()
    ]
    for row in (head, *rows):
        common.row(*row)
    write_text(
        REPORT,
        f"# Whether memory grows\n\n    python {shlex.join(sys.argv)}\n\n"
        f"Few are {settings['episodes']} episodes of at most {settings['steps']} steps; "
        f"{settings['driven']} episodes that a worker drives; {settings['epochs']} epochs.\n\n"
        + "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))
        + f"\n{measured_on()}\n",
    )


if __name__ == "__main__":
    run(main)
