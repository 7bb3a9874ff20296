"""Frames of recorded episodes, streamed: memory does not grow with the number of episodes."""

from pathlib import Path

from envs import rollouts
from runs.training import sized

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
    order = np.random.default_rng(seed).permutation(len(paths))
    names = [str(paths[i]) for i in order]
    frames = tf.data.Dataset.from_tensor_slices(names).interleave(
        _frames_of,
        cycle_length=min(OPEN_EPISODES, len(names)),
        block_length=1,
        num_parallel_calls=2,
        deterministic=True,
    )
    frames = frames.shuffle(SHUFFLED_FRAMES, seed=int(np.random.default_rng(seed).integers(2**31)))
    return frames.batch(batch_size, drop_remainder=count(paths) >= batch_size).prefetch(4)


def in_order(paths: list[Path], batch_size: int) -> tf.data.Dataset:
    """All frames, episode after episode; for validation."""
    names = [str(path) for path in paths]
    frames = tf.data.Dataset.from_tensor_slices(names).flat_map(_frames_of)
    return sized(frames.batch(batch_size).prefetch(4), -(-count(paths) // batch_size))


def count(paths: list[Path]) -> int:
    """The number of frames in all episodes."""
    return sum(map(rollouts.length, paths))


def _frames_of(name: tf.Tensor) -> tf.data.Dataset:
    obs = tf.numpy_function(lambda n: rollouts.read(n.decode()).obs, [name], tf.uint8)
    return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(obs, (None, *rollouts.FRAME)))
