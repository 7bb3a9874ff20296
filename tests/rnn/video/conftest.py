"""Videos that a tiny network learns in a minute: a square that the action moves."""

from collections.abc import Callable
from pathlib import Path

from envs import rollouts
from rnn.video.sequences import ZOOM

import numpy as np
import pytest

SIDE, SPEED = 24, 10  # pixels, pixels a step at most


def moving_square(steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, 64, 64, 3) uint8, and actions (T, 3): how far down and right it moves, and one 0.

    The square leaves at one edge and comes in at the other. It never stands still, so that who
    copies the last frame is always wrong.
    """
    rng = np.random.default_rng(seed)
    action = rng.uniform(0.5, 1, (steps, 3)) * [1, 1, 0]
    moved = np.concatenate([[[0, 0]], SPEED * np.cumsum(action[:, :2], axis=0)[:-1]])
    places = (rng.integers(64, size=2) + moved).astype(int)
    frame = np.full((64, 64, 3), 60, np.uint8)
    frame[:SIDE, :SIDE] = (250, 200, 40)
    frames = np.stack([np.roll(frame, place, axis=(0, 1)) for place in places])
    return frames, action.astype(np.float32)


@pytest.fixture(scope="session")
def square() -> Callable[[int, int], tuple[np.ndarray, np.ndarray]]:
    return moving_square


@pytest.fixture(scope="session")
def squares(tmp_path_factory) -> Path:
    """A data directory with recordings of moving squares, each of 40 frames after the zoom."""
    data = tmp_path_factory.mktemp("squares")
    for track in range(1, 11):
        frames, action = moving_square(ZOOM + 40, track)
        rewards, done = np.zeros(len(frames), np.float32), np.zeros(len(frames), np.bool_)
        episode = rollouts.Episode(frames, action, rewards, done)
        rollouts.write(rollouts.path_of(data / "rollout", track), episode)
    return data
