"""How jobs are shared out among workers: they take them here, and are given them elsewhere."""

import abc
import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

from controller.agent import Agent
from controller.driving import RolloutFunction
from controller.rollout import Job
from controller.shared_batch import SharedBatch
from runs import device, preparation
from runs.arguments import PRECISIONS, BadInput
from runs.directory import ModelDirectory
from runs.executor import ATTEMPTS, ProcessWorkers, Workers
from runs.preparation import Preparation
from runs.processes import Counter, pool
from runs.workplace import Workplace


class Sharing(abc.ABC):
    """Workers, each of which steps up to `worlds` worlds together."""

    workers: Workers

    def __enter__(self) -> "Sharing":
        self.workers.__enter__()
        return self

    def __exit__(self, *details) -> None:
        self.workers.__exit__(*details)

    @abc.abstractmethod
    def drive(
        self, rollout: RolloutFunction, jobs: list[Job], progress: Callable[[int], None]
    ) -> dict[int, Any]:
        """What is kept of each job, by its place; `progress(n)` hears of n more that are over."""


def of(place: Workplace, directory: ModelDirectory, agent: tuple[str, str], worlds: int) -> Sharing:
    """The sharing for a place of work; `agent`: the precision of the agent, and what it sees."""
    if place.cluster is None:
        return Taking(place, directory, agent, worlds)
    return Giving(place, directory, agent, worlds)


def load(directory: ModelDirectory, precision: str, sees: str) -> Agent:
    """The agent of a worker process, which has one thread.

    Raises `BadInput` where the processor of a worker elsewhere lacks the precision.
    """
    device.precision(precision, device.read_processors())
    device.one_thread()
    return Agent(directory, PRECISIONS[precision], sees)


def preparation_of(
    directory: ModelDirectory, agent: tuple[str, str], make: Callable = load
) -> Preparation:
    """What workers need to drive; `make(directory, *agent)` is what they have then."""
    parts = ("vision", "rnn") if agent[1] == "zh" else ("vision",)
    return Preparation(make, agent, directory, parts)


@dataclasses.dataclass(frozen=True)
class Counters:
    """How many jobs of a drive have been taken, and how many are finished, by all workers."""

    taken: Counter = dataclasses.field(default_factory=Counter)
    finished: Counter = dataclasses.field(default_factory=Counter)

    def go_on(self) -> "Counters":
        return Counters(self.taken.goes_on(), self.finished.goes_on())


class Taking(Sharing):
    """Processes of one machine, which take job after job by counters that they share."""

    def __init__(
        self, place: Workplace, directory: ModelDirectory, agent: tuple[str, str], worlds: int
    ):
        self._worlds = worlds
        self._counters = Counters()

        def hire() -> Executor:
            self._counters = self._counters.go_on()
            return pool(place.workers, prepare, (directory, *agent, self._counters))

        self.workers = ProcessWorkers(hire, place.workers, place.hang_timeout)

    def drive(
        self, rollout: RolloutFunction, jobs: list[Job], progress: Callable[[int], None]
    ) -> dict[int, Any]:
        kept: dict[int, Any] = {}
        fruitless = 0
        while missing := [number for number in range(len(jobs)) if number not in kept]:
            # More than one round only if a worker died with the jobs it had taken.
            self._counters.taken.restart()
            self._counters.finished.restart()
            share = [jobs[number] for number in missing]
            tasks = [(rollout, share, self._worlds)] * min(self.workers.count, len(share))
            with _reported(lambda: self._counters.finished.taken, progress):
                for _, driven in self.workers.each(take_and_drive, tasks):
                    kept |= {missing[place]: one for place, one in driven.items()}
            fruitless = 0 if kept.keys() & set(missing) else fruitless + 1
            if fruitless == ATTEMPTS:
                raise BadInput(
                    f"Worker processes died {ATTEMPTS} times on the same episodes "
                    "(killed, or out of memory?); try fewer worlds or workers.",
                    options=("worlds", "workers"),
                )
        return kept


@contextlib.contextmanager
def _reported(finished: Callable[[], int], progress: Callable[[int], None]) -> Iterator[None]:
    """Tell `progress` every second, and at the end, how many more have finished."""
    over = threading.Event()

    def report() -> None:
        reported, ended = 0, False
        while not ended:
            ended = over.wait(1)
            now = finished()
            progress(now - reported)
            reported = now

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        over.set()
        reporter.join()


@dataclasses.dataclass(frozen=True)
class Taker:
    """What a worker process has: its agent, and the counters that it shares with the others."""

    agent: Agent
    counters: Counters

    def take(self, jobs: list[Job]) -> Iterator[tuple[int, Job]]:
        """Those of the jobs that no other worker takes."""
        while (number := self.counters.taken.take()) < len(jobs):
            yield number, jobs[number]


def prepare(directory: ModelDirectory, precision: str, sees: str, counters: Counters) -> Taker:
    return Taker(load(directory, precision, sees), counters)


def take_and_drive(rollout: RolloutFunction, jobs: list[Job], worlds: int) -> dict[int, Any]:
    """Drive jobs in a worker process; what is kept of those that it took, by their places."""
    taker: Taker = preparation.here()
    kept = {}
    for place, one in rollout(taker.agent, taker.take(jobs), worlds):
        kept[place] = one
        taker.counters.finished.take()
    return kept


class Giving(Sharing):
    """Workers anywhere, who are given jobs a few at a time, as they have room.

    A worker that can do several tasks at once drives the jobs of all of them in one batch.
    """

    def __init__(
        self, place: Workplace, directory: ModelDirectory, agent: tuple[str, str], worlds: int
    ):
        self._worlds = worlds
        self.workers = place.hire(preparation_of(directory, agent, Driver))

    def drive(
        self, rollout: RolloutFunction, jobs: list[Job], progress: Callable[[int], None]
    ) -> dict[int, Any]:
        # One, where a worker can do as many tasks at once as it has worlds.
        size = -(-self._worlds // self.workers.at_once)
        groups = (
            dict(enumerate(jobs[first : first + size], first))
            for first in range(0, len(jobs), size)
        )
        tasks = ((rollout, self._worlds, group) for group in groups)
        kept: dict[int, Any] = {}
        for _, driven in self.workers.each(drive_together, tasks, -(-self._worlds // size)):
            kept |= driven
            progress(len(driven))
        return kept


class Driver:
    """What a worker has whose threads drive together: its agent, a batch for each function."""

    def __init__(self, directory: ModelDirectory, precision: str, sees: str):
        agent, turn = load(directory, precision, sees), threading.Lock()
        self._made = threading.Lock()
        self._batches: dict[tuple[RolloutFunction, int], SharedBatch] = {}
        self._make = lambda rollout, worlds: SharedBatch(agent, rollout, worlds, turn)

    def batch(self, rollout: RolloutFunction, worlds: int) -> SharedBatch:
        with self._made:
            if (rollout, worlds) not in self._batches:
                self._batches[rollout, worlds] = self._make(rollout, worlds)
            return self._batches[rollout, worlds]


def drive_together(rollout: RolloutFunction, worlds: int, jobs: dict[int, Job]) -> dict[int, Any]:
    """Drive jobs in a worker, beside those that its other threads have."""
    driver: Driver = preparation.here()
    kept = driver.batch(rollout, worlds).drive(list(jobs.values()))
    return dict(zip(jobs, kept, strict=True))
