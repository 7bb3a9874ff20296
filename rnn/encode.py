"""Turn recorded episodes into latent ones."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from envs import rollouts
from rnn import series
from settings.memory import TOGETHER
from vae import Vision
from vae.arch import FRAME

import numpy as np
import tensorflow as tf


def episodes(
    vision: Vision, sources: list[Path], folder: Path, batch_size: int = TOGETHER
) -> Iterator[Path]:
    """Encode recorded episodes, each to a file of the same name in `folder`; yields those files.

    While one is encoded, the next is read and decompressed and the one before written.
    """
    encode = tf.function(vision.encoder, input_signature=[tf.TensorSpec((None, *FRAME), tf.uint8)])
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        reading = [reader.submit(rollouts.read, path) for path in sources[:1]]
        writing: list[Future[Path]] = []
        for i, source in enumerate(sources):
            episode = reading.pop().result()
            if i + 1 < len(sources):
                reading.append(reader.submit(rollouts.read, sources[i + 1]))
            latents = _latents(encode, episode.obs, batch_size)
            if writing:
                yield writing.pop().result()
            writing.append(writer.submit(_write, folder / source.name, episode, latents))
        for last in writing:
            yield last.result()


def _write(path: Path, episode: rollouts.Episode, latents: tuple) -> Path:
    series.write(path, episode, *latents)
    return path


def _latents(encode, obs: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and log-variance of all frames: (T, 64, 64, 3) uint8 → (T, L) float32 each."""
    parts = [encode(obs[i : i + batch_size]) for i in range(0, len(obs), batch_size)]
    means, log_variances = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(log_variances)
