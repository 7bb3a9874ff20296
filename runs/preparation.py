"""What a worker process makes ready before its first task, and keeps for those that follow."""

import contextlib
import dataclasses
import hashlib
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

from runs import versions
from runs.directory import ModelDirectory


def _nothing() -> None:
    pass


@dataclasses.dataclass(frozen=True)
class Preparation:
    """`make(*arguments)`, or `make(directory, *arguments)` where a model directory is needed.

    Tasks find what it returns by `here`. A worker that does not see this machine's disk gets a
    copy of the directory, with these `parts` of it alone: the rest may change while work goes on.
    """

    make: Callable[..., Any] = _nothing
    arguments: tuple = ()
    directory: ModelDirectory | None = None
    parts: tuple[str, ...] = ()

    @property
    def given(self) -> tuple:
        """What `make` is called with on this machine."""
        return self.arguments if self.directory is None else (self.directory, *self.arguments)

    def packed(self) -> tuple[str, bytes, dict[str, bytes] | None]:
        """What travels to a worker: a name for it by its content, itself, and its files.

        Other versions give another name: who knows it has been compared with them.
        """
        pickled = pickle.dumps((self.make, self.arguments))
        files = None if self.directory is None else self._files(self.directory)
        known_by = json.dumps(versions.here(), sort_keys=True)
        sums = hashlib.sha256(known_by.encode() + pickled)
        for name, content in sorted((files or {}).items()):
            sums.update(f"{name} {len(content)}\n".encode() + content)
        return sums.hexdigest()[:16], pickled, files

    def _files(self, directory: ModelDirectory) -> dict[str, bytes]:
        files = {
            directory.file(part).name: directory.file(part).read_bytes() for part in self.parts
        }
        # Of starts of earlier versions nothing is described.
        known = [part for part in self.parts if part != "starts" or directory.described(part)]
        described = {part: dict(directory.facts(part)) for part in known}
        return files | {directory.model_json.name: json.dumps(described).encode()}


_of_process: Any = None
_of_thread = threading.local()


def keep(made: Any) -> None:
    """Let all tasks of this process find what was made ready for them."""
    global _of_process
    _of_process = made


@contextlib.contextmanager
def kept(made: Any) -> Iterator[None]:
    """Let the task in this thread find it: others may be of another kind."""
    _of_thread.made = made
    try:
        yield
    finally:
        del _of_thread.made


def here() -> Any:
    """What was made ready for the task that this thread does."""
    return getattr(_of_thread, "made", _of_process)
