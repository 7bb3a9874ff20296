"""Where work runs: processes here, a cluster elsewhere; a dead worker is replaced."""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import multiprocessing.resource_tracker
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from runs.arguments import HANG_TIMEOUT, BadInput

ATTEMPTS = 3
BEAT = 0.5  # seconds between a worker's signs of life
LOOK = 2.0  # seconds of silence at most from one look to the next
# NVIDIA's libraries read the first of these, AMD's either.
WITHOUT_GPU = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1"}


def processes(workers: int, prepare: Callable | None = None, arguments: tuple = ()) -> Executor:
    """Spawned processes that see no GPU, each of which first calls `prepare(*arguments)`.

    Spawned, not forked: TensorFlow does not survive a fork.
    """
    return ProcessPoolExecutor(
        workers, mp_context=_Spawn(), initializer=_begin, initargs=(prepare, arguments)
    )


class _Worker(multiprocessing.context.SpawnProcess):
    """A spawned process that sees no GPU: many workers would fight for the memory of one.

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

    def silent(self) -> float:
        """Seconds for which whoever looks has seen no sign of life; 0 before the first one.

        A look counts for little, so that what stopped both, a machine that slept, is no silence.
        """
        beats, now = self.beats.value, time.monotonic()
        self._silence += min(now - self._looked, LOOK)
        if beats == 0 or beats != self._known:
            self._silence = 0.0
        self._known, self._looked = beats, now
        return self._silence


class _Spawn(multiprocessing.context.SpawnContext):
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
    """A number that processes of this machine count up together; pass it to their `prepare`."""

    def __init__(self):
        self._value = multiprocessing.get_context("spawn").Value("q", 0)

    def restart(self) -> None:
        with self._value.get_lock():
            self._value.value = 0

    def take(self) -> int:
        """The next number, from 0; no two callers get the same."""
        with self._value.get_lock():
            taken = self._value.value
            self._value.value = taken + 1
        return taken

    @property
    def taken(self) -> int:
        """How many numbers have been taken."""
        return self._value.value


class Workers:
    """Workers that do independent tasks and survive the death of one of them.

    `make_executor` makes any `concurrent.futures.Executor`. When it breaks (a worker was killed,
    say for its memory), a new one is made and the tasks without a result are done again; after
    `ATTEMPTS` such deaths in one call `each` raises `BadInput`. A worker process that gives no sign
    of life for `hang_timeout` seconds (it was stopped, or hangs) is killed.
    """

    def __init__(self, make_executor: Callable[[], Executor], hang_timeout: float = HANG_TIMEOUT):
        self._make_executor = make_executor
        self._hang_timeout = hang_timeout
        self._executor: Executor | None = None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind, *_) -> None:
        if self._executor is None:
            return
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None
        if kind is not None:
            # Nobody wants what they have begun any more, and it may take minutes.
            for process in multiprocessing.active_children():
                process.terminate()

    def each(self, function: Callable, tasks: Iterable[tuple]) -> Iterator[tuple[int, Any]]:
        """Yield (index of the task, `function(*task)`) as the results come, in any order."""
        waiting = dict(enumerate(tasks))
        children: list = []
        for _ in range(ATTEMPTS):
            if self._executor is None:
                self._executor = self._make_executor()
            try:
                with _deaf_children():
                    futures = {
                        self._executor.submit(function, *task): index
                        for index, task in waiting.items()
                    }
                children = multiprocessing.active_children()
                for future in self._completed(set(futures)):
                    result = future.result()
                    del waiting[futures[future]]
                    yield futures[future], result
                return
            except BrokenProcessPool:
                print(_who_died(children), file=sys.stderr)
                self._executor.shutdown(wait=False)
                self._executor = None
        raise BadInput(
            f"Worker processes died {ATTEMPTS} times (killed, or out of memory?); try fewer.",
            options=("workers",),
        )

    def _completed(self, futures: set[Future]) -> Iterator[Future]:
        """The futures as they are done; meanwhile an eye on who works at them."""
        while futures:
            done, futures = wait(futures, timeout=1, return_when=FIRST_COMPLETED)
            yield from done
            for child in multiprocessing.active_children():
                if isinstance(child, _Worker) and child.silent() > self._hang_timeout:
                    print(f"Warning: worker process {child.pid} hangs.", file=sys.stderr)
                    child.kill()

    def all(self, function: Callable, tasks: Iterable[tuple]) -> list:
        """The results of all tasks, in their order."""
        results = dict(self.each(function, tasks))
        return [results[index] for index in sorted(results)]


def _who_died(children: list) -> str:
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
