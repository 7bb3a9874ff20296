"""Tasks on their way to the workers of a cluster: those that wait, and those that one has."""

import collections
import dataclasses
import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from runs.arguments import BadInput

MOST_DEATHS = 4  # of workers who had the same task


@dataclasses.dataclass
class Flight:
    """A task, with the worker that it was given to last."""

    index: int
    pickled: bytes
    worker: str = ""
    future: Future | None = None
    deaths: int = 0  # of workers who had it

    def lost(self, died: bool) -> None:
        """Take it from its worker. Raises `BadInput` when too many have died of it."""
        assert self.future is not None
        self.future.cancel()
        self.deaths += died
        if self.deaths >= MOST_DEATHS:
            raise deadly(self.worker)


class Waiting:
    """Tasks that are to be given out, packed when their turn comes."""

    def __init__(self, function: Callable, tasks: Iterable[tuple]):
        self._function = function
        self._tasks = enumerate(tasks)
        self._ahead = next(self._tasks, None)
        self._again: collections.deque[Flight] = collections.deque()

    @property
    def over(self) -> bool:
        """Whether all have been given out."""
        return self._ahead is None and not self._again

    def next(self) -> Flight:
        if self._again:
            return self._again.popleft()
        assert self._ahead is not None, "all have been given out"
        index, task = self._ahead
        self._ahead = next(self._tasks, None)
        return Flight(index, pickle.dumps((self._function, task)))

    def again(self, flight: Flight) -> None:
        self._again.append(flight)


def deadly(last: str) -> BadInput:
    """Work that cost too many workers, `last` among them."""
    return BadInput(
        "Workers of the cluster died again and again of the same work (killed, or out of "
        f"memory? {last} was the last); give each more memory.",
        options=("worlds", "cluster"),
    )
