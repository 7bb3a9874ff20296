"""What happens in the process of a cluster's worker: it is made ready once, and does tasks.

Nothing but plain values is taken in before the versions were compared (`greet`): what a worker
makes ready, and what it does, travels pickled and is opened when it is needed. `keep` writes files
to the worker's own directory, which goes with it.
"""

import collections
import dataclasses
import os
import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runs import device, preparation, versions
from runs.directory import ModelDirectory
from runs.processes import WITHOUT_GPU
from runs.processors import best_precision, instructions

from distributed import get_worker

MOST = 4  # kinds of work that a worker stays ready for; an agent takes some 100 MB


@dataclasses.dataclass(frozen=True)
class NotReady:
    """The worker at this address knows nothing of this kind of work yet."""

    address: str


class _Kind:
    """A kind of work: made ready by the first task, in its thread, as it may take seconds."""

    def __init__(self, pickled: bytes, directory: Path | None):
        self._pickled = pickled
        self._directory = directory
        self._lock = threading.Lock()
        self._made: tuple = ()
        self._forgotten = False

    def made(self) -> tuple:
        """What was made, in a tuple; an empty one if its files went before."""
        with self._lock:
            if not self._made and not self._forgotten:
                make, arguments = pickle.loads(self._pickled)
                there = () if self._directory is None else (ModelDirectory(self._directory),)
                self._made = (make(*there, *arguments),)
            return self._made

    def forget(self) -> None:
        """Remove its files, though not while they are read."""
        with self._lock:
            self._forgotten = True
            if self._directory is not None:
                shutil.rmtree(self._directory, ignore_errors=True)


_kinds: "collections.OrderedDict[str, _Kind]" = collections.OrderedDict()
_guard = threading.Lock()  # of the above
_turn = threading.Lock()  # of who works alone


def processor() -> str:
    """What results depend on beside the versions: what the processor computes with."""
    return f"{device.vectors_of(instructions())}, {best_precision()}"


def greet(kind: str, dask_worker=None) -> tuple[dict[str, str], str, bool]:
    """The versions of this worker, its processor, and whether it knows this kind of work."""
    os.environ.update(WITHOUT_GPU)
    # It looks at all threads a hundred times a second, also at those that wait for another.
    if (profiler := dask_worker.periodic_callbacks.get("profile")) is not None:
        profiler.stop()
    try:
        ours = versions.here(), processor()
    except OSError as problem:
        raise RuntimeError(str(problem)) from None  # An OSError would be a lost connection.
    with _guard:
        return *ours, kind in _kinds


def keep(kind: str, pickled: bytes, files: dict[str, bytes] | None, dask_worker=None) -> str | None:
    """Be ready for a kind of work: a pickled (make, arguments), and the files of a directory.

    Returns why that is not possible (a full disk), or None.
    """
    with _guard:
        if kind in _kinds:  # Another command was faster; its tasks may be reading the files.
            _kinds.move_to_end(kind)
            return None
    folder = None
    if files is not None:
        folder = Path(dask_worker.local_directory) / "world-models" / kind
        try:
            _write(folder, files)
        except OSError as problem:
            return str(problem)
    with _guard:
        _kinds[kind] = _Kind(pickled, folder)
        old = [_kinds.popitem(last=False)[1] for _ in range(len(_kinds) - MOST)]
    for one in old:
        one.forget()
    return None


def _write(folder: Path, files: dict[str, bytes]) -> None:
    temporary = folder.with_name(f".{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


def work(kind: str, alone: bool, pickled: bytes) -> Any:
    """Do a pickled (function, arguments), with `alone` after all others in this process.

    Returns what the function does; or `NotReady`, where nothing was made ready for it.
    """
    with _guard:
        ready = _kinds.get(kind)
        if ready is None:
            return NotReady(get_worker().address)
        _kinds.move_to_end(kind)
    if not (made := ready.made()):
        return NotReady(get_worker().address)
    with preparation.kept(*made):
        function, arguments = pickle.loads(pickled)
        return _do(function, arguments, alone)


def _do(function: Callable, arguments: tuple, alone: bool) -> Any:
    if not alone:
        return function(*arguments)
    with _turn:
        return function(*arguments)
