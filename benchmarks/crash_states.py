"""What a data directory holds, but for times, and how two of them differ."""

import csv
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np

OF_NO_INTEREST = ("logs", ".lock")
# What times go into, and what follows from them. A checkpoint's archive has a date in it.
TIMES = {"core_hours", "core_seconds", "seconds", "learned", "saves", "checkpoint"}
PICTURES_OF_HOURS = ("_controller_curve.png", "curves.png")
SMALL = 100_000  # bytes
EPISODE = re.compile(r"[0-9]+\.npz")  # recorded, or its latents

_known: dict[tuple, str] = {}  # the digests of large files


def copy(source: Path, target: Path) -> None:
    """Copy a folder with its times; large files, which nobody writes in place, are linked."""

    def one(whole, copied):
        if os.stat(whole).st_size > SMALL:
            os.link(whole, copied)
        else:
            shutil.copy2(whole, copied)

    shutil.copytree(
        source,
        target,
        copy_function=one,
        ignore=lambda _, names: set(names) & set(OF_NO_INTEREST),
    )


def differences(whole: Path, other: Path) -> list[tuple[str, str]]:
    """Names of files and folders, and whether each is "missing", a "stray" or "other" than in
    `whole`."""
    wanted, found = entries(whole), entries(other)
    rows = [(name, "missing") for name in sorted(wanted.keys() - found.keys())]
    rows += [(name, "stray") for name in sorted(found.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        if content(wanted[name]) != content(found[name]):
            rows.append((name, "other"))
    return rows


def entries(folder: Path) -> dict[str, Path]:
    """Files and folders by name."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if not set(path.relative_to(folder).parts) & set(OF_NO_INTEREST)
    }


def stamps(folder: Path) -> dict[str, tuple]:
    """By name what changes when a file is written in place, through whichever of its links."""
    known = {name: path.stat() for name, path in entries(folder).items() if path.is_file()}
    return {name: (at.st_ino, at.st_size, at.st_mtime_ns) for name, at in known.items()}


def over(whole: Path, other: Path) -> dict[str, int]:
    """The episodes that are done, as they are in `whole`: when each was written."""
    wanted = entries(whole)
    return {
        name: path.stat().st_mtime_ns
        for name, path in entries(other).items()
        if EPISODE.fullmatch(path.name)
        and name in wanted
        and content(path) == content(wanted[name])
    }


def redone(whole: Path, other: Path, before: dict[str, int]) -> list[str]:
    """What was done once more though it was over: episodes of `before`, and commits of trainings.

    A commit that a kill prevents is made once, before it or after.
    """
    found, wanted = entries(other), entries(whole)
    episodes = [
        name
        for name, written in before.items()
        if name in found and found[name].stat().st_mtime_ns != written
    ]
    trainings = [
        name
        for name in sorted(found.keys() & wanted.keys())
        if name.endswith(".training.json") and saves(found[name]) > saves(wanted[name])
    ]
    return episodes + trainings


def saves(state: Path) -> int:
    """How often a training was committed."""
    return json.loads(state.read_text())["saves"]


def content(path: Path):
    """What a file says, without the times in it; of a folder nothing."""
    if path.is_dir():
        return None
    if path.name.endswith(PICTURES_OF_HOURS):
        return path.read_bytes()[:4]
    if path.suffix == ".json":
        return timeless(json.loads(path.read_text()))
    if path.suffix == ".csv":
        with open(path, newline="") as file:
            return [timeless(row) for row in csv.DictReader(file)]
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}
    known = path.stat()
    key = known.st_ino, known.st_size, known.st_mtime_ns
    if key not in _known:
        _known[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return _known[key]


def timeless(value):
    if isinstance(value, dict):
        return {name: timeless(v) for name, v in value.items() if name not in TIMES}
    return [timeless(one) for one in value] if isinstance(value, list) else value
