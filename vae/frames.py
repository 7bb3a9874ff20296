"""Frames of recorded episodes, streamed: memory does not grow with the number of episodes."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from envs import rollouts
from runs.fitting import sized

import numpy as np
import tensorflow as tf

OPEN_EPISODES = 16
SHUFFLED_FRAMES = 8_000


def batches(
    paths: list[Path], batch_size: int, seed: tuple[int, int], stride: int = 1
) -> tf.data.Dataset:
    """One pass over all frames in an order given by `seed`; batches (B, 64, 64, 3) uint8.

    With a `stride` over one of so many frames of each episode; `seed` says which.

    Frames of 16 episodes are interleaved and shuffled in a buffer (about 200 MB together).
    The same seed gives the same batches, so a training can resume at any of them. The last,
    incomplete batch is left out unless it is the only one.
    """
    total = count(paths, stride)

    def generate() -> Iterator[np.ndarray]:
        rng = np.random.default_rng(seed)
        episodes = [_frames(paths[i], stride, rng) for i in rng.permutation(len(paths))]
        shuffled = _shuffled(_interleaved(episodes), rng)
        size = min(batch_size, total)
        for _ in range(total // size):
            yield np.stack([next(shuffled) for _ in range(size)])

    signature = tf.TensorSpec((None, *rollouts.FRAME), tf.uint8)
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)


def in_order(paths: list[Path], batch_size: int) -> tf.data.Dataset:
    """All frames, episode after episode; for validation."""
    names = [str(path) for path in paths]
    frames = tf.data.Dataset.from_tensor_slices(names).flat_map(_frames_of)
    return sized(frames.batch(batch_size).prefetch(4), -(-count(paths) // batch_size))


def count(paths: list[Path], stride: int = 1) -> int:
    """The number of frames in all episodes, or of those that a pass with this stride visits."""
    return sum(_visited(rollouts.length(path), stride) for path in paths)


def _visited(length: int, stride: int) -> int:
    return max(1, length // stride)


def _interleaved(episodes: list[Iterator[np.ndarray]]) -> Iterator[np.ndarray]:
    """The frames of all episodes, a frame each of OPEN_EPISODES in turn."""
    waiting = iter(episodes)
    opened = list(itertools.islice(waiting, OPEN_EPISODES))
    while opened:
        going = []
        for frames in opened:
            frame = next(frames, None)
            if frame is not None:
                yield frame
                going.append(frames)
            elif following := next(waiting, None):
                going.append(following)
        opened = going


def _shuffled(frames: Iterator[np.ndarray], rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The frames in random order, through a buffer of SHUFFLED_FRAMES.

    The buffer is one array: views of frames would keep their whole episodes in memory.
    """
    buffer = np.empty((SHUFFLED_FRAMES, *rollouts.FRAME), np.uint8)
    filled = 0
    for frame in itertools.islice(frames, len(buffer)):
        buffer[filled] = frame
        filled += 1
    for frame in frames:
        place = rng.integers(filled)
        yield buffer[place].copy()
        buffer[place] = frame
    for place in rng.permutation(filled):
        yield buffer[place]


def _frames(path: Path, stride: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Frames of an episode, which is read when the first is asked for."""
    obs = rollouts.read(path).obs
    visited = _visited(len(obs), stride)
    # No number is drawn where there is nothing to choose: all frames come as they always came.
    spare = len(obs) - (visited - 1) * stride
    first = rng.integers(spare) if spare > 1 else 0
    yield from obs[first::stride][:visited]


def _frames_of(name: tf.Tensor) -> tf.data.Dataset:
    obs = tf.numpy_function(lambda n: rollouts.read(n.decode()).obs, [name], tf.uint8)
    return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(obs, (None, *rollouts.FRAME)))
