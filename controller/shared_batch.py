"""Threads that each bring some jobs, and drive them all together in one batch of worlds."""

import dataclasses
import itertools
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

from controller.agent import Agent
from controller.driving import RolloutFunction
from controller.rollout import Job


class SharedBatch:
    """Drives what any number of threads bring, `worlds` worlds together.

    A batch is as fast as it is full, so a thread's episodes begin as soon as there is room, beside
    those of the others, and it leaves when its own are over. One of the waiting threads drives for
    all; when it leaves, another does.
    """

    def __init__(self, agent: Agent, rollout: RolloutFunction, worlds: int, turn: threading.Lock):
        """`turn` is held while anything drives: others may share the agent."""
        self._agent = agent
        self._rollout = rollout
        self._worlds = worlds
        self._turn = turn
        self._numbers = itertools.count()
        self._waiting: deque[tuple[int, Job]] = deque()
        self._open: set[int] = set()  # jobs that were brought and are not over
        self._kept: dict[int, Any] = {}  # of jobs that are over, until it is taken
        self._driving: Iterator[tuple[int, Any]] | None = None
        self._has_driver = False
        self._changed = threading.Condition(threading.RLock())

    def drive(self, jobs: list[Job]) -> list[Any]:
        """What is kept of each job, in their order."""
        with self._changed:
            mine = [next(self._numbers) for _ in jobs]
            self._open.update(mine)
            self._waiting.extend(zip(mine, jobs, strict=True))
        while not self._are_over(mine):
            self._drive_until_over(mine)
        kept = [self._kept.pop(number) for number in mine]
        for one in kept:
            if isinstance(one, _Failed):
                raise one.error
        return kept

    def _are_over(self, mine: list[int]) -> bool:
        """Wait until these jobs are over, or nobody drives: then this thread must."""
        with self._changed:
            self._changed.wait_for(lambda: self._open.isdisjoint(mine) or not self._has_driver)
            over = self._open.isdisjoint(mine)
            self._has_driver = self._has_driver or not over
            return over

    def _drive_until_over(self, mine: list[int]) -> None:
        """Drive for all until these jobs are over, or it fails for all."""
        try:
            if self._driving is None:
                self._turn.acquire()
                self._driving = self._rollout(self._agent, _Incoming(self._waiting), self._worlds)
            while not self._open.isdisjoint(mine):
                self._is_over(*next(self._driving))
        except BaseException as error:
            with self._changed:
                self._waiting.clear()
                for number in list(self._open):
                    self._is_over(number, _Failed(error))
                self._end()  # Here, for another may bring jobs as soon as the lock is free.
        finally:
            with self._changed:
                if not self._open:
                    self._end()
                self._has_driver = False
                self._changed.notify_all()

    def _is_over(self, number: int, kept: Any) -> None:
        with self._changed:
            self._kept[number] = kept
            self._open.discard(number)
            self._changed.notify_all()

    def _end(self) -> None:
        """Leave the agent to others. Nobody brings jobs meanwhile."""
        if self._driving is not None:
            next(self._driving, None)  # It closes its worlds.
            self._driving = None
            self._turn.release()


@dataclasses.dataclass(frozen=True)
class _Failed:
    """What there is of a job when driving failed."""

    error: BaseException


class _Incoming:
    """Jobs as they come. It has none at times, and is not over then."""

    def __init__(self, waiting: deque):
        self._waiting = waiting

    def __iter__(self) -> "_Incoming":
        return self

    def __next__(self) -> tuple[int, Job]:
        try:
            return self._waiting.popleft()
        except IndexError:
            raise StopIteration from None
