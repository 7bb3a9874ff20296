"""Videos: an endless GIF, and an MP4 beside it where the extra `video` is installed."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from runs.directory import write_whole

import numpy as np
from imageio import v3 as imageio

MP4 = importlib.util.find_spec("imageio_ffmpeg") is not None  # whether it can be written
LARGEST = 3_000_000  # bytes of a GIF, so that a page with several of them opens at once


def save_video(
    path: Path,
    pictures: Sequence[np.ndarray],
    seconds: float,
    *,
    pause: float = 0,
    largest: int = LARGEST,
) -> None:
    """Write pictures (H, W, 3) uint8, each shown for `seconds`, the last one for `pause` more.

    The GIF has at most `largest` bytes: where it would be larger, pictures are left out, and the
    rest is shown for longer. The MP4 has all pictures and one edge more where H or W is odd; where
    ffmpeg does not run, a sentence says so and the GIF is all there is.
    """
    with write_whole(path) as temporary:
        for every in range(1, len(pictures) + 1):
            shown = np.stack(pictures[::every])
            durations = [1000 * every * seconds] * len(shown)
            durations[-1] += 1000 * pause
            # Of a single picture Pillow wants one number.
            duration = durations if len(shown) > 1 else durations[0]
            imageio.imwrite(temporary, shown, duration=duration, loop=0)
            if temporary.stat().st_size <= largest:
                break
    if MP4:
        waited = [pictures[-1]] * round(pause / seconds)
        _save_mp4(path.with_suffix(".mp4"), np.stack([*pictures, *waited]), seconds)


def _save_mp4(path: Path, video: np.ndarray, seconds: float) -> None:
    try:
        with write_whole(path) as temporary:
            imageio.imwrite(temporary, _even(video), fps=1 / seconds, macro_block_size=2)
    # The library may be there without a program that runs on this machine.
    except (RuntimeError, OSError) as problem:
        reason = str(problem).partition("\n")[0]
        print(
            f"{path} is not written, for ffmpeg does not run ({reason}); the GIF is there.",
            file=sys.stderr,
        )


def _even(video: np.ndarray) -> np.ndarray:
    """A video (T, H, W, 3) with its last row or column twice where their number is odd.

    Players want even numbers of pixels.
    """
    height, width = video.shape[1:3]
    return np.pad(video, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
