"""What a kill would leave of work that is done in this process, at every moment of it."""

import os
import types
from collections.abc import Callable
from pathlib import Path

import pytest


def kept_states(
    hook: types.ModuleType, folder: Path, states: Path, work: Callable[[Path], object]
) -> list[Path]:
    """Do the work in a folder; copies of that, as it was before each of its files was replaced or
    removed.

    `hook` is `benchmarks/crash/sitecustomize.py`, which copies to the folder `states`.
    """
    states.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hook, "FOLDER", str(folder))
        patched.setattr(hook, "STATES", str(states))
        for name in ("replace", "unlink"):
            patched.setattr(os, name, _keeping(hook, name, getattr(os, name)))
        work(folder)
    return sorted(path for path in states.iterdir() if path.is_dir())


def _keeping(hook: types.ModuleType, name: str, change: Callable) -> Callable:
    def keep_and_change(path, *others, **more):
        # What is replaced is also removed where it lay, if it still lies there.
        if os.path.lexists(path):
            hook.keep_state(name, str(path))
        return change(path, *others, **more)

    return keep_and_change
