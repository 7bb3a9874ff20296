"""Tasks on their way to the workers of a cluster: those that wait, and those that one has."""

import collections
import dataclasses
import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import Future


@dataclasses.dataclass
class Flight:
    """A task that was given to a worker."""

    index: int
    pickled: bytes
    worker: str
    future: Future | None = None


class Waiting:
    """Tasks that are to be given out, packed when their turn comes."""

    def __init__(self, function: Callable, tasks: Iterable[tuple]):
        self._function = function
        self._tasks = enumerate(tasks)
        self._again: collections.deque[tuple[int, bytes]] = collections.deque()
        self.over = False  # the last time that one was asked for

    def next(self) -> tuple[int, bytes] | None:
        if self._again:
            return self._again.popleft()
        for index, task in self._tasks:
            return index, pickle.dumps((self._function, task))
        self.over = True
        return None

    def again(self, flight: Flight) -> None:
        self._again.append((flight.index, flight.pickled))
        self.over = False
