"""A kill before every rename and removal of every script, and the same command once more.

    python benchmarks/crash_sweep.py --work DIR

Each command is run once, small, and what a SIGKILL would leave is copied at every moment at which
that changes (benchmarks/crash/sitecustomize.py). From every copy the same command is given again:
its result must equal that of the run that was never stopped, to the last bit, nothing else may lie
there, and no episode, epoch or generation that was over may be done once more. Only times differ,
and what follows from them: TensorBoard's logs, hours, the curves over hours, and the dates in
archives. The commands that go on, and their workers, are forked from processes that have loaded the
libraries and computed nothing, for on a slow machine loading takes longer than the rest. TensorFlow
computes in one thread: in two it does not always come to the same last bit.

Writes DIR/results.json, and from it benchmarks/crash_sweep.md. A stopped sweep goes on with the
same command; --seconds ends it early, with exit code 3.
"""

import argparse
import collections
import json
import multiprocessing
import os
import runpy
import shutil
import subprocess
import sys
import time
import traceback
from multiprocessing import forkserver
from pathlib import Path

from runs.directory import write_json, write_text

import command_line
import crash_states
from crash_commands import COMMANDS, Command, add_arguments
from measured_on import commit, measured_on

TOP = Path(__file__).resolve().parent.parent
HOOK = TOP / "benchmarks" / "crash"
PATIENCE = 900  # seconds after which a command hangs
OUTCOMES = ("same", "redone", "differs", "refused", "traceback", "hangs", "strays")
# With two, the held-out loss of an epoch now and then differs in its last bit between two runs that
# nobody stopped; weights do not.
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
PAGE = """# A kill before every rename and removal, and the same command once more

    python benchmarks/crash_sweep.py --work DIR

*Same*: the result is that of the run that was never stopped, to the last bit, nothing else lies
there, and nothing that was over was done once more: no episode, no epoch, no generation. TensorFlow
computes in one thread. *Redone*: the same result, but something was. *Strays*: files or folders lie
there that nobody needs. *States* are those that a kill can leave: of `iterate.py` and
`run_recipe.py` all that they make themselves and one in eight of their scripts'.
Tried first are those that a rename has just left, then those in which one is about to come.
"""
Stamps = dict[Path, dict[str, tuple]]  # of folders, as `crash_states.stamps` gives them
REPORT = TOP / "benchmarks" / "crash_sweep.md"


def main() -> None:
    parser = command_line.parser(__doc__)
    add_arguments(parser)
    parser.add_argument(
        "--at-most",
        type=int,
        metavar="N",
        help="states of each command to try, spread over all of them (default: all)",
    )
    parser.add_argument("--again", action="store_true", help="states that are done too")
    given = parser.parse_args()
    results = Results(given.work / "results.json")
    over = sweep(given, results, time.monotonic() + given.seconds)
    results.report(REPORT)
    if not over:
        sys.exit(3)


def sweep(given: argparse.Namespace, results: "Results", until: float) -> bool:
    """Resume from every state of the commands given; whether that was done in time."""
    # First what a rename has just left, of all commands, then with a file that is not yet renamed.
    for not_yet in (False, True):
        for name in given.only:
            command, place = COMMANDS[name], place_of(name, given.work)
            for needed in [*ancestors(command), name]:
                if time.monotonic() > until:
                    return False
                run_whole(COMMANDS[needed], given.work, place_of(needed, given.work))
            results.total(name, len(states(place)), in_place(place))
            for state in thinned(chosen(command, place, not_yet), given.at_most):
                if results.of(name, state["state"]) and not given.again:
                    continue
                if time.monotonic() > until:
                    return False
                found = resume(command, place, state["state"])
                results.add(name, {**state, **found, "commit": commit()})
                print(name, *state.values(), *found.values(), flush=True)
    return True


def place_of(name: str, work: Path) -> Path:
    return work / name.replace(" ", "-")


