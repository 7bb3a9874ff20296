"""Copies a directory at every moment at which a kill would leave it in another state.

Python imports this module by itself where its folder is on PYTHONPATH, and so does every process
that a command starts. Before a file is renamed or removed in CRASH_FOLDER, all of that is copied
to a folder of CRASH_STATES with the next number: what lies there if the process is killed at this
moment. What is left by one killed a moment later is the next copy, or the end.
"""

import contextlib
import fcntl
import json
import os
import shutil
import sys

CHANGES = ("os.rename", "os.remove", "os.rmdir")
OF_NO_INTEREST = ("logs", ".lock")  # TensorBoard's; who is writing
SMALL = 100_000  # bytes; larger files are never written in place, so a link is a copy of them


def watch(event: str, arguments: tuple) -> None:
    if event == "open":
        path, mode, _ = arguments
        if isinstance(path, str | bytes) and mode and set(mode) & set("wax+"):
            note_in_place(os.path.abspath(os.fsdecode(path)))
    elif event in CHANGES:
        path = absolute(*(arguments[::2] if event == "os.rename" else arguments[:2]))
        if path.startswith(FOLDER + os.sep):
            keep_state(event, path)


def absolute(path, descriptor: int = -1) -> str:
    path = os.fsdecode(path)
    if descriptor >= 0:
        path = os.path.join(os.readlink(f"/proc/self/fd/{descriptor}"), path)
    return os.path.abspath(path)


def note_in_place(path: str) -> None:
    """Write down a file that does not appear whole, under a name that is hidden until then."""
    name = os.path.basename(path)
    if path.startswith(FOLDER + os.sep) and not name.startswith(".") and "/logs/" not in path:
        with locked(), open(os.path.join(STATES, "in-place.txt"), "a") as file:
            file.write(os.path.relpath(path, FOLDER) + "\n")


def keep_state(event: str, path: str) -> None:
    with locked():
        last, now = os.path.join(STATES, "last.json"), fingerprint()
        if os.path.exists(last):
            with open(last) as file:
                if json.load(file) == now:
                    return
        with open(last, "w") as file:
            json.dump(now, file)
        number = sum(name.isdigit() for name in os.listdir(STATES))
        copy(FOLDER, os.path.join(STATES, f"{number:04d}"))
        who = os.path.basename(sys.argv[0]) if sys.argv else "-c"
        row = {"state": number, "by": who, "before": f"{event} {os.path.relpath(path, FOLDER)}"}
        with open(os.path.join(STATES, "states.jsonl"), "a") as file:
            file.write(json.dumps(row) + "\n")


@contextlib.contextmanager
def locked():
    """One process, and one thing, at a time; opening files in here is nothing to be noted."""
    with open(os.path.join(STATES, ".lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fingerprint() -> list:
    """Changes when a file appears, goes or is replaced."""
    found = []
    for folder, folders, files in os.walk(FOLDER):
        folders[:] = sorted(set(folders) - set(OF_NO_INTEREST))
        for name in sorted(set(files) - set(OF_NO_INTEREST)):
            known = os.stat(os.path.join(folder, name))
            found.append([folder, name, known.st_ino, known.st_size, known.st_mtime_ns])
    return found


def copy(source: str, target: str) -> None:
    """Copy a folder with its times; large files are linked."""
    os.makedirs(target)
    for folder, folders, files in os.walk(source):
        folders[:] = set(folders) - set(OF_NO_INTEREST)
        place = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(place, exist_ok=True)
        for name in set(files) - set(OF_NO_INTEREST):
            whole, copied = os.path.join(folder, name), os.path.join(place, name)
            if os.stat(whole).st_size > SMALL:
                os.link(whole, copied)
            else:
                shutil.copy2(whole, copied)


FOLDER, STATES = os.environ.get("CRASH_FOLDER", ""), os.environ.get("CRASH_STATES", "")
if FOLDER and STATES:
    sys.addaudithook(watch)
