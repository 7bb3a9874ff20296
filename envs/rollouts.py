"""Recorded episodes on disk: written whole, checked when read.

One episode is one `.npz` named by its track's seed: `obs` (T, 64, 64, 3) uint8, `action` (T, 3)
float32, `reward` (T,) float32, `done` (T,) bool. `action[t]` is what was done on seeing `obs[t]`;
`reward[t]` and `done[t]` are what came of it. `done` is true where the world ended the episode
(lap finished, playfield left), not where the recording stopped.
"""

import contextlib
import dataclasses
import hashlib
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from envs import tracks
from runs.arguments import BadInput
from runs.directory import require_file, write_whole

import numpy as np

FRAME = (64, 64, 3)
# Of a compressed recording at most: 1,290 were measured of a random driver, 1,570 of an agent.
BYTES_PER_STEP = 1_700
MOST_BYTES = 2e9  # of a file's arrays
ACTIONS = 3
LAYOUT = {
    "obs": (FRAME, np.uint8),
    "action": ((ACTIONS,), np.float32),
    "reward": ((), np.float32),
    "done": ((), np.bool_),
}


@dataclasses.dataclass(frozen=True)
class Episode:
    """T steps of one episode; see the module for shapes."""

    obs: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    done: np.ndarray

    def __len__(self) -> int:
        return len(self.reward)


def path_of(directory: Path, track: int) -> Path:
    return Path(directory) / f"{track:010d}.npz"


def track_of(path: Path) -> int:
    try:
        return int(Path(path).stem)
    except ValueError:
        raise BadInput(f"{path} is not named by its track's seed; remove it.") from None


def write(path: Path, episode: Episode) -> None:
    write_arrays(path, dataclasses.asdict(episode))


def read(path: Path) -> Episode:
    """Read and check an episode. Raises `BadInput` naming the file and what is wrong."""
    return Episode(**read_arrays(path, LAYOUT))


def paths(directory: Path, skip_damaged: bool = False) -> list[Path]:
    """All episodes in a directory, in the order of their tracks; if asked, but for damaged ones.

    Raises `BadInput` when there are none or one lies on an evaluation track.
    """
    found = sorted(Path(directory).glob("[0-9]*.npz"))
    if not found:
        raise BadInput(f"{directory} holds no episodes.", make=("episodes",))
    tracks.refuse_evaluation(map(track_of, found))
    return whole_ones(found, read) if skip_damaged else found


def whole_ones(found: list[Path], read: Callable[[Path], object]) -> list[Path]:
    """Those of some files that can be read; the others are named, and what is wrong with them.

    Raises `BadInput` when there are no others than those.
    """
    whole = []
    for path in found:
        try:
            read(path)
        except BadInput as problem:
            print(f"Warning: left out: {problem}", file=sys.stderr)
        else:
            whole.append(path)
    if not whole:
        raise BadInput(f"All {len(found)} episodes in {found[0].parent} are damaged.")
    return whole


def split(found: list[Path], held_out: float = 0.1) -> tuple[list[Path], list[Path]]:
    """Episodes to train on and whole episodes held out: every tenth, spread over all policies.

    With one episode only, it serves as both.
    """
    every = max(2, round(1 / held_out))
    validation = found[every - 1 :: every] or found[-1:]
    training = [path for path in found if path not in set(validation)] or found
    return training, validation


def fingerprint(found: list[Path]) -> str:
    """Eight hexadecimal digits that change when an episode is added, removed or replaced."""
    names = "".join(f"{path.name} {path.stat().st_size}\n" for path in found)
    return hashlib.sha256(names.encode()).hexdigest()[:8]


def contents(path: Path) -> str:
    """Eight hexadecimal digits of what an episode's file holds, whatever its name and date.

    Of the checksums in the archive, without a look at the arrays.
    """
    with readable(path), zipfile.ZipFile(path) as archive:
        sums = "".join(f"{member.filename} {member.CRC}\n" for member in archive.infolist())
    return hashlib.sha256(sums.encode()).hexdigest()[:8]


