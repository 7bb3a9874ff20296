"""Files that are not yet whole: their names, and what became of who writes them."""

import functools
import glob
import hashlib
import os
import platform
import re
import secrets
import sys
import time
from pathlib import Path

FORGOTTEN = 24 * 3600  # seconds after which nobody elsewhere writes to a file any more
# Earlier versions named the process alone.
_NAME = re.compile(r"\.(?:([0-9a-f]{8})-)?([0-9]+)(?:-[0-9a-f]{8})?\.(.+)")


def temporary(path: Path) -> Path:
    """A name beside `path` for the file until it is whole, which no other writer has.

    Not in another container either, whose processes have the same numbers. Libraries choose a
    format by the ending, so that stays.
    """
    return path.with_name(f".{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.{path.name}")


def is_half_written(path: Path) -> bool:
    """Whether a file is one that was not whole when its name was given."""
    return _NAME.fullmatch(path.name) is not None


def remove_left(path: Path) -> None:
    """Remove what processes that are no more left half-written of a file."""
    for left in path.parent.glob(f".*.{glob.escape(path.name)}"):
        if _is_left(left, path.name):
            left.unlink(missing_ok=True)


def _is_left(file: Path, name: str) -> bool:
    found = _NAME.fullmatch(file.name)
    if not found or found[3] != name:
        return False
    machine, process = found[1], int(found[2])
    if machine in (None, _machine()):
        return not _runs(process)
    try:  # Who runs elsewhere cannot be known here.
        return time.time() - file.stat().st_mtime > FORGOTTEN
    except FileNotFoundError:
        return False


@functools.cache
def _machine() -> str:
    """Eight hexadecimal digits of this machine, and of this container of processes on it."""
    space = "/proc/self/ns/pid"
    container = os.readlink(space) if os.path.islink(space) else ""
    return hashlib.sha256(f"{platform.node()} {container}".encode()).hexdigest()[:8]


def _runs(process: int) -> bool:
    """Whether there is such a process, or none can say so."""
    if sys.platform == "win32":
        return True  # There this question would end it.
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
