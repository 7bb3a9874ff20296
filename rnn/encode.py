"""Turn recorded episodes into latent ones."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import vae
from envs import rollouts
from rnn import series
from runs import delivery, device
from runs.arguments import PRECISIONS
from runs.directory import ModelDirectory
from runs.preparation import Preparation, here
from runs.workplace import Workplace
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
    yield from _encoded(_compiled(vision), sources, folder, batch_size)


def _compiled(vision: Vision) -> Callable:
    signature = [tf.TensorSpec((None, *FRAME), tf.uint8)]
    return tf.function(vision.encoder, input_signature=signature)


def _encoded(
    encode: Callable, sources: list[Path], folder: Path, batch_size: int
) -> Iterator[Path]:
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


def episodes_elsewhere(
    place: Workplace,
    preparation: Preparation,
    sources: list[Path],
    folder: Path,
    batch_size: int,
    sees_disk: bool,
) -> Iterator[Path]:
    """As `episodes`, in any order, by workers who are made ready by `preparation_of`.

    Workers that do not see the disk (`sees_disk`) get the recordings, and their latents come back.
    """
    tasks = (
        (source.name, source.absolute() if sees_disk else _whole(source), batch_size)
        for source in sources
    )
    with place.hire(preparation) as workers:
        for index, _ in delivery.each(workers, _encode_one, folder, tasks, sees_disk):
            yield folder / sources[index].name


def _whole(source: Path) -> bytes:
    rollouts.read(source)  # What is wrong with it is said here, where its path means something.
    return source.read_bytes()


def preparation_of(directory: ModelDirectory, precision: str) -> Preparation:
    """What workers need to encode in this precision; `BadInput` where their processor lacks it."""
    return Preparation(_load, (precision,), directory, ("vision",))


def _load(directory: ModelDirectory, precision: str) -> Callable:
    device.precision(precision, device.read_processors())
    device.one_thread()
    return _compiled(vae.load(directory, PRECISIONS[precision]))


def _encode_one(folder: Path, name: str, source: Path | bytes, batch_size: int) -> None:
    """Encode a recording, which lies on a disk that is seen here or has come along."""
    with tempfile.TemporaryDirectory() as temporary:
        if isinstance(source, bytes):
            (Path(temporary) / name).write_bytes(source)
            source = Path(temporary) / name
        list(_encoded(here(), [source], folder, batch_size))


def _write(path: Path, episode: rollouts.Episode, latents: tuple) -> Path:
    series.write(path, episode, *latents)
    return path


def _latents(encode, obs: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and log-variance of all frames: (T, 64, 64, 3) uint8 → (T, L) float32 each."""
    parts = [encode(obs[i : i + batch_size]) for i in range(0, len(obs), batch_size)]
    means, log_variances = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(log_variances)
