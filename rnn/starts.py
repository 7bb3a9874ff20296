"""Where dreams begin: the first latents of recorded episodes.

`starts.npz` lies beside M's weights, so that a model directory dreams without the data it was
trained on. A row for each episode: `z` (N, L) float32, the latent of its first frame; `hits` and
`points` (N,) float32, its steps that reached a tile and what the tiles were worth; `vision` (N,),
the digest of the V that made z.
"""

import dataclasses
from pathlib import Path

from envs import rollouts
from rnn import series
from rnn.saved import Memory
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from vae import Vision

import numpy as np

STEP_REWARD = -0.1  # of every step of CarRacing, whatever it reaches
USUAL_TILE = 1000 / 300  # 1000 points for all tiles of a track, which has 300 on average


@dataclasses.dataclass(frozen=True)
class Starts:
    """First latents `z` (N, L) float32, and the points `tile` of a step that reaches a tile.

    Now and then a step reaches two tiles at once, so `tile` is a little more than one is worth.
    """

    z: np.ndarray
    tile: float


def write(directory: ModelDirectory, episodes: list[Path], vision: Vision) -> None:
    """Keep the starts of latent episodes in a model directory."""
    rows = [_row(series.read(path, vision.latent)) for path in episodes]
    z, hits, points = (np.stack(column) for column in zip(*rows, strict=True))
    save(directory, z, hits, points, vision.digest)


def save(directory: ModelDirectory, z, hits, points, vision: str) -> None:
    """Write the rows of `starts.npz`; for shapes see the module."""
    numbers = {"z": z, "hits": hits, "points": points}
    arrays = {name: np.asarray(values, np.float32) for name, values in numbers.items()}
    arrays["vision"] = np.full(len(z), vision)
    rollouts.write_arrays(path_in(directory), arrays, compress=False)


def read(directory: ModelDirectory, memory: Memory) -> Starts:
    """The starts of a model directory. Raises `BadInput` when they are missing or do not fit M."""
    path = path_in(directory)
    if not path.exists():
        raise BadInput(f"{path} does not exist, so no dream can begin; run 04_train_rnn.py.")
    scalar = ((), np.float32)
    vision = ((), np.dtype("<U16"))
    layout = {"z": ((memory.latent,), np.float32), "hits": scalar, "points": scalar}
    rows = rollouts.read_arrays(path, {**layout, "vision": vision})
    if (rows["vision"] != directory.facts("vision")["digest"]).any():
        raise BadInput(f"{path} was made by another V; run 04_train_rnn.py again.")
    hits = rows["hits"].sum()
    return Starts(rows["z"], float(rows["points"].sum() / hits) if hits else USUAL_TILE)


def path_in(directory: ModelDirectory) -> Path:
    return directory.path / "starts.npz"


def _row(episode: dict[str, np.ndarray]) -> tuple:
    reward = episode["reward"]
    hit = reward > 0
    return episode["mean"][0], hit.sum(), (reward[hit] - STEP_REWARD).sum()
