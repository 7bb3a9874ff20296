"""Weights of networks in files: written whole, and refused where they do not fit."""

import contextlib
import warnings
from pathlib import Path

import runs.quiet  # noqa: F401 - before Keras
from runs.arguments import BadInput
from runs.directory import write_whole

import keras
import numpy as np

LEAST_BYTES = 0.5  # of a number: a compressed float16 takes more
OVERHEAD = 1_000_000  # bytes


def save_weights(model: keras.Model, path: Path) -> None:
    with write_whole(path) as beside:
        model.save_weights(beside)


def load_weights(model: keras.Model, path: Path) -> None:
    """Load a weights file.

    Raises `BadInput` when it is missing, torn, of another shape or not all finite numbers.
    """
    try:
        with warnings.catch_warnings():
            # Keras only warns of a layer that the file lacks and leaves it untrained.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except (OSError, ValueError, KeyError, UserWarning) as problem:
        first = str(problem).strip().splitlines()[0]
        raise BadInput(f"{path} does not fit the model ({first}); train it again.") from None
    for variable in model.weights:
        values = np.asarray(variable)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise BadInput(f"{path}: {variable.path} is not all finite numbers; train it again.")


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
