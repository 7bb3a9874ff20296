"""What a cluster costs: episodes a second by one and two workers, here and by Dask; and what the
scheduler, its connections and this process have to do for each task.

    python benchmarks/cluster.py

The same policies drive the same tracks, in turn, by processes of this machine and by a scheduler
and workers on loopback. Times are of the clock on the wall, so the machine must have two cores
that nobody else works on. Where two workers are less than twice as fast as one, `idle` says for
which share of the time a worker had nothing to do, and `dearer` by how much more processor time
they took together than one alone.
"""

import contextlib
import os
import pickle
import statistics
import tempfile
import time
from pathlib import Path

from controller.fleet import Fleet
from runs.arguments import run
from runs.directory import ModelDirectory, write_json
from runs.processors import best_precision
from runs.workplace import Workplace

import common
from loopback import Loopback, processor_time
from workers import arguments, generation

# As docs/cluster.md starts them: Dask looks a hundred times a second at what each thread does.
UNPROFILED = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
TO_REACH = {"two": 1.9, "overhead": 0.05}


def on_loopback() -> int:
    """Bytes that went over loopback since the machine started."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith("lo:"):
            return int(line.split(":")[1].split()[0])
    return 0


def processes_of(fleet: Fleet, cluster: Loopback | None) -> list[int]:
    if cluster is not None:
        return [worker.pid for worker in cluster.workers]
    return [child.pid for child in fleet._sharing.workers._children]  # type: ignore[attr-defined]


def hold(processes: list[int]) -> None:
    """Hold each process with all its threads to one processor, on Linux."""
    for process, core in zip(processes, sorted(os.sched_getaffinity(0)), strict=False):
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def measure(
    directory: ModelDirectory, rounds: int, policies: int, worlds: int, patience: int
) -> dict:
    """Every way in turn; a round is one turn of each."""
    jobs, precision = generation(directory, policies), best_precision()
    measured: dict[str, list[dict]] = {}
    driven = None
    with contextlib.ExitStack() as stack:
        ways = {}
        for count in (1, 2):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            cluster = stack.enter_context(Loopback(folder, **UNPROFILED))
            for _ in range(count):
                cluster.add(worlds)
            for name, place, there in (
                ("here", Workplace(count), None),
                ("Dask", Workplace(cluster=cluster.address), cluster),
            ):
                fleet = stack.enter_context(Fleet(directory, precision, place, worlds))
                while fleet.workers < count:
                    fleet.drive(jobs[:1], patience=1)
                fleet.drive(jobs, patience=1)
                hold(processes_of(fleet, there))
                ways[f"{count}, {name}"] = fleet, there, count
        for _ in range(rounds):
            for name, (fleet, there, count) in ways.items():
                workers = processes_of(fleet, there)
                scheduler = [there.scheduler.pid] if there else []
                before = [processor_time(*workers), processor_time(*scheduler), time.process_time()]
                sent, start = on_loopback(), time.perf_counter()
                outcomes = fleet.drive(jobs, patience)
                seconds, sent = time.perf_counter() - start, on_loopback() - sent
                after = [processor_time(*workers), processor_time(*scheduler), time.process_time()]
                assert driven in (None, outcomes), f"{name} drove otherwise"
                driven = outcomes
                work, scheduling, here = (b - a for a, b in zip(before, after, strict=True))
                measured.setdefault(name, []).append(
                    {
                        "episodes_per_s": len(jobs) / seconds,
                        "worker_s": work,
                        "idle": 1 - work / (seconds * count),
                        "scheduler_ms_a_task": 1e3 * scheduling / len(jobs),
                        "client_ms_a_task": 1e3 * here / len(jobs),
                        "loopback_bytes_a_task": sent / len(jobs),
                    }
                )
    figures = {
        name: {key: statistics.median(turn[key] for turn in turns) for key in turns[0]}
        for name, turns in measured.items()
    }
    rate = {name: [turn["episodes_per_s"] for turn in turns] for name, turns in measured.items()}
    steps = sum(outcome.steps for outcome in driven)
    return {
        "settings": {
            "rounds": rounds,
            "episodes": len(jobs),
            "steps": steps,
            "worlds": worlds,
            "patience": patience,
            "precision": precision,
        },
        "figures": figures,
        "pickled_bytes": {
            "job": len(pickle.dumps(jobs[0])),
            "outcome": len(pickle.dumps(driven[0])),
        },
        "ratios": {
            **{
                f"two, {way}": common.ratio(rate[f"2, {way}"], rate[f"1, {way}"])
                for way in ("here", "Dask")
            },
            **{
                f"Dask, {count}": common.ratio(rate[f"{count}, Dask"], rate[f"{count}, here"])
                for count in (1, 2)
            },
        },
        "dearer": {
            way: figures[f"2, {way}"]["worker_s"] / figures[f"1, {way}"]["worker_s"] - 1
            for way in ("here", "Dask")
        },
    }


def show(result: dict) -> None:
    common.row("workers", "episodes/s", "idle", "scheduler ms/task", "client ms/task", "B/task")
    for name, one in result["figures"].items():
        common.row(
            name,
            f"{one['episodes_per_s']:.2f}",
            f"{one['idle']:.1%}",
            f"{one['scheduler_ms_a_task']:.2f}",
            f"{one['client_ms_a_task']:.2f}",
            f"{one['loopback_bytes_a_task']:,.0f}",
        )
    for name, ratio in result["ratios"].items():
        to_reach = TO_REACH["two"] if name.startswith("two") else 1 - TO_REACH["overhead"]
        common.row(name, f"{ratio:.2f} x", f"to reach {to_reach:.2f}")
    for way, more in result["dearer"].items():
        common.row(f"dearer, {way}", f"{more:.1%}")


def main() -> None:
    given = arguments(__file__, __doc__, rounds=3)
    with common.model_directory(given.model) as directory:
        result = measure(directory, given.rounds, given.policies, given.worlds, given.patience)
    show(result)
    write_json(given.json, result)


if __name__ == "__main__":
    run(main)
