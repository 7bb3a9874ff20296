"""Pictures of what V keeps of a frame."""

from pathlib import Path

from envs import rollouts
from runs.directory import write_whole

import numpy as np
from imageio import v3 as imageio


def fixed_frames(paths: list[Path], count: int = 12) -> np.ndarray:
    """Frames spread evenly over episodes and over each episode, (count, 64, 64, 3) uint8."""
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]
    frames = []
    for i in range(count):
        obs = rollouts.read(chosen[i % len(chosen)]).obs
        frames.append(obs[(2 * i + 1) * len(obs) // (2 * count)])
    return np.stack(frames)


def strip(path: Path, rows: list[np.ndarray], scale: int = 2) -> None:
    """Save rows of frames, each (N, 64, 64, 3) uint8 or float in [0, 1], one above the other."""
    picture = np.concatenate([np.concatenate(list(to_bytes(row)), axis=1) for row in rows])
    with write_whole(path) as beside:
        imageio.imwrite(beside, picture.repeat(scale, axis=0).repeat(scale, axis=1))


def to_bytes(frames) -> np.ndarray:
    """Frames as uint8, from float in [0, 1]; bytes stay as they are."""
    frames = np.asarray(frames)
    if frames.dtype == np.uint8:
        return frames
    return np.round(frames.clip(0, 1) * 255).astype(np.uint8)
