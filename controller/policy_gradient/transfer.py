"""A C transferred to another V and M: as it is linear, one ridge regression does it.

That is policy distillation (Rusu et al. 2016) with a closed form.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import rnn
import vae
from controller import arch
from rnn import encode, predict, series
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import numpy as np

TOGETHER = 64  # episodes that M reads side by side
RIDGE = 6e-4  # of each number's variance: what M hardly varies must not decide


def transferred(
    before: ModelDirectory,
    now: ModelDirectory,
    episodes: list[Path],
    recordings: Path,
    dtype: str = "float32",
) -> np.ndarray:
    """The parameters (P,) of a C on V and M of `now` that acts as that of `before` does on its own.

    Least squares of the numbers before squashing over all steps of these latent episodes of
    `now`, whoever drove them; nothing loads more of them than 64. Where `before` sees with another
    V, that encodes the recordings of the same names, convolving in `dtype`. Raises `BadInput` when
    the two have one M, or one acts on z alone, or a recording is not what the latents were made of.
    """
    assert episodes
    _refuse_unlike(before, now)
    old, new = rnn.load(before), rnn.load(now)
    policy = arch.load(before, old.latent + old.units).reshape(-1, arch.ACTIONS)
    size = new.latent + new.units + 1
    gram, moment, steps = np.zeros((size, size)), np.zeros((size, arch.ACTIONS)), 0
    for older, newer in _seen_by_both(before, now, episodes, recordings, dtype):
        for x_old, x_new in zip(_acted_on(old, older), _acted_on(new, newer), strict=True):
            gram += x_new.T @ x_new
            moment += x_new.T @ (x_old @ policy)
            steps += len(x_new)
    variance = np.diag(gram) / steps - np.square(gram[-1] / steps)
    ridge = np.diag(RIDGE * steps * np.maximum(variance, 0) + 1e-9)
    return np.linalg.solve(gram + ridge, moment).ravel()


def _refuse_unlike(before: ModelDirectory, now: ModelDirectory) -> None:
    for directory in (before, now):
        if arch.policy_inputs(directory) != "zh":
            raise BadInput(
                f"C in {directory.path} sees z alone; only one that sees z and h is transferred."
            )
    if before.facts("rnn")["digest"] == now.facts("rnn")["digest"]:
        raise BadInput(
            f"{before.path} and {now.path} have the same M, so nothing is to be transferred. A C "
            "goes with its M: copy the whole directory before M is trained further, and name the "
            "copy."
        )


def _seen_by_both(
    before: ModelDirectory, now: ModelDirectory, episodes: list[Path], recordings: Path, dtype: str
) -> Iterator[tuple[list[dict], list[dict]]]:
    """The episodes as the V of `before` sees them and as that of `now` does, 64 at a time."""
    latent, digest = (now.facts("vision")[name] for name in ("latent", "digest"))
    other = vae.load(before, dtype) if before.facts("vision")["digest"] != digest else None
    if other:
        series.refuse_exchanged(episodes[0].parent, recordings)
    for i in range(0, len(episodes), TOGETHER):
        some = episodes[i : i + TOGETHER]
        newer = [series.read(path, latent) for path in some]
        older = newer
        if other:
            older = _encoded(other, [recordings / path.name for path in some])
            _refuse_others(older, newer, some, recordings)
        yield older, newer


def _encoded(vision: vae.Vision, recordings: list[Path]) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        made = encode.episodes(vision, recordings, Path(folder))
        return [series.read(path, vision.latent) for path in made]


def _refuse_others(older: list[dict], newer: list[dict], episodes: list[Path], recordings: Path):
    for one, other, path in zip(older, newer, episodes, strict=True):
        if not np.array_equal(one["action"], other["action"]):
            raise BadInput(
                f"{path} was not made of what {recordings / path.name} is now.",
                make=("latents",),
            )


def _acted_on(memory: rnn.Memory, episodes: list[dict]) -> list[np.ndarray]:
    """[z h 1] (T, F + 1) of every step of each episode."""
    longest = max(len(episode["mean"]) for episode in episodes)
    z, action = (_padded([e[name] for e in episodes], longest) for name in ("mean", "action"))
    h = predict.remembered(memory, z, action)
    x = np.concatenate([z, h, np.ones((*h.shape[:2], 1))], -1, dtype=np.float64)
    return [row[: len(episode["mean"])] for row, episode in zip(x, episodes, strict=True)]


def _padded(rows: list[np.ndarray], steps: int) -> np.ndarray:
    return np.stack([np.pad(row, [(0, steps - len(row)), (0, 0)]) for row in rows])
