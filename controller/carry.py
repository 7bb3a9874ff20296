"""A C carried over to another M: as it is linear, one least-squares fit does it."""

from pathlib import Path

import rnn
from controller import arch
from rnn import predict, series
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import numpy as np

TOGETHER = 64  # episodes that M reads side by side
RIDGE = 6e-4  # of each number's variance: what M hardly varies must not decide


def carried(before: ModelDirectory, now: ModelDirectory, episodes: list[Path]) -> np.ndarray:
    """The parameters (P,) of a C on the M of `now` that acts as that of `before` does on its own.

    Least squares of the numbers before squashing over all steps of these latent episodes, whoever
    drove them; nothing loads more of them than 64. Raises `BadInput` when the two see through
    different V's, or have one M, or act on z alone, where there is nothing to carry.
    """
    assert episodes
    _refuse_unlike(before, now)
    old, new = rnn.load(before), rnn.load(now)
    policy = arch.load(before, old.latent + old.units).reshape(-1, arch.ACTIONS)
    size = new.latent + new.units + 1
    seen, wanted, steps = np.zeros((size, size)), np.zeros((size, arch.ACTIONS)), 0
    for i in range(0, len(episodes), TOGETHER):
        read = [series.read(path, new.latent) for path in episodes[i : i + TOGETHER]]
        for x_old, x_new in zip(_acted_on(old, read), _acted_on(new, read), strict=True):
            seen += x_new.T @ x_new
            wanted += x_new.T @ (x_old @ policy)
            steps += len(x_new)
    variance = np.diag(seen) / steps - np.square(seen[-1] / steps)
    ridge = np.diag(RIDGE * steps * np.maximum(variance, 0) + 1e-9)
    return np.linalg.solve(seen + ridge, wanted).ravel()


def _refuse_unlike(before: ModelDirectory, now: ModelDirectory) -> None:
    if before.facts("vision")["digest"] != now.facts("vision")["digest"]:
        raise BadInput(
            f"{before.path} and {now.path} see through different V's; a C can be carried over to "
            "another M only."
        )
    for directory in (before, now):
        if arch.seen(directory) != "zh":
            raise BadInput(f"C in {directory.path} sees z alone, whatever M is; nothing to carry.")
    if before.facts("rnn")["digest"] == now.facts("rnn")["digest"]:
        raise BadInput(
            f"{before.path} and {now.path} have the same M, so there is nothing to carry. A C goes "
            "with its M: copy the whole directory before M is trained further, and name the copy."
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