def ancestors(command: Command) -> list[str]:
    """The commands that come before it, the first one first."""
    if command.after is None:
        return []
    return [*ancestors(COMMANDS[command.after]), command.after]


def run_whole(command: Command, work: Path, place: Path) -> None:
    """Run a command once, never stopped, and keep the states that it went through."""
    if (place / "whole").exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    kept, folder = place / "states", place / "running"
    kept.mkdir(parents=True)
    begin(command, work, folder)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HOOK), os.environ.get("PYTHONPATH", "")]),
        "CRASH_FOLDER": str(folder.resolve()),
        "CRASH_STATES": str(kept.resolve()),
    }
    line = [sys.executable, str(TOP / command.script), *command.arguments]
    began = time.monotonic()
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}:\n{done.stdout}\n{done.stderr}")
    (place / "seconds.txt").write_text(f"{time.monotonic() - began:.1f}\n")
    folder.rename(place / "whole")


def begin(command: Command, work: Path, folder: Path) -> None:
    """What lies there before a command."""
    if command.after is None:
        folder.mkdir()
    else:
        crash_states.copy(place_of(command.after, work) / "whole", folder)
    for name, text in command.files.items():
        (folder / name).write_text(text)


def states(place: Path) -> list[dict]:
    file = place / "states" / "states.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def in_place(place: Path) -> list[str]:
    """The files that did not appear whole."""
    file = place / "states" / "in-place.txt"
    return sorted(set(file.read_text().splitlines())) if file.exists() else []


def chosen(command: Command, place: Path, not_yet: bool) -> list[dict]:
    """The states to resume from: all, or those of the script itself and every so many of others.

    With a file that is not yet renamed, or without.
    """
    return [
        state
        for number, state in enumerate(states(place))
        if (state["by"] == command.script or number % command.every == 0)
        and state["before"].startswith("os.rename") == not_yet
    ]


def thinned(found: list[dict], most: int | None) -> list[dict]:
    """So many of them at most, spread evenly, the first and the last among them."""
    if most is None or len(found) <= most:
        return found
    return [found[round(place * (len(found) - 1) / max(1, most - 1))] for place in range(most)]


def resume(command: Command, place: Path, state: int) -> dict:
    """Give a command once more where a kill left this state."""
    folder, kept = place / "resumed", place / "states" / f"{state:04d}"
    shutil.rmtree(folder, ignore_errors=True)
    crash_states.copy(kept, folder)
    before = crash_states.stamps(kept)
    found = once_more(command, place, folder)
    require_untouched({kept: before})
    return found


def require_untouched(kept: Stamps) -> None:
    """End where a command has written in place to a file that is linked from elsewhere."""
    for folder, before in kept.items():
        now = crash_states.stamps(folder)
        if changed := sorted(name for name in before if now.get(name) != before[name]):
            names = ", ".join(changed)
            sys.exit(f"{folder} was written to from another folder ({names}); remove it.")


def whole_ones(command: Command, place: Path) -> Stamps:
    """What was never stopped, of a command and of those before it: its folders link their files."""
    places = [place, *(place_of(name, place.parent) for name in ancestors(command))]
    return {one / "whole": crash_states.stamps(one / "whole") for one in places}


def once_more(command: Command, place: Path, folder: Path) -> dict:
    """Give a command once more in a folder; how the result compares with the whole one."""
    whole, said = place / "whole", place / "said.txt"
    said.unlink(missing_ok=True)
    before, over = whole_ones(command, place), crash_states.over(whole, folder)
    child = multiprocessing.get_context("fork").Process(
        target=call, args=(command, folder.resolve(), said.resolve())
    )
    child.start()
    child.join(PATIENCE)
    words = " ".join(said.read_text().split()) if said.exists() else ""
    if hangs := child.is_alive():
        child.kill()
        child.join()
    require_untouched(before)
    if hangs:
        return {"outcome": "hangs", "words": words[-500:]}
    if child.exitcode:
        kind = "refused" if child.exitcode == 2 else "traceback"
        return {"outcome": kind, "words": words[-500:]}
    differences = crash_states.differences(whole, folder)
    strays = [name for name, kind in differences if kind == "stray"]
    others = [f"{name} ({kind})" for name, kind in differences if kind != "stray"]
    again = crash_states.redone(whole, folder, over)
    outcome = "differs" if others else "strays" if strays else "redone" if again else "same"
    return {"outcome": outcome, "words": ", ".join(others + strays + again)}


