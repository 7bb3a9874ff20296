"""The scheduler's side of a large cluster: what each task costs it, and how many it can give out.

    python benchmarks/scheduler.py --workers 256

So many workers, in one process, answer after the time that an episode takes instead of driving.
Scheduler, workers and the process that gives the tasks out share this machine's processors: where
those are busy the figures say how much work there is for each task, and no more how long it takes.
"""

import asyncio
import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from runs.arguments import run, whole
from runs.cluster import ClusterWorkers
from runs.directory import write_json

import command_line
import numpy as np
from loopback import TOP, Loopback, processor_time

PARAMETERS = np.zeros(867)  # of C, which travel with every episode


async def answer(kind: str, alone: bool, pickled: bytes) -> float:
    """In place of `cluster_worker.work`: wait as long as an episode takes."""
    _, (seconds, _) = pickle.loads(pickled)
    await asyncio.sleep(seconds)
    return seconds


class Answering(ClusterWorkers):
    """Workers who do nothing for as long as work would take."""

    _work = staticmethod(answer)


@contextlib.contextmanager
def crowd(cluster: Loopback, count: int, threads: int) -> Iterator[None]:
    """So many workers in a process of their own."""
    script = Path(__file__).with_name("crowd.py")
    command = [sys.executable, str(script), cluster.address, str(count), str(threads)]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"joined\n"
            yield
        finally:
            process.kill()


def simulate(count: int, threads: int, episode_s: float, tasks: int) -> dict:
    """The scheduler's side of a generation of so many tasks, each an episode."""
    lengths = np.random.default_rng(1).uniform(0.2, 1.8, tasks) * episode_s
    with (
        tempfile.TemporaryDirectory() as folder,
        Loopback(Path(folder)) as cluster,
        crowd(cluster, count, threads),
        Answering(cluster.address) as workers,
    ):
        before = processor_time(cluster.scheduler.pid), time.process_time()
        start = time.perf_counter()
        given = ((float(seconds), PARAMETERS) for seconds in lengths)
        done = sum(1 for _ in workers.each(int, given, threads))
        seconds = time.perf_counter() - start
        scheduling = processor_time(cluster.scheduler.pid) - before[0]
        here = time.process_time() - before[1]
    assert done == tasks
    return {
        "workers": count,
        "tasks": tasks,
        "seconds": seconds,
        "tasks_per_s": tasks / seconds,
        "least_seconds": float(max(lengths.sum() / (count * threads), lengths.max())),
        "scheduler_ms_a_task": 1e3 * scheduling / tasks,
        "client_ms_a_task": 1e3 * here / tasks,
    }


def main() -> None:
    parser = command_line.parser(__doc__, __file__)
    command_line.add(parser, "--workers", default=256, help="that answer instead of driving")
    command_line.add(parser, "--worlds", default=36, help="episodes that each of them has at once")
    parser.add_argument(
        "--tasks", type=whole(1), default=20_000, help="each an episode (default: 20,000)"
    )
    command_line.add(parser, "--seconds", default=12.0, help="that an episode takes, on average")
    given = parser.parse_args()
    result = simulate(given.workers, given.worlds, given.seconds, given.tasks)
    for name, value in result.items():
        print(f"{name:<24}{value:>16,.2f}")
    write_json(given.json, result)


if __name__ == "__main__":
    run(main)
