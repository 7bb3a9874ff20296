"""What recorded episodes cover of their world: the share of tiles, and how fast the car was.

Recordings hold no speed, but physics is a function of the track and the actions: an episode is
driven again without being rendered, 15 times as fast as it was recorded.
"""

import dataclasses
from pathlib import Path

from envs import rollouts
from envs.unrendered import Unrendered

import numpy as np

FASTEST = 100.0  # world units a second; the car gets hardly beyond
BINS = 20  # of speed
LEAST = 50  # steps, one second, that make a speed count as driven


@dataclasses.dataclass(frozen=True)
class Coverage:
    """`tiles`: mean share of their tracks' tiles that the episodes reached; `speeds` (BINS,):
    steps at each speed, from standing to `FASTEST` in equal bins."""

    tiles: float
    speeds: np.ndarray


def of(episodes: list[Path]) -> Coverage:
    """The coverage of recorded episodes."""
    world = Unrendered()
    tiles, speeds = zip(*(_drive_again(world, path) for path in episodes), strict=True)
    places = np.concatenate(speeds) / FASTEST * BINS
    counts = np.bincount(np.minimum(places.astype(int), BINS - 1), minlength=BINS)
    return Coverage(float(np.mean(tiles)), counts)


def share_of_speeds(speeds: np.ndarray) -> float:
    """The share of speeds that were driven for a second or more."""
    return float((speeds >= LEAST).mean())


def _drive_again(world: Unrendered, path: Path) -> tuple[float, np.ndarray]:
    """The share of tiles reached and the speed at every step, (T,)."""
    _, info = world.reset(seed=rollouts.track_of(path))
    speeds = []
    for action in rollouts.read_arrays(path, {"action": rollouts.LAYOUT["action"]})["action"]:
        *_, info = world.step(action)
        speeds.append(info["speed"])
    return info["lap"], np.array(speeds)
