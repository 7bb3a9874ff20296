"""The arguments that several benchmarks take, each declared once.

Nothing heavy is imported: what only runs other programs needs none of it.
"""

import argparse
import math
from pathlib import Path
from typing import Any

from runs.arguments import folder, number, whole

# Of each its type, and what it means where a benchmark says nothing else.
SHARED: dict[str, dict[str, Any]] = {
    "model": {"type": Path, "help": "a model directory with V, M and starts"},
    "--model": {
        "type": folder,
        "metavar": "DIR",
        "help": "the agent's model directory (default: an untrained agent, which is as fast)",
    },
    "--json": {"type": Path, "metavar": "FILE", "help": "where the figures go"},
    "--picture": {"type": Path, "metavar": "FILE", "help": "where the picture goes"},
    "--work": {"type": Path, "required": True, "metavar": "DIR", "help": "a folder of gigabytes"},
    "--rounds": {"type": whole(1), "help": "turns of every contestant"},
    "--seconds": {"type": number(0, above=True), "help": "stop after these"},
    "--count": {"type": whole(1), "help": "how many in all"},
    "--only": {"help": "leave out all others"},
    "--seed": {"type": whole(0), "help": "of everything random"},
    "--tracks": {"type": whole(1, 1000), "help": "validation tracks"},
    "--temperature": {"type": number(0, 100, above=True), "help": "of the dream"},
    "--episodes": {"type": whole(1), "help": "recorded along their tracks"},
    "--steps": {"type": whole(1), "help": "of an episode, at most"},
    "--batch-size": {"type": whole(1), "help": "how many make a batch"},
    "--policies": {"type": whole(1), "help": "of a generation"},
    "--workers": {"type": whole(1), "help": "processes at once"},
    "--worlds": {"type": whole(1), "help": "stepped together"},
}


def parser(
    description: str | None, script: str | None = None, rounds: int | None = None
) -> argparse.ArgumentParser:
    """The parser of a benchmark. With its `script` it writes its figures to a file of that name,
    with `rounds` its contestants take turns."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if rounds is not None:
        add(made, "--rounds", default=rounds)
    if script is not None:
        add(made, "--json", default=Path("benchmarks") / Path(script).with_suffix(".json").name)
    return made


def add(to: argparse.ArgumentParser, name: str, **own: Any) -> None:
    """Add an argument of `SHARED`, with what is this benchmark's own; the help ends with the
    default, where there is one to tell."""
    details = {**SHARED[name], **own}
    default = details.get("default")
    if isinstance(default, int | float | Path) and default != math.inf:
        shown = f"{default:,}" if isinstance(default, int) else f"{default}"
        details["help"] += f" (default: {shown})"
    to.add_argument(name, **details)


def add_episodes(to: argparse.ArgumentParser, episodes: int, steps: int = 400) -> None:
    add(to, "--episodes", default=episodes)
    add(to, "--steps", default=steps)
