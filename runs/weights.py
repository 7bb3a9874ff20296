"""Weights of networks in files: written whole, and refused where they do not fit."""

import contextlib
import errno
import warnings
from pathlib import Path

import runs.quiet  # noqa: F401 - before Keras
from runs.arguments import BadInput
from runs.directory import require_file, write_whole

import h5py
import keras
import numpy as np

LEAST_BYTES = 0.5  # of a number: a compressed float16 takes more
MOST_BYTES = 40  # of a number, with all that optimisers keep beside it
MOST_GROUPS = 2_000
OVERHEAD = 1_000_000  # bytes


def save_weights(model: keras.Model, path: Path) -> None:
    """Write a weights file. Raises `OSError`, which names it, when that is not possible."""
    with write_whole(path) as temporary:
        try:
            model.save_weights(temporary)
        except RuntimeError as problem:  # So h5py says that it could not close the file.
            raise OSError(errno.EIO, str(problem).strip().splitlines()[0], str(path)) from None


def load_weights(model: keras.Model, path: Path) -> None:
    """Load a weights file.

    Raises `BadInput` when it is missing, torn, of another shape or not all finite numbers, or when
    it would unpack to much more than the model or read another file.
    """
    require_file(path)
    try:
        _inspect(path, sum(int(np.prod(variable.shape)) for variable in model.weights))
        with warnings.catch_warnings():
            # Keras only warns of a layer that the file lacks and leaves it untrained.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    # A flipped bit makes HDF5 and Keras raise any of a dozen errors.
    except Exception as problem:
        first = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise BadInput(f"{path} does not fit the model ({first}); train it again.") from None
    for variable in model.weights:
        values = np.asarray(variable)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise BadInput(f"{path}: {variable.path} is not all finite numbers; train it again.")


def _inspect(path: Path, numbers: int) -> None:
    """Raise `ValueError` for what no weights file has: links to other files, packed emptiness."""
    with h5py.File(path, "r") as file:
        size, waiting = 0, [file]
        for _ in range(MOST_GROUPS):
            if not waiting:
                return
            group = waiting.pop()
            for name in group:
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise ValueError(f"{group.name}/{name} is a link")
                found = group[name]
                if isinstance(found, h5py.Group):
                    waiting.append(found)
                elif found.is_virtual or found.external:
                    raise ValueError(f"{found.name} lies in another file")
                else:
                    size += found.nbytes
                if size > MOST_BYTES * numbers + OVERHEAD:
                    raise ValueError(f"it would unpack to {size:,} bytes or more")
        raise ValueError(f"it has more than {MOST_GROUPS:,} groups, or they hold each other")


def refuse_larger(path: Path, numbers: int) -> None:
    """Refuse a network of so many numbers, before it is built, whose weights file is too small.

    So a description that somebody else wrote takes no more memory than goes with its file.
    """
    if path.exists() and numbers * LEAST_BYTES > path.stat().st_size + OVERHEAD:
        raise BadInput(
            f"{path} is too small for the network that model.json describes, which has "
            f"{numbers:,} numbers or more."
        )


@contextlib.contextmanager
def buildable(facts: dict):
    """Turn what Keras raises over architecture numbers that no network has into `BadInput`."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as problem:
        if isinstance(problem, BadInput):
            raise
        raise BadInput(
            f"model.json describes a network that cannot be built ({dict(facts)}); train it again."
        ) from None