def length(path: Path) -> int:
    """The number of steps of an episode; checks shapes and dtypes without reading the frames."""
    return inspect(path, LAYOUT)


def was_cut(path: Path, steps: int, patience: int) -> bool:
    """Whether an episode has fewer than `steps` steps, and neither the world ended it nor that it
    came to no new tile for `patience` steps: whoever recorded it wanted no more."""
    if length(path) >= steps:
        return False
    ending = read_arrays(path, {name: LAYOUT[name] for name in ("reward", "done")})
    without_tile = len(ending["reward"]) >= patience and (ending["reward"][-patience:] <= 0).all()
    return not (ending["done"][-1] or without_tile)


def write_arrays(path: Path, arrays: dict[str, np.ndarray], *, compress: bool = True) -> None:
    """Write a `.npz` whole.

    Level 1: the frames are flat colours, and higher levels take longer than driving does.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with (
        write_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", method, compresslevel=1) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)


def read_arrays(
    path: str | os.PathLike, layout: dict, later: dict | None = None
) -> dict[str, np.ndarray]:
    """Read the arrays of a layout, {name: (shape of one step, dtype)}, and check them.

    Files of earlier versions may lack those of `later`.
    """
    arrays = {}
    refuse_large(path)
    with readable(path), zipfile.ZipFile(path) as archive:
        there = set(archive.namelist())
        layout = layout | {n: kind for n, kind in (later or {}).items() if f"{n}.npy" in there}
        for name in layout:
            with archive.open(f"{name}.npy") as member:
                arrays[name] = np.lib.format.read_array(member, allow_pickle=False)
    _check(path, layout, {name: (array.shape, array.dtype) for name, array in arrays.items()})
    with readable(path):
        return {name: finite(name, array) for name, array in arrays.items()}


def refuse_large(path: str | os.PathLike) -> None:
    """Raise `BadInput` for a file that unpacks to more than any: a few kilobytes can."""
    with readable(path), zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MOST_BYTES:
        raise BadInput(
            f"{path} would take {size / 1e9:,.1f} GB unpacked, and no episode has more than "
            f"{MOST_BYTES / 1e9:.0f}; remove it."
        )


def inspect(path: str | os.PathLike, layout: dict) -> int:
    """Check a file by the headers of its arrays alone; return its number of steps."""
    headers = {}
    with readable(path), zipfile.ZipFile(path) as archive:
        for name in layout:
            with archive.open(f"{name}.npy") as member:
                np.lib.format.read_magic(member)
                shape, _, dtype = np.lib.format.read_array_header_1_0(member)
                headers[name] = (shape, dtype)
    _check(path, layout, headers)
    return headers[next(iter(layout))][0][0]


@contextlib.contextmanager
def readable(path: str | os.PathLike) -> Iterator[None]:
    """Turn whatever reading a missing or damaged `.npz` raises into a `BadInput`."""
    require_file(path)
    try:
        yield
    except KeyError as missing:
        raise BadInput(
            f"{path} lacks an array ({missing.args[0]}); remove it and make it again."
        ) from None
    # A flipped bit makes zipfile and NumPy raise any of a dozen errors, TokenError among them.
    except Exception as problem:
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise BadInput(f"{path} cannot be read ({reason}); remove it and make it again.") from None


def finite(name: str, array: np.ndarray) -> np.ndarray:
    """The array. Raises `ValueError` when a number in it is none."""
    if array.dtype.kind != "U" and not np.isfinite(array).all():
        raise ValueError(f"{name} is not all finite numbers")
    return array


def _check(path, layout: dict, found: dict[str, tuple]) -> None:
    for name, (step, dtype) in layout.items():
        shape, given = found[name]
        if len(shape) == 0 or shape[1:] != step or given != dtype:
            wanted = ", ".join(["T", *map(str, step)])
            raise BadInput(
                f"{path}: {name} is {shape} {given}, not ({wanted}) {np.dtype(dtype)}; "
                "remove it and make it again."
            )
    lengths = {shape[0] for shape, _ in found.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise BadInput(f"{path}: its arrays are empty or differ in length; remove it.")
