"""Latent episodes on disk, and batches of them for M.

One file per recorded episode, with the same name: `mean`, `log_variance` (T, L) float32, and the
`action`, `reward` and `done` of the recording. `series.json` beside them says which V made them,
and of which `recordings`.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from envs import rollouts
from runs.arguments import BadInput
from runs.directory import read_json, write_json
from runs.fitting import sized

import numpy as np
import tensorflow as tf

MANIFEST = "series.json"
# The share of stretches, and of dreams, that begin where their episode does: agents begin there,
# and what is seen there, the track from far above, is seen nowhere else.
BEGINNINGS = 0.25


def layout(latent: int) -> dict:
    """The arrays of a file: name → (shape of one step, dtype)."""
    return {
        "mean": ((latent,), np.float32),
        "log_variance": ((latent,), np.float32),
        **{name: rollouts.LAYOUT[name] for name in ("action", "reward", "done")},
    }


def paths(
    directory: Path, latent: int, vision_digest: str, skip_damaged: bool = False
) -> list[Path]:
    """The latent episodes in a directory, checked; if asked, but for damaged ones.

    Raises `BadInput` when there are none, none is longer than a step, or another V than the one
    with this digest made them.
    """
    maker, found = made_by(directory), sorted(directory.glob("[0-9]*.npz"))
    if maker is None or not found:
        raise BadInput(f"{directory} holds no latent episodes.", make=("latents",))
    if maker != vision_digest:
        raise BadInput(
            f"{directory} was made by another V than the model directory's.",
            make=("latents",),
        )
    if skip_damaged:
        found = rollouts.whole_ones(found, lambda path: read(path, latent))
    longest = max(rollouts.inspect(path, layout(latent)) for path in found)
    if longest < 2:
        raise BadInput(f"Every episode in {directory} is one step long; M needs at least two.")
    return found


def made_by(directory: Path) -> str | None:
    """The digest of the V that made the latent episodes in a directory; None if there are none."""
    manifest = directory / MANIFEST
    return read_json(manifest).get("vision", "") if manifest.exists() else None


def refuse_exchanged(directory: Path, recordings: Path) -> None:
    """Raise `BadInput` when a recording is not the one that the latents of its name were made of.

    Earlier versions did not write down of which they were made.
    """
    for name, known in _made_of(directory).items():
        recording = recordings / name
        if recording.exists() and rollouts.contents(recording) != known:
            raise BadInput(
                f"{recording} is not the recording that {directory / name} was made of.",
                make=("latents",),
            )


def prepare(directory: Path, recorded: list[Path], maker: dict) -> list[Path]:
    """Make a directory ready for the latents of recorded episodes; return those it lacks.

    `maker`: the digest of the V (`vision`) and its `precision`. Latents of another V or
    precision, of an episode that is no longer there, or older or another than its recording are
    removed.
    """
    manifest = directory / MANIFEST
    before = read_json(manifest) if manifest.exists() else {}
    same = {name: before.get(name) for name in maker} == maker
    made_of = _made_of(directory)
    sources = {path.name: path for path in recorded}
    held = {path.name: rollouts.contents(path) for path in recorded}
    for path in directory.glob("[0-9]*.npz"):
        source = sources.get(path.name)
        if (
            not same
            or source is None
            or path.stat().st_mtime < source.stat().st_mtime
            or made_of.get(path.name, held[path.name]) != held[path.name]
        ):
            path.unlink()
    write_json(manifest, {**maker, "recordings": held})
    return [path for path in recorded if not (directory / path.name).exists()]


def _made_of(directory: Path) -> dict[str, str]:
    """Of which recordings latents were made: name → `rollouts.contents`."""
    manifest = directory / MANIFEST
    found = read_json(manifest).get("recordings", {}) if manifest.exists() else {}
    if not isinstance(found, dict) or not all(map(_is_name, found)):
        raise BadInput(f"{manifest} does not say what was recorded; remove it.", make=("latents",))
    return found


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[0-9]+\.npz", text) is not None


def bytes_of(recorded: list[Path], latent: int) -> int:
    """What the latents of recorded episodes take on disk."""
    step = sum(
        np.dtype(kind).itemsize * math.prod(shape) for shape, kind in layout(latent).values()
    )
    return step * sum(map(rollouts.length, recorded))


def write(path: Path, episode: rollouts.Episode, mean, log_variance) -> None:
    arrays = {
        "mean": mean,
        "log_variance": log_variance,
        "action": episode.action,
        "reward": episode.reward,
        "done": episode.done,
    }
    # Noise does not compress, and M reads these files for every batch.
    rollouts.write_arrays(path, arrays, compress=False)


def read(path: Path, latent: int) -> dict[str, np.ndarray]:
    return rollouts.read_arrays(path, layout(latent))


def batches(
    found: list[Path], latent: int, batch_size: int, sequence: int, count: int, seed: tuple
) -> tf.data.Dataset:
    """`count` batches of random stretches of random episodes; see `rnn.arch.MDNRNN` for keys.

    Stretches start anywhere in an episode, a quarter of them at its first step, and are `sequence`
    steps long; what an episode lacks is padded and masked. The order follows from `seed`.
    """
    return batches_of(found, latent, batch_size, sequence, count, seed)()


def batches_of(
    found: list[Path], latent: int, batch_size: int, sequence: int, count: int, seed: tuple
) -> Callable[..., tf.data.Dataset]:
    """A function of an epoch's number that gives the batches of its epoch, as `batches` does with
    that number behind the seed.

    It always gives the same data set, which goes by the last number that was asked for: TensorFlow
    keeps the functions of a data set as long as the process lives.
    """
    rng_seed = list(seed)

    def generate() -> Iterator[dict[str, np.ndarray]]:
        rng = np.random.default_rng(rng_seed)
        for _ in range(count):
            chosen = rng.integers(len(found), size=batch_size)
            yield _stack([_stretch(read(found[i], latent), sequence, rng) for i in chosen])

    signature = _signature(latent, sequence)
    generated = tf.data.Dataset.from_generator(generate, output_signature=signature)
    dataset = sized(generated.prefetch(4), count)

    def of(*epoch: int) -> tf.data.Dataset:
        rng_seed[:] = [*seed, *epoch]
        return dataset

    return of


def _stretch(episode: dict, sequence: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    steps = len(episode["reward"])
    start = rng.integers(max(1, steps - sequence + 1)) if rng.random() >= BEGINNINGS else 0
    stop = min(start + sequence, steps)
    used = np.arange(start, stop)

    def padded(values: np.ndarray) -> np.ndarray:
        missing = sequence - len(values)
        return np.pad(values.astype(np.float32), [(0, missing)] + [(0, 0)] * (values.ndim - 1))

    return {
        "mean": padded(episode["mean"][start:stop]),
        "log_variance": padded(episode["log_variance"][start:stop]),
        "action": padded(episode["action"][start:stop]),
        "tile": padded(episode["reward"][start:stop] > 0),
        "done": padded(episode["done"][start:stop]),
        "valid": padded(np.ones(len(used))),
        "following": padded(used + 1 < steps),
    }


def _stack(stretches: list[dict]) -> dict[str, np.ndarray]:
    return {name: np.stack([s[name] for s in stretches]) for name in stretches[0]}


def _signature(latent: int, sequence: int) -> dict[str, tf.TensorSpec]:
    vectors = {"mean": latent, "log_variance": latent, "action": 3}
    signature = {
        name: tf.TensorSpec((None, sequence, size), tf.float32) for name, size in vectors.items()
    }
    for name in ("tile", "done", "valid", "following"):
        signature[name] = tf.TensorSpec((None, sequence), tf.float32)
    return signature
