"""The arguments that all scripts share, and how a script ends when its input is wrong."""

import argparse
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from runs.processors import cores

LARGEST_SEED = 999
# Windows cannot wait for more processes at once.
MOST_WORKERS = 61 if sys.platform == "win32" else 4096
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # name → Keras policy
PRECISIONS = {  # name → Keras policy
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


class BadInput(ValueError):
    """Something the user gave cannot be used.

    The message is one sentence: what was wrong, in which file or argument, and what to do.
    """


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows every default and keeps the description's lines."""


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with one line per error and the defaults in its help."""
    return _Parser(description=description, formatter_class=_Help, allow_abbrev=False)


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=folder,
        default=Path("data"),
        metavar="DIR",
        help="directory of everything generated",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=whole(0, LARGEST_SEED),
        default=1,
        help=f"seed of everything random, 0 to {LARGEST_SEED}",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        type=whole(1, MOST_WORKERS),
        default=min(cores(), MOST_WORKERS),
        help="processes that work at once",
    )


def add_vision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--vision", choices=("vae", "vaegan"), default="vae", help="which V the agent sees with"
    )


def add_res(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--res", type=folder, default=Path("res"), metavar="DIR", help="directory of the pictures"
    )


def add_again(parser: argparse.ArgumentParser) -> None:
    """What to do where a finished training with other settings, or on other data, stands."""
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--refine",
        action="store_true",
        help="train the finished weights further, with these settings and the data there are now",
    )
    again.add_argument(
        "--anew",
        action="store_true",
        help="start over from nothing in place of a training with other settings or data",
    )


def add_precision(parser: argparse.ArgumentParser, *more: str, on: str = "the processor") -> None:
    """`more` of `PRECISIONS` than every script offers; `device.precision` decides what auto is."""
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16", *more),
        default="auto",
        help=f"arithmetic of V's convolutions; auto: the fastest that {on} has natively",
    )


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """An argument type: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < least or (most is not None and value > most):
            span = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {span}")
        return value

    return read


def number(least: float, most: float = math.inf, *, above: bool = False) -> Callable[[str], float]:
    """An argument type: a finite number from `least` (`above`: greater than it) to `most`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and least <= value <= most) or (above and value == least):
            words = f"above {least:g}" if above else f"from {least:g}"
            words += f" to {most:g}" if most < math.inf else ""
            raise argparse.ArgumentTypeError(f"{text!r} is not a number {words}")
        return value

    return read


def folder(text: str) -> Path:
    """An argument type: a directory that is there or can be made.

    A run of hours must not find at its end that its pictures have no place to go.
    """
    path = Path(text)
    nearest = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise argparse.ArgumentTypeError(f"{nearest} is a file; give a directory")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{nearest} may not be written to; give another place")
    return path


def settings(arguments: argparse.Namespace, *names: str) -> dict:
    """The named arguments as a dictionary, to be saved with a result."""
    return {name: getattr(arguments, name) for name in names}


def run(main: Callable[[], None]) -> None:
    """Call a script's `main`; bad input becomes one sentence and exit code 2."""
    try:
        main()
    except BadInput as problem:
        refuse(str(problem))
    except OSError as problem:
        # The machine's refusals: a full disk, a file that may not be written.
        refuse(f"{problem}.")
    except KeyboardInterrupt:
        print("\nStopped. What is done is kept; give the same command to go on.", file=sys.stderr)
        sys.exit(130)


def refuse(sentence: str) -> NoReturn:
    """End the script with a sentence and exit code 2."""
    sys.stdout.flush()
    print(f"{os.path.basename(sys.argv[0])}: {sentence}", file=sys.stderr)
    sys.exit(2)
