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


def batches(paths: list[Path], batch_size: int, seed: tuple[int, int]) -> tf.data.Dataset:
    """One pass over all frames in an order given by `seed`; batches (B, 64, 64, 3) uint8.

    Frames of 16 episodes are interleaved and shuffled in a buffer (about 200 MB together).
    The same seed gives the same batches, so a training can resume at any of them. The last,
    incomplete batch is left out unless it is the only one.
    """
    total = count(paths)

    def generate() -> Iterator[np.ndarray]:
        rng = np.random.default_rng(seed)
        shuffled = _shuffled(_interleaved([paths[i] for i in rng.permutation(len(paths))]), rng)
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


def count(paths: list[Path]) -> int:
    """The number of frames in all episodes."""
    return sum(map(rollouts.length, paths))


def _interleaved(paths: list[Path]) -> Iterator[np.ndarray]:
    """The frames of all episodes, a frame each of OPEN_EPISODES in turn."""
    waiting = iter(paths)
    opened = [_frames(path) for path in itertools.islice(waiting, OPEN_EPISODES)]
    while opened:
        going = []
        for frames in opened:
            frame = next(frames, None)
            if frame is not None:
                yield frame
                going.append(frames)
            elif following := next(waiting, None):
                going.append(_frames(following))
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


def _frames(path: Path) -> Iterator[np.ndarray]:
    yield from rollouts.read(path).obs


def _frames_of(name: tf.Tensor) -> tf.data.Dataset:
    obs = tf.numpy_function(lambda n: rollouts.read(n.decode()).obs, [name], tf.uint8)
    return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(obs, (None, *rollouts.FRAME)))
