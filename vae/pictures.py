"""Pictures of what V keeps of a frame."""

import textwrap
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
LETTERS = 11  # of a line of a name, so that it fits into the margin
LABEL = 20  # pixels above a column or a pane for its name


def fixed_frames(paths: list[Path], count: int = 12) -> np.ndarray:
    """Frames spread evenly over episodes and over each episode, (count, 64, 64, 3) uint8."""
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)]
    frames = []
    for i in range(count):
        obs = rollouts.read(chosen[i % len(chosen)]).obs
        frames.append(obs[(2 * i + 1) * len(obs) // (2 * count)])
    return np.stack(frames)


def strip(
    path: Path,
    rows: list[np.ndarray],
    scale: int = 2,
    names: Sequence[str] = (),
    heads: Sequence[str] = (),
) -> None:
    """Save rows of frames, each (N, 64, 64, 3) uint8 or float in [0, 1], one above the other.

    With names, one for each row stands at its left, in a margin of MARGIN pixels; with heads, one
    for each column above it.
    """
    picture = np.concatenate([np.concatenate(list(to_bytes(row)), axis=1) for row in rows])
    picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    with write_whole(path) as temporary:
        imageio.imwrite(temporary, framed(picture, names, heads))


def framed(picture: np.ndarray, names: Sequence[str], heads: Sequence[str]) -> np.ndarray:
    """A picture (H, W, 3) uint8 with names at the left of its rows and heads above its columns."""
    if heads:
        width = picture.shape[1] // len(heads)
        above = np.concatenate([label(head, width) for head in heads], axis=1)
        picture = np.concatenate([above, picture])
    if names:
        height = (len(picture) - (LABEL if heads else 0)) // len(names)
        margins = [margin(name, height) for name in names]
        corner = [np.full((LABEL, MARGIN, 3), 255, np.uint8)] if heads else []
        picture = np.concatenate([np.concatenate([*corner, *margins]), picture], axis=1)
    return picture


def margin(name: str, height: int) -> np.ndarray:
    """A name in black on white, in as many lines as it needs: (height, MARGIN, 3) uint8."""
    empty = np.full((height, MARGIN, 3), 255, np.uint8)
    lines = textwrap.wrap(name, LETTERS)
    top = height // 2 - (len(lines) - 1) * LINE // 2
    for line, words in enumerate(lines):
        place = 6, top + line * LINE
        style = cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA
        cv2.putText(empty, words, place, *style)
    return empty


def label(words: str, width: int) -> np.ndarray:
    """Words in black on white, in one line: (LABEL, width, 3) uint8."""
    empty = np.full((LABEL, width, 3), 255, np.uint8)
    style = cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA
    cv2.putText(empty, words, (2, 14), *style)
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
