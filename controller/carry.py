"""A C carried over to another V and M: as it is linear, one least-squares fit does it."""

import contextlib
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
FRAMES = 64  # frames that V encodes at once
RIDGE = 6e-4  # of each number's variance: what M hardly varies must not decide


def carried(
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
    the two have one M, or one acts on z alone.
    """
    assert episodes
    _refuse_unlike(before, now)
    old, new = rnn.load(before), rnn.load(now)
    policy = arch.load(before, old.latent + old.units).reshape(-1, arch.ACTIONS)
    size = new.latent + new.units + 1
    seen, wanted, steps = np.zeros((size, size)), np.zeros((size, arch.ACTIONS)), 0
    with _seen_by(before, now, episodes, recordings, dtype) as older:
        for i in range(0, len(episodes), TOGETHER):
            some = slice(i, i + TOGETHER)
            pairs = zip(_acted_on(old, older[some]), _acted_on(new, episodes[some]), strict=True)
            for x_old, x_new in pairs:
                seen += x_new.T @ x_new
                wanted += x_new.T @ (x_old @ policy)
                steps += len(x_new)
    variance = np.diag(seen) / steps - np.square(seen[-1] / steps)
    ridge = np.diag(RIDGE * steps * np.maximum(variance, 0) + 1e-9)
    return np.linalg.solve(seen + ridge, wanted).ravel()


def _refuse_unlike(before: ModelDirectory, now: ModelDirectory) -> None:
    for directory in (before, now):
        if arch.seen(directory) != "zh":
            raise BadInput(f"C in {directory.path} sees z alone, whatever M is; nothing to carry.")
    if before.facts("rnn")["digest"] == now.facts("rnn")["digest"]:
        raise BadInput(
            f"{before.path} and {now.path} have the same M, so there is nothing to carry. A C goes "
            "with its M: copy the whole directory before M is trained further, and name the copy."
        )


@contextlib.contextmanager
def _seen_by(before, now, episodes: list[Path], recordings: Path, dtype: str) -> Iterator[list]:
    """These latent episodes of `now` as the V of `before` sees them."""
    if before.facts("vision")["digest"] == now.facts("vision")["digest"]:
        yield episodes
        return
    vision = vae.load(before, dtype)
    sources = [recordings / path.name for path in episodes]
    with tempfile.TemporaryDirectory() as folder:
        yield list(encode.episodes(vision, sources, Path(folder), FRAMES))


def _acted_on(memory: rnn.Memory, latents: list[Path]) -> list[np.ndarray]:
    """[z h 1] (T, F + 1) of every step of each episode."""
    episodes = [series.read(path, memory.latent) for path in latents]
    longest = max(len(episode["mean"]) for episode in episodes)
    z, action = (_padded([e[name] for e in episodes], longest) for name in ("mean", "action"))
    h = predict.remembered(memory, z, action)
    x = np.concatenate([z, h, np.ones((*h.shape[:2], 1))], -1, dtype=np.float64)
    return [row[: len(episode["mean"])] for row, episode in zip(x, episodes, strict=True)]


def _padded(rows: list[np.ndarray], steps: int) -> np.ndarray:
    return np.stack([np.pad(row, [(0, steps - len(row)), (0, 0)]) for row in rows])
