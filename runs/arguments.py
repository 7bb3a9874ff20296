"""The types of arguments, and how a script ends when its input is wrong."""

import argparse
import contextlib
import dataclasses
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from runs.following import follow

LARGEST = sys.float_info.max  # of all finite numbers
LARGEST_SEED = 999
HANG_TIMEOUT = 120  # seconds without a sign of life after which a worker process hangs
# Windows cannot wait for more processes at once.
MOST_WORKERS = 61 if sys.platform == "win32" else 4096
PRECISIONS = {  # name → Keras policy
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


class BadInput(ValueError):
    """Something the user gave cannot be used.

    The message is one sentence: what was wrong, in which file or argument, and what to do. What
    is to be made before, and which options may help, is said by name: only the layer of the
    scripts knows who makes it and how it is asked for.
    """

    def __init__(self, sentence: str, *, make: Sequence[str] = (), options: Sequence[str] = ()):
        super().__init__(sentence)
        self.make = make
        self.options = options

    def message(self, makers: Mapping[str, str]) -> str:
        """The sentence of a script, where `makers` names the one that makes each thing."""
        sentence = str(self).removesuffix(".")
        if known := [makers[name] for name in self.make if name in makers]:
            sentence += f"; run {' and '.join(known)}"
        if self.options:
            sentence += f" ({', '.join(flag(name) for name in self.options)})"
        return f"{sentence}."


def flag(name: str) -> str:
    """The flag of an option."""
    return f"--{name.replace('_', '-')}"


@dataclasses.dataclass(frozen=True)
class Numbers:
    """The finite numbers of a kind from `least` (`above`: greater than it) to `most`.

    As an argument's type it reads them from text; `str` says in words which they are.
    """

    kind: type[int] | type[float]
    least: float
    most: float = math.inf
    above: bool = False

    def __contains__(self, value: object) -> bool:
        # True is a whole number to Python, and a whole number is a number to everybody.
        if isinstance(value, bool) or not isinstance(value, int | self.kind):
            return False
        within = self.least < value if self.above else self.least <= value
        return within and value <= (self.most if self.kind is int else min(self.most, LARGEST))

    def __call__(self, text: str) -> float:
        with contextlib.suppress(ValueError):
            if (value := self.kind(text)) in self:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is not {self}")

    def __str__(self) -> str:
        return f"{'a whole number' if self.kind is int else 'a number'} {self.span}"

    @property
    def span(self) -> str:
        """The bounds in words."""
        least = f"{'above' if self.above else 'from'} {self.least:,}"
        if self.most == math.inf:
            return least if self.above else f"{least} up"
        return f"{least} to {self.most:,}"


def whole(least: int, most: float = math.inf) -> Numbers:
    """An argument type: a whole number from `least` to `most`."""
    return Numbers(int, least, most)


def number(least: float, most: float = math.inf, *, above: bool = False) -> Numbers:
    """An argument type: a finite number from `least` (`above`: greater than it) to `most`."""
    return Numbers(float, least, most, above)


def folder(text: str) -> Path:
    """An argument type: a directory that is there or can be made."""
    if complaint := unwritable(Path(text)):
        raise argparse.ArgumentTypeError(complaint)
    return Path(text)


def unwritable(path: Path) -> str | None:
    """Why a path cannot be a directory that is written to, or None if it can.

    A run of hours must not find at its end that its pictures have no place to go.
    """
    if complaint := no_directory(path):
        return complaint
    nearest = _nearest(path)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"{nearest} may not be written to; give another place"
    return None


def no_directory(path: Path) -> str | None:
    """Why a path cannot be a directory, or None if it is one or nothing is in its way."""
    nearest = _nearest(path)
    if nearest.is_symlink() and not nearest.exists():
        return f"{nearest} is a link to nothing; give a directory"
    if not nearest.is_dir():
        return f"{nearest} is a file; give a directory"
    return None


def _nearest(path: Path) -> Path:
    """The path, or of what it lies in the nearest that is there, be it a link to nothing."""
    return next(place for place in (path, *path.absolute().parents) if os.path.lexists(place))


def run(main: Callable[..., None], *given, makers: Mapping[str, str] = {}) -> None:
    """Call a script's `main` with its settings; bad input becomes one sentence and exit code 2."""
    follow()
    try:
        main(*given)
    except BadInput as problem:
        refuse(problem.message(makers))
    except OSError as problem:
        # The machine's refusals: a full disk, a file that may not be written.
        refuse(f"{' '.join(str(problem).split())}.")
    except KeyboardInterrupt:
        print("\nStopped. What is done is kept; give the same command to go on.", file=sys.stderr)
        sys.exit(130)


def refuse(sentence: str) -> NoReturn:
    sys.stdout.flush()
    print(f"{os.path.basename(sys.argv[0])}: {sentence}", file=sys.stderr)
    sys.exit(2)
