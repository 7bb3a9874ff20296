"""Kills whole process groups at random moments, and gives the same command once more.

    python benchmarks/random_kills.py --work DIR [--count 100]

Of the commands that the sweep of crashes kills at every write (`crash_sweep.py`, whose folder DIR
may be) one is started, with its workers, in a group of its own, gets a SIGKILL as one at a moment
drawn from the time that it takes, and is given again: its result must equal that of the run that
was never stopped. As there, commands are forked from a process that has loaded the libraries, so
that no kill is spent on loading them. Writes DIR/kills.json, and from it
benchmarks/random_kills.md; a stopped benchmark goes on with the same command.
"""

import collections
import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

from runs.directory import read_json, write_json, write_text

import command_line
import crash_states
import crash_sweep
from crash_commands import COMMANDS, Command, add_arguments
from measured_on import commit, measured_on

REPORT = Path(__file__).with_suffix(".md")
LINGERING = 10  # seconds that killed processes may take to go
PAGE = """# A SIGKILL to a whole process group at a random moment, and the same command once more

    python benchmarks/random_kills.py --work DIR

*Same*: the result is that of the run that was never stopped, to the last bit, nothing else lies
there, and no episode, epoch or generation that was over was done once more. *Redone*: the same
result, but one was. *Too late*: the command had ended when the kill came; these count too.
"""


def main() -> None:
    parser = command_line.parser(__doc__)
    add_arguments(parser)
    command_line.add(parser, "--count", default=100, help="kills in all")
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
    report(found)
    if len(found) < given.count:
        sys.exit(3)


def kill_and_resume(name: str, work: Path, share: float) -> dict:
    """Kill a command after this share of its time; what came of it."""
    command, place = COMMANDS[name], crash_sweep.place_of(name, work)
    for needed in [*crash_sweep.ancestors(command), name]:
        crash_sweep.run_whole(COMMANDS[needed], work, crash_sweep.place_of(needed, work))
    after = share * seconds_of(command, work, place)
    before, began = crash_sweep.whole_ones(command, place), time.monotonic()
    process = start(command, work, place)
    process.join(after)
    took, ended = time.monotonic() - began, not process.is_alive()
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    if ended and process.exitcode == 0:
        # On a machine that has become faster the next kills shall come in time.
        note_seconds(place, took)
    crash_sweep.require_untouched(before)
    found = {"after_s": round(after, 1), "had_ended": ended, "commit": commit()}
    if process.exitcode not in (0, -signal.SIGKILL):
        words = " ".join((place / "killed.txt").read_text().split())
        return found | {"outcome": "traceback", "words": f"before the kill: {words[-500:]}"}
    wait_for_group(process.pid)
    return found | crash_sweep.once_more(command, place, place / "killed")


def wait_for_group(group: int) -> None:
    """Wait until workers and scripts that were killed with their leader are gone, locks and all.

    Ends the benchmark where they are not: what they still write would spoil the next result.
    """
    for _ in range(10 * LINGERING):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    sys.exit(f"Some of process group {group} are there {LINGERING} s after it ended; end them.")


def seconds_of(command: Command, work: Path, place: Path) -> float:
    """How long a command takes that nobody kills."""
    known = place / "forked-seconds.txt"
    if not known.exists():
        began = time.monotonic()
        process = start(command, work, place)
        process.join()
        took = time.monotonic() - began
        if process.exitcode:
            sys.exit(f"{command}:\n{(place / 'killed.txt').read_text()}")
        if differences := crash_states.differences(place / "whole", place / "killed"):
            sys.exit(f"{command} comes to another result each time: {differences}")
        note_seconds(place, took)
    return float(known.read_text())


def note_seconds(place: Path, took: float) -> None:
    (place / "forked-seconds.txt").write_text(f"{took:.1f}\n")


def start(command: Command, work: Path, place: Path) -> multiprocessing.context.ForkProcess:
    """Give a command in `place`/killed, in a process group of its own."""
    folder = place / "killed"
    shutil.rmtree(folder, ignore_errors=True)
    crash_sweep.begin(command, work, folder)
    process = multiprocessing.get_context("fork").Process(
        target=lead, args=(command, folder.resolve(), (place / "killed.txt").resolve())
    )
    process.start()
    with contextlib.suppress(OSError):  # It may have done so itself, or have ended.
        os.setpgid(process.pid, process.pid)
    return process


def lead(command: Command, folder: Path, said: Path) -> None:
    """Be the process of a command that leads a group, the server of its workers in it."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    vars(forkserver._forkserver).update(_forkserver_pid=None)
    crash_sweep.be(command, folder, said)


def report(found: list[dict]) -> None:
    """Write what came of all kills as a page."""
    head = ["command", "kills", "too late", *crash_sweep.OUTCOMES]
    rows, bad = [head, ["---"] * len(head)], []
    for name in [*COMMANDS, "all"]:
        of_it = [row for row in found if name in (row["command"], "all")]
        if not of_it:
            continue
        counts = collections.Counter(row["outcome"] for row in of_it)
        counts["kills"], counts["too late"] = len(of_it), sum(row["had_ended"] for row in of_it)
        rows.append([name, *(str(counts[column]) for column in head[1:])])
    for row in found:
        if row["outcome"] != "same":
            bad.append(
                f"- {row['command']}, after {row['after_s']} s: {row['outcome']}. {row['words']}"
            )
    table = [f"| {' | '.join(row)} |" for row in rows]
    tried = crash_sweep.tried_at(found)
    write_text(REPORT, "\n".join([PAGE, *table, "", *bad, *tried, measured_on()]) + "\n")


if __name__ == "__main__":
    crash_sweep.load_libraries()
    main()
