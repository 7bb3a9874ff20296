"""Where work runs: processes here, a cluster elsewhere; a dead worker is replaced."""

import contextlib
import dataclasses
import functools
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import multiprocessing.resource_tracker
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import Empty, SimpleQueue
from typing import Any

from runs.arguments import HANG_TIMEOUT, BadInput

ATTEMPTS = 3
BEAT = 0.5  # seconds between a worker's signs of life
LOOK = 2.0  # seconds of silence at most from one look to the next
IMPORTS = 5  # times the patience with a worker that has not given its first sign of life
FORKED = sys.platform == "linux" and hasattr(os, "fork")  # from a server, else spawned
_BaseContext: Any = type(multiprocessing.get_context("forkserver" if FORKED else "spawn"))
_Process: Any = _BaseContext.Process
# NVIDIA's libraries read the first of these, AMD's either.
WITHOUT_GPU = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1"}


def processes(workers: int, prepare: Callable | None = None, arguments: tuple = ()) -> Executor:
    """Processes that see no GPU, each of which first calls `prepare(*arguments)`.

    None is forked from this one: TensorFlow does not survive that once it has been used. On Linux
    they come from a server that has imported what they need, once for all of them, and used
    nothing of it; elsewhere, where libraries do not survive that either, each imports it itself.
    """
    context = _Context()
    if FORKED and prepare is not None:
        context.set_forkserver_preload(["__main__", prepare.__module__])
    return ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(prepare, arguments)
    )


class _Worker(_Process):
    """A process that sees no GPU: many workers would fight for the memory of one.

    Its environment says so from the start, for it imports the main module, and with that perhaps
    TensorFlow, before any function is called in it. From then on it gives signs of life.
    """

    def start(self) -> None:
        self.beats = multiprocessing.get_context("spawn").RawValue("q", 0)
        self._known = 0  # of the beats
        self._looked = time.monotonic()
        self._silence = 0.0
        with _environment(WITHOUT_GPU):
            super().start()

    def hangs(self, timeout: float) -> bool:
        """Whether who looks has seen no sign of life for `timeout` seconds.

        Importing what it needs may take it much longer than that. A look counts for little, so
        that what stopped both, a machine that slept, is no silence.
        """
        beats, now = self.beats.value, time.monotonic()
        self._silence += min(now - self._looked, LOOK)
        if beats != self._known:
            self._silence = 0.0
        self._known, self._looked = beats, now
        return self._silence > (timeout if beats else IMPORTS * timeout)


class _Context(_BaseContext):
    Process = _Worker


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Processes started in here find these variables in their environment."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin(prepare: Callable | None, arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    threading.Thread(target=_give_signs_of_life, daemon=True).start()
    if prepare is not None:
        prepare(*arguments)


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started in here never hear of Ctrl-C, not even while they import their modules.

    It reaches the whole group, and only the parent decides what it means, once they are started:
    a child cut off from its parent in between would complain. Only for the main thread.
    """
    heard = []
    handler = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        with _blocked_interrupts():
            yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _blocked_interrupts() -> Iterator[None]:
    """A child inherits what is blocked; other threads here may still take the signal.

    Windows blocks none: there children are deaf only once they have begun.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Else the first child starts it, and it unblocks the signal.
    multiprocessing.resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _give_signs_of_life() -> None:
    process = multiprocessing.current_process()
    assert isinstance(process, _Worker)
    while True:
        process.beats.value += 1
        time.sleep(BEAT)


def _leave_with_parent() -> None:
    """End this process when its parent is killed; else it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


class Counter:
    """A number that processes of this machine count up together; pass it to their `prepare`.

    Workers alone take its lock. One that dies may hold it for ever: those that come after it need
    a counter that `goes_on` from there.
    """

    def __init__(self, taken: int = 0):
        self._value = multiprocessing.get_context("spawn").Value("q", taken)

    def goes_on(self) -> "Counter":
        """Another one from the same number on, with a lock of its own."""
        return Counter(self.taken)

    def restart(self) -> None:
        """From 0 again; only while nobody takes any."""
        self._value.get_obj().value = 0

    def take(self) -> int:
        """The next number; no two callers get the same."""
        with self._value.get_lock():
            taken = self._value.value
            self._value.value = taken + 1
        return taken

    @property
    def taken(self) -> int:
        """How many numbers have been taken."""
        return self._value.get_obj().value


@dataclasses.dataclass(frozen=True)
class _Ended:
    """What became of the task at an index: a result or an error."""

    index: int
    error: BaseException | None
    result: Any = None


def _report(ended: SimpleQueue, index: int, future: Future) -> None:
    if not future.cancelled():
        error = future.exception()
        ended.put(_Ended(index, error, None if error else future.result()))


class Workers:
    """Workers that do independent tasks and survive the death of one of them.

    `make_executor` makes any `concurrent.futures.Executor`. When it breaks (a worker was killed,
    say for its memory), a new one is made and the tasks without a result are done again; after
    `ATTEMPTS` such deaths in one call `each` raises `BadInput`, as it does when a task fails, with
    the file that holds the worker's traceback. A worker process that gives no sign of life for
    `hang_timeout` seconds (it was stopped, or hangs) is killed.
    """

    def __init__(self, make_executor: Callable[[], Executor], hang_timeout: float = HANG_TIMEOUT):
        self._make_executor = make_executor
        self._hang_timeout = hang_timeout
        self._executor: Executor | None = None
        self._children: list[_Worker] = []  # those that the executor has started

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind, *_) -> None:
        if self._executor is None:
            return
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None
        if kind is not None:
            # Nobody wants what they have begun any more, and it may take minutes.
            for child in self._children:
                child.terminate()

    def each(self, function: Callable, tasks: Iterable[tuple]) -> Iterator[tuple[int, Any]]:
        """Yield (index of the task, `function(*task)`) as the results come, in any order."""
        waiting = dict(enumerate(tasks))
        for _ in range(ATTEMPTS):
            try:
                for ended in self._ended(self._submit(function, waiting), len(waiting)):
                    if ended.error:
                        raise _readable(ended.error)
                    del waiting[ended.index]
                    yield ended.index, ended.result
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
        others = [child for child in _children() if child not in self._children]
        ended: SimpleQueue[_Ended] = SimpleQueue()
        with _deaf_children():
            for index, task in tasks.items():
                future = self._executor.submit(function, *task)
                future.add_done_callback(functools.partial(_report, ended, index))
            # In here, for an interrupt is heard as soon as this is over.
            self._children = [child for child in _children() if child not in others]
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

    def _ended(self, queue: SimpleQueue, tasks: int) -> Iterator[_Ended]:
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

    def all(self, function: Callable, tasks: Iterable[tuple]) -> list:
        """The results of all tasks, in their order."""
        results = dict(self.each(function, tasks))
        return [results[index] for index in sorted(results)]


def _children() -> list[_Worker]:
    return [child for child in multiprocessing.active_children() if isinstance(child, _Worker)]


def _readable(error: BaseException) -> BaseException:
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


def _who_died(children: list[_Worker]) -> str:
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
