"""Processes that work: they see no GPU, never hear of Ctrl-C, and show that they live."""

import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import multiprocessing.process
import multiprocessing.resource_tracker
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from runs import preparation

BEAT = 0.5  # seconds between a worker's signs of life
LOOK = 2.0  # seconds of silence at most from one look to the next
IMPORTS = 5  # times the patience with a worker that has not given its first sign of life
# Elsewhere libraries do not survive a fork even of a process that has only imported them.
FORKING = sys.platform == "linux" and hasattr(os, "fork")
# NVIDIA's libraries read the first of these, AMD's either.
WITHOUT_GPU = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1"}


def pool(workers: int, prepare: Callable | None = None, arguments: tuple = ()) -> Executor:
    """Processes that see no GPU, each of which first calls `prepare(*arguments)`.

    None is forked from this one: TensorFlow does not survive that once it has been used. Where
    it can be they come from a server that has imported what they need, once for all of them, and
    used nothing of it; else each imports it itself.
    """
    context: Any = _Spawning()
    if FORKING and _finds_the_same():
        context = _Forking()
        context.set_forkserver_preload(["__main__", *([prepare.__module__] if prepare else ())])
    return ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(prepare, arguments)
    )


def _finds_the_same() -> bool:
    """Whether a server would import this project; in Python 3.10 it looks where it works first."""
    return sys.version_info >= (3, 11) or Path.cwd().samefile(Path(__file__).parents[1])


class Worker(multiprocessing.process.BaseProcess):
    """A process that sees no GPU: many workers would fight for the memory of one.

    Its environment says so from the start, for it imports the main module, and with that perhaps
    TensorFlow, before any function is called in it. From then on it gives signs of life.
    """

    def start(self) -> None:
        self.beats = multiprocessing.get_context("spawn").RawValue("q", 0)
        self._known = 0  # of the beats
        self._looked = time.monotonic()
        self._silence = 0.0
        # The server of forks knows this process's path by its environment alone, and would look
        # in the working directory before.
        path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"}
        with _environment({**WITHOUT_GPU, **path}):
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


class _Spawned(Worker, multiprocessing.context.SpawnProcess):
    pass


class _Spawning(multiprocessing.context.SpawnContext):
    Process = _Spawned


if FORKING:

    class _Forked(Worker, multiprocessing.context.ForkServerProcess):
        pass

    class _Forking(multiprocessing.context.ForkServerContext):
        Process = _Forked


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
        preparation.keep(prepare(*arguments))


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
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
    assert isinstance(process, Worker)
    while True:
        process.beats.value += 1
        time.sleep(BEAT)


def _leave_with_parent() -> None:
    """End this process when its parent is killed; else it would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def children() -> list[Worker]:
    return [child for child in multiprocessing.active_children() if isinstance(child, Worker)]


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
