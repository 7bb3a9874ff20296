"""Worker processes that drive: candidates × tracks → returns, or whole trajectories."""

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

from controller.agent import Agent
from controller.rollout import (
    UNLIMITED,
    Job,
    Outcome,
    Recorder,
    drive,
    stock_env,
    training_env,
)
from runs.arguments import HANG_TIMEOUT, PRECISIONS, BadInput
from runs.directory import ModelDirectory
from runs.executor import ATTEMPTS, Workers
from runs.processes import Counter, pool

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Counters:
    """How many jobs of a drive have been taken, and how many are finished, by all workers."""

    taken: Counter = dataclasses.field(default_factory=Counter)
    finished: Counter = dataclasses.field(default_factory=Counter)

    def go_on(self) -> "Counters":
        return Counters(self.taken.goes_on(), self.finished.goes_on())


class Fleet:
    """Worker processes that drive jobs with the agent of a model directory.

    Each steps up to `worlds` worlds together and takes the next job whenever one is free, so that
    all finish at about the same time. The outcomes do not depend on who drives what. For `sees`
    see `Agent`, for `hang_timeout` `Workers`.
    """

    def __init__(
        self,
        directory: ModelDirectory,
        precision: str,
        workers: int,
        worlds: int,
        sees: str | None = None,
        hang_timeout: float = HANG_TIMEOUT,
    ):
        self.workers = workers
        self.worlds = worlds
        self._counters = Counters()

        def hire() -> Executor:
            self._counters = self._counters.go_on()
            return pool(workers, prepare, (directory, precision, self._counters, sees))

        self._pool = Workers(hire, hang_timeout)

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *details) -> None:
        self._pool.__exit__(*details)

    def drive(
        self,
        jobs: list[Job],
        patience: int = UNLIMITED,
        stock: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> list[Outcome]:
        """Drive all jobs; outcomes in their order. `progress(n)` hears of n more jobs done.

        Raises `BadInput` when there are jobs that workers die of again and again.
        """
        return self._share_out(_drive_here, jobs, patience, stock, progress=progress)

    def _share_out(self, function: Callable, jobs: list[Job], *arguments, progress=None) -> list:
        """What comes of each job, in their order, by `function(jobs, worlds, *arguments)` in every
        worker, which returns what came of the jobs that it took, by their places."""
        results: dict[int, object] = {}
        fruitless = 0
        while missing := [number for number in range(len(jobs)) if number not in results]:
            # More than one round only if a worker died with the jobs it had taken.
            self._counters.taken.restart()
            self._counters.finished.restart()
            share = [jobs[number] for number in missing]
            tasks = [(share, self.worlds, *arguments)] * min(self.workers, len(share))
            with _reported(lambda: self._counters.finished.taken, progress):
                for _, driven in self._pool.each(function, tasks):
                    results |= {missing[place]: result for place, result in driven.items()}
            fruitless = 0 if results.keys() & set(missing) else fruitless + 1
            if fruitless == ATTEMPTS:
                raise BadInput(
                    f"Worker processes died {ATTEMPTS} times on the same episodes "
                    "(killed, or out of memory?); try fewer worlds or workers.",
                    options=("worlds", "workers"),
                )
        return [results[number] for number in range(len(jobs))]


@contextlib.contextmanager
def _reported(
    finished: Callable[[], int], progress: Callable[[int], None] | None
) -> Iterator[None]:
    """Tell `progress` every second, and at the end, how many more have finished."""
    if progress is None:
        yield
        return
    over = threading.Event()

    def report() -> None:
        told, ended = 0, False
        while not ended:
            ended = over.wait(1)
            now = finished()
            progress(now - told)
            told = now

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        over.set()
        reporter.join()


@dataclasses.dataclass(frozen=True)
class Worker:
    """What a worker process has: its agent, and the counters that it shares with the others."""

    agent: Agent
    counters: Counters

    def drive(
        self, jobs: list[Job], worlds: int, patience: int, recorder: Recorder | None = None, **more
    ) -> Iterator[tuple[int, Outcome]]:
        """`rollout.drive` those of the jobs that no other worker takes."""
        mine = self._take(jobs)
        for driven in drive(self.agent, mine, worlds, patience, recorder=recorder, **more):
            yield driven
            self.counters.finished.take()

    def _take(self, jobs: list[Job]) -> Iterator[tuple[int, Job]]:
        while (number := self.counters.taken.take()) < len(jobs):
            yield number, jobs[number]


_worker: Worker | None = None


def prepare(
    model_directory: ModelDirectory,
    precision: str,
    counters: Counters | None = None,
    sees: str | None = None,
) -> None:
    """Make this process a worker: one thread, the agent loaded once."""
    global _worker
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    agent = Agent(model_directory, PRECISIONS[precision], sees)
    _worker = Worker(agent, counters or Counters())


def here() -> Worker:
    """The worker that this process is."""
    assert _worker is not None, "call prepare first"
    return _worker


def _drive_here(jobs: list[Job], worlds: int, patience: int, stock: bool) -> dict[int, Outcome]:
    make_env = stock_env if stock else training_env
    return dict(here().drive(jobs, worlds, patience, make_env=make_env))
