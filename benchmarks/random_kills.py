"""Kills whole process groups at random moments, and gives the same command once more.

    python benchmarks/random_kills.py --work DIR [--count 100]

Of the commands that the sweep of crashes kills at every write (`crash_sweep.py`, whose folder DIR
may be) one is started, with its workers, in a group of its own, gets a SIGKILL as one at a moment
drawn from the time that it takes, and is given again: its result must equal that of the run that
was never stopped. Writes DIR/kills.json; a stopped benchmark goes on with the same command.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from runs.directory import read_json, write_json

import crash_sweep
from crash_commands import COMMANDS

TOP = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="a folder of gigabytes")
    parser.add_argument("--count", type=int, default=100, help="kills in all (default: 100)")
    parser.add_argument("--only", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after these")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    file, until = given.work / "kills.json", time.monotonic() + given.seconds
    found = read_json(file)["kills"] if file.exists() else []
    while len(found) < given.count and time.monotonic() < until:
        rng = random.Random(len(found))
        name = rng.choice(given.only)
        row = kill_and_resume(name, given.work, rng.random())
        found.append({"command": name, **row})
        write_json(file, {"kills": found})
        print(found[-1], flush=True)
    outcomes = collections.Counter(row["outcome"] for row in found)
    print(f"{len(found)} kills: {dict(outcomes)}")
    if len(found) < given.count:
        sys.exit(3)


def kill_and_resume(name: str, work: Path, share: float) -> dict:
    """Kill a command after this share of its time; what came of it."""
    command, place = COMMANDS[name], crash_sweep.place_of(name, work)
    for needed in [*crash_sweep.ancestors(command), name]:
        crash_sweep.run_whole(COMMANDS[needed], work, crash_sweep.place_of(needed, work))
    seconds = float((place / "seconds.txt").read_text())
    folder = place / "killed"
    shutil.rmtree(folder, ignore_errors=True)
    crash_sweep.begin(command, work, folder)
    process = subprocess.Popen(
        [sys.executable, str(TOP / command.script), *command.arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(share * seconds)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    after = {"after_s": round(share * seconds, 1), "had_ended": ended}
    return after | crash_sweep.once_more(command, place, folder)


if __name__ == "__main__":
    # What the scripts import, loaded once; nothing is computed in this process.
    import controller.play  # noqa: F401
    import controller.report.video  # noqa: F401

    main()
