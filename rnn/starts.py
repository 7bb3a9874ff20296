"""Where dreams begin: latents of recorded episodes.

`starts.npz` lies beside M's weights, so that a model directory dreams without the data it was
trained on. A row for every 50th step of each episode: `z` (N, L) float32, the latent of its
frame; `step` (N,) int32; `hits` and `points` (N,) float32, how many of the 50 steps from there
reached a tile and what the tiles were worth; `vision` (N,), the digest of the V that made z.
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
EVERY = 50  # steps between two starts in an episode
PLACES = ("first", "anywhere")


@dataclasses.dataclass(frozen=True)
class Starts:
    """Latents `z` (N, L) float32, and the points `tile` of a step that reaches a tile.

    Now and then a step reaches two tiles at once, so `tile` is a little more than one is worth.
    """

    z: np.ndarray
    tile: float


def write(directory: ModelDirectory, episodes: list[Path], vision: Vision) -> None:
    """Keep the starts of latent episodes in a model directory."""
    rows = [_rows(series.read(path, vision.latent)) for path in episodes]
    z, step, hits, points = (np.concatenate(column) for column in zip(*rows, strict=True))
    save(directory, z, step, hits, points, vision.digest)


def save(directory: ModelDirectory, z, step, hits, points, vision: str) -> None:
    """Write the rows of `starts.npz`; for shapes see the module."""
    numbers = {"z": z, "hits": hits, "points": points}
    arrays = {name: np.asarray(values, np.float32) for name, values in numbers.items()}
    arrays["step"] = np.asarray(step, np.int32)
    arrays["vision"] = np.full(len(z), vision)
    rollouts.write_arrays(path_in(directory), arrays, compress=False)


def read(directory: ModelDirectory, memory: Memory, place: str = "first") -> Starts:
    """The starts of a model directory, where episodes begin ("first") or "anywhere" in them.

    Raises `BadInput` when they are missing or do not fit M.
    """
    if place not in PLACES:
        raise BadInput(f"Dreams start at {place!r}; they can start {' or '.join(PLACES)}.")
    path = path_in(directory)
    if not path.exists():
        raise BadInput(f"{path} does not exist, so no dream can begin; run 04_train_rnn.py.")
    scalar = ((), np.float32)
    vision = ((), np.dtype("<U16"))
    layout = {"z": ((memory.latent,), np.float32), "hits": scalar, "points": scalar}
    layout |= {"step": ((), np.int32), "vision": vision}
    rows = rollouts.read_arrays(path, layout)
    if (rows["vision"] != directory.facts("vision")["digest"]).any():
        raise BadInput(f"{path} was made by another V; run 04_train_rnn.py again.")
    hits = rows["hits"].sum()
    tile = float(rows["points"].sum() / hits) if hits else USUAL_TILE
    return Starts(rows["z"][rows["step"] == 0] if place == "first" else rows["z"], tile)


def path_in(directory: ModelDirectory) -> Path:
    return directory.path / "starts.npz"


def _rows(episode: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    reward = episode["reward"]
    steps = np.arange(0, len(reward), EVERY)
    hit = reward > 0
    points = np.where(hit, reward - STEP_REWARD, 0)
    sums = (np.add.reduceat(values, steps) for values in (hit.astype(int), points))
    return episode["mean"][steps], steps, *sums
