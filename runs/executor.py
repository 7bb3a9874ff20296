"""Workers that do independent tasks, whoever they are, and those that are processes here."""

import abc
import contextlib
import dataclasses
import functools
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from queue import Empty, SimpleQueue
from typing import Any

from runs.arguments import HANG_TIMEOUT, BadInput
from runs.processes import Worker, children, deaf_children

ATTEMPTS = 3


@dataclasses.dataclass(frozen=True)
class Ended:
    """What became of the task with this number: a result or an error."""

    number: int
    error: BaseException | None
    result: Any = None


def report(ended: SimpleQueue, number: int, future: Future) -> None:
    """Put into a queue what became of a task. For `Future.add_done_callback`."""
    if future.cancelled():
        ended.put(Ended(number, CancelledError()))
        return
    error = future.exception()
    ended.put(Ended(number, error, None if error else future.result()))


class Workers(abc.ABC):
    """Workers that do independent tasks and survive the death of one of them.

    What a dead one had begun is done again. Raises `BadInput` when workers die of a task again and
    again, and when a task fails, with the file that holds the worker's traceback. A worker that
    gives no sign of life for `hang_timeout` seconds (it was stopped, or hangs) counts as dead.
    """

    def __enter__(self):
        return self

    @abc.abstractmethod
    def __exit__(self, kind, *_) -> None: ...

    @property
    @abc.abstractmethod
    def count(self) -> int:
        """How many there are."""

    @property
    @abc.abstractmethod
    def at_once(self) -> int:
        """How many tasks each of them can do at once."""

    @abc.abstractmethod
    def each(
        self, function: Callable, tasks: Iterable[tuple], together: int = 1
    ) -> Iterator[tuple[int, Any]]:
        """Yield (index of the task, `function(*task)`) as the results come, in any order.

        A worker does one task after the other; or up to `together` at once, which see to it that
        they do not get into each other's way.
        """

    def all(self, function: Callable, tasks: Iterable[tuple]) -> list:
        """The results of all tasks, in their order."""
        results = dict(self.each(function, tasks))
        return [results[index] for index in sorted(results)]


class ProcessWorkers(Workers):
    """`count` processes of this machine.

    `make_executor` makes the executor that they work in. When it breaks (a worker was killed, say
    for its memory), a new one is made; after `ATTEMPTS` such deaths in one call `each` gives up.
    """

    at_once = 1

    def __init__(
        self,
        make_executor: Callable[[], Executor],
        count: int = 1,
        hang_timeout: float = HANG_TIMEOUT,
    ):
        self._make_executor = make_executor
        self._count = count
        self._hang_timeout = hang_timeout
        self._executor: Executor | None = None
        self._children: list[Worker] = []  # those that the executor has started

    @property
    def count(self) -> int:
        return self._count

    def __exit__(self, kind, *_) -> None:
        if self._executor is None:
            return
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None
        # After an error nobody wants what they have begun any more, and it may take minutes.
        deadline = time.monotonic() + (self._hang_timeout if kind is None else 0)
        for child in self._children:
            if not wait([child.sentinel], max(0, deadline - time.monotonic())):
                child.kill()  # A stopped one would be waited for at the end of this process.

    def each(
        self, function: Callable, tasks: Iterable[tuple], together: int = 1
    ) -> Iterator[tuple[int, Any]]:
        assert together <= self.at_once, (together, self.at_once)
        waiting = dict(enumerate(tasks))
        for _ in range(ATTEMPTS):
            try:
                for ended in self._ended(self._submit(function, waiting), len(waiting)):
                    if ended.error:
                        raise readable(ended.error)
                    del waiting[ended.number]
                    yield ended.number, ended.result
                return
            except BrokenProcessPool:
                self._dismiss()
        raise BadInput(
            f"Worker processes died {ATTEMPTS} times (killed, or out of memory?); try fewer.",
            options=("workers",),
        )

    def _submit(self, function: Callable, tasks: dict[int, tuple]) -> SimpleQueue:
        """Give the tasks to processes, which are started as they are needed.

        The queue that is returned gets what became of each. This thread never looks at a future
        itself: an interrupt could leave it with a lock that the executor waits for, for ever.
        """
        if self._executor is None:
            self._executor = self._make_executor()
        others = [child for child in children() if child not in self._children]
        ended: SimpleQueue[Ended] = SimpleQueue()
        with deaf_children():
            for index, task in tasks.items():
                future = self._executor.submit(function, *task)
                future.add_done_callback(functools.partial(report, ended, index))
            # In here, for an interrupt is heard as soon as this is over.
            self._children = [child for child in children() if child not in others]
        return ended

    def _dismiss(self) -> None:
        """Say which worker died, and end those of the broken executor that are left."""
        assert self._executor is not None
        print(_who_died(self._children), file=sys.stderr)
        for child in self._children:
            child.kill()  # A stopped one would not hear of the executor's SIGTERM.
        self._executor.shutdown(wait=False)
        self._executor = None
        self._children = []

    def _ended(self, queue: SimpleQueue, tasks: int) -> Iterator[Ended]:
        """What became of the tasks, as they end; meanwhile an eye on who works at them."""
        while tasks:
            try:
                ended = queue.get(timeout=1)
            except Empty:
                pass
            else:
                tasks -= 1
                yield ended
            self._look_after_children()

    def _look_after_children(self) -> None:
        assert self._executor is not None
        if not all(child.is_alive() for child in self._children):
            # The executor may not know yet: it looks at the process that it started last only
            # from the next result or task on.
            with contextlib.suppress(BrokenProcessPool):
                self._executor.submit(int)
        for child in self._children:
            if child.is_alive() and child.hangs(self._hang_timeout):
                print(f"Warning: worker process {child.pid} hangs.", file=sys.stderr)
                child.kill()


def readable(error: BaseException) -> BaseException:
    """What went wrong in a worker as one sentence, if it is none yet; a file tells the rest."""
    if isinstance(error, BadInput | OSError | BrokenProcessPool):
        return error
    with tempfile.NamedTemporaryFile(
        "w", prefix="worker-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        # The worker's own traceback is its cause.
        file.writelines(traceback.format_exception(error))
    first = (str(error).strip().splitlines() or [""])[0]
    return BadInput(
        f"A worker process failed ({type(error).__name__}: {first}); its traceback is in "
        f"{file.name}."
    )


def _who_died(children: list[Worker]) -> str:
    """A warning that names the worker processes that ended by themselves, and how."""
    for _ in range(20):  # Its pipe is closed a moment before one knows how it has ended.
        if ended := [(child.pid, child.exitcode) for child in children if child.exitcode]:
            break
        time.sleep(0.05)
    # Those that were alive still are ended by the executor, with SIGTERM.
    of_themselves = [one for one in ended if one[1] != -signal.SIGTERM] or ended
    named = ", ".join(f"{pid} ({_ending(code)})" for pid, code in of_themselves) or "unknown"
    return f"Warning: a worker process died: {named}. What it had begun is done again."


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
