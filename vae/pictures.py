"""Pictures of what V keeps of a frame."""

from collections.abc import Sequence
from pathlib import Path

from envs import rollouts
from runs.directory import write_whole
from runs.plots import save_figure

import cv2
import matplotlib.pyplot as plt
import numpy as np
from imageio import v3 as imageio

MARGIN = 100  # pixels at the left of a strip for the names of its rows
LINE = 18  # pixels from one line of a name to the next


def fixed_frames(paths: list[Path], count: int = 12) -> np.ndarray:
    """Frames spread evenly over episodes and over each episode, (count, 64, 64, 3) uint8."""
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]
    frames = []
    for i in range(count):
        obs = rollouts.read(chosen[i % len(chosen)]).obs
        frames.append(obs[(2 * i + 1) * len(obs) // (2 * count)])
    return np.stack(frames)


def strip(path: Path, rows: list[np.ndarray], scale: int = 2, names: Sequence[str] = ()) -> None:
    """Save rows of frames, each (N, 64, 64, 3) uint8 or float in [0, 1], one above the other.

    With names, one for each row stands at its left, in a margin of MARGIN pixels.
    """
    picture = np.concatenate([np.concatenate(list(to_bytes(row)), axis=1) for row in rows])
    picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    if names:
        height = len(picture) // len(rows)
        margins = [margin(name, height) for name in names]
        picture = np.concatenate([np.concatenate(margins), picture], axis=1)
    with write_whole(path) as beside:
        imageio.imwrite(beside, picture)


def margin(name: str, height: int) -> np.ndarray:
    """A name in black on white, its words below one another: (height, MARGIN, 3) uint8."""
    empty = np.full((height, MARGIN, 3), 255, np.uint8)
    words = name.split()
    top = height // 2 - (len(words) - 1) * LINE // 2
    for line, word in enumerate(words):
        place = 6, top + line * LINE
        style = cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
        cv2.putText(empty, word, place, *style)
    return empty


def labelled(path: Path, rows: dict[str, np.ndarray]) -> None:
    """Save rows of frames as `strip` does, each with its name at its left."""
    columns = len(next(iter(rows.values())))
    figure, axes = plt.subplots(
        len(rows), 1, figsize=(1.0 * columns + 1.6, 1.05 * len(rows)), squeeze=False
    )
    for axis, (name, row) in zip(axes[:, 0], rows.items(), strict=True):
        axis.imshow(np.concatenate(list(to_bytes(row)), axis=1), interpolation="nearest")
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
        axis.set(xticks=[], yticks=[])
    figure.subplots_adjust(hspace=0.04)
    save_figure(figure, path)


def to_bytes(frames) -> np.ndarray:
    """Frames as uint8, from float in [0, 1]; bytes stay as they are."""
    frames = np.asarray(frames)
    if frames.dtype == np.uint8:
        return frames
    return np.round(frames.clip(0, 1) * 255).astype(np.uint8)
