"""How good predicted videos are: PSNR and SSIM of every frame ahead, with intervals.

Dimensions: N stretches of videos, P past and F future frames.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

from rnn.video.sequences import Video
from vae import measures

import numpy as np

RESAMPLED = 2000
COVERED = 95  # per cent, of an interval


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Stretches of one video: frames (N, W + F, 64, 64, 3) uint8, condition (N, W + F, K).

    W are the frames that precede: at least as many as any of those who predict looks at.
    """

    frames: np.ndarray
    condition: np.ndarray

    def parts(self, size: int) -> Iterator["Stretch"]:
        """The same, at most so many stretches at a time."""
        for first in range(0, len(self.frames), size):
            part = slice(first, first + size)
            yield Stretch(self.frames[part], self.condition[part])


def stretches(videos: Sequence[Video], before: int, future: int, every: int) -> Iterator[Stretch]:
    """Of each video the stretches that begin `every` frames apart; none of one that is short."""
    for video in videos:
        if video.length >= before + future:
            yield Stretch(*(_windows(part, before + future, every) for part in video.read()))


def _windows(values: np.ndarray, length: int, every: int) -> np.ndarray:
    """(T, …) → (N, length, …), a view: copies of overlapping stretches would take gigabytes."""
    found = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    return np.moveaxis(found[::every], -1, 1)


def compare(true: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """PSNR in dB and SSIM of each frame: (N, F, 64, 64, 3) in [0, 1] twice → (N, F) each."""
    return {"psnr": psnr(true, predicted), "ssim": _by_frame(measures.ssim, true, predicted)}


def psnr(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """PSNR in dB of each frame: (N, F, 64, 64, 3) in [0, 1] twice → (N, F)."""
    return _by_frame(measures.psnr, true, predicted)


def _by_frame(measure: Callable, *videos: np.ndarray) -> np.ndarray:
    flat = [part.reshape(-1, *part.shape[2:]) for part in videos]
    return measure(*flat).reshape(videos[0].shape[:2])


def best(true: np.ndarray, predictions: Iterable[np.ndarray]) -> np.ndarray:
    """Of some predictions (N, F, 64, 64, 3) the one with the highest mean PSNR, for each stretch.

    Only two are in memory at a time.
    """
    kept, highest = np.empty_like(true), np.full(len(true), -np.inf)
    for frames in predictions:
        mean = psnr(true, frames).mean(axis=1)
        better = mean > highest
        kept[better], highest[better] = frames[better], mean[better]
    return kept


def estimate(videos: Sequence[np.ndarray], seed: int) -> dict[str, list[float]]:
    """The mean at each horizon over all stretches, with a 95 % interval over videos.

    `videos` holds a measure (N, F) for each video. Whole videos are resampled, for neighbouring
    stretches are alike.
    """
    sums = np.stack([values.sum(axis=0) for values in videos])  # (V, F)
    counts = np.array([len(values) for values in videos])
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(videos), np.full(len(videos), 1 / len(videos)), size=RESAMPLED)
    means = drawn @ sums / (drawn @ counts)[:, None]
    tails = (100 - COVERED) / 2
    low, high = np.percentile(means, [tails, 100 - tails], axis=0)
    found = {"mean": sums.sum(axis=0) / counts.sum(), "low": low, "high": high}
    return {name: [float(value) for value in values] for name, values in found.items()}