def load_libraries() -> None:
    """Load what the scripts import, once, and start the server of their workers, which has it too.

    Nothing is computed in either process.
    """
    os.environ.update(ONE_THREAD)
    import controller.play  # noqa: F401
    import controller.report.video  # noqa: F401
    import rnn.video.contest  # noqa: F401
    import rnn.video.training  # noqa: F401

    forkserver.set_forkserver_preload(["controller.recording", "controller.policy_gradient.run"])
    forkserver.ensure_running()


def call(command: Command, folder: Path, said: Path) -> None:
    """Be the process of a command whose workers are forked from the server that all share."""
    # It runs, and only its parent may ask for that.
    vars(forkserver._forkserver)["ensure_running"] = lambda: None
    be(command, folder, said)


def be(command: Command, folder: Path, said: Path) -> None:
    """Be the process of a command."""
    os.chdir(folder)
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = [str(TOP / command.script), *command.arguments]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ending:
        os._exit(flushed(ending.code or 0))
    except BaseException:
        traceback.print_exc()
        os._exit(flushed(1))
    os._exit(flushed(0))


def flushed(code):
    """The exit code, once all that was printed is written."""
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def tried_at(rows: list[dict]) -> list[str]:
    """Of rows that were not all tried at the present commit, a line that says at which."""
    commits = {row.get("commit", "an earlier one") for row in rows}
    return [f"Tried at: {', '.join(sorted(commits))}."] if commits - {commit()} else []


class Results:
    """What came of each state, kept after each."""

    def __init__(self, file: Path):
        self.file = file
        self.found = json.loads(file.read_text()) if file.exists() else {}

    def of(self, name: str, state: int) -> dict | None:
        return self.found.get(name, {}).get("states", {}).get(str(state))

    def add(self, name: str, row: dict) -> None:
        self.found.setdefault(name, {}).setdefault("states", {})[str(row["state"])] = row
        write_json(self.file, self.found)

    def total(self, name: str, states: int, in_place: list[str]) -> None:
        self.found.setdefault(name, {}).update(total=states, in_place=in_place)
        write_json(self.file, self.found)

    def report(self, path: Path) -> None:
        """Write what came of all states as a page."""
        head = ["command", "states", "tried", *OUTCOMES]
        rows, sums = [head, ["---"] * len(head)], collections.Counter()
        bad = []
        for name, found in self.found.items():
            tried = list(found.get("states", {}).values())
            counts = collections.Counter(row["outcome"] for row in tried)
            counts.update(states=found.get("total", 0), tried=len(tried))
            sums.update(counts)
            rows.append([name, *(str(counts[column]) for column in head[1:])])
            bad += [
                f"- {name}, before {row['before']}: {row['outcome']}. {row['words']}"
                for row in tried
                if row["outcome"] != "same"
            ]
        rows.append(["all", *(str(sums[column]) for column in head[1:])])
        table = [f"| {' | '.join(row)} |" for row in rows]
        in_place = {file for found in self.found.values() for file in found.get("in_place", [])}
        open_ends = [f"Written in place: {', '.join(sorted(in_place))}."] if in_place else []
        tried = [row for found in self.found.values() for row in found.get("states", {}).values()]
        lines = [PAGE, *table, "", *bad, *open_ends, *tried_at(tried), measured_on()]
        write_text(path, "\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    load_libraries()
    main()
