"""How true M's expectations are: pixels of open-loop predictions, calibration of the heads."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from envs import rollouts
from rnn import arch, predict, series
from rnn.saved import Memory
from runs.arguments import BadInput
from vae import Vision, measures
from vae.arch import to_unit

import numpy as np
import tensorflow as tf

WARM_UP = 10  # true frames that M sees before it is left to itself
HORIZONS = (1, 5, 10, 20)  # frames ahead
LENGTH = WARM_UP + max(HORIZONS)  # steps of a stretch
EVERY = 60  # steps between the stretches of an episode that are predicted
TOGETHER = 32  # episodes that M reads side by side
AFTER_ZOOM = 50  # the camera comes down in the first second; what it shows then is not driving


@dataclasses.dataclass(frozen=True)
class OpenLoop:
    """PSNR in dB at each of `HORIZONS`, means over all stretches.

    last: of the last frame that M saw, the floor. model: of M's expectation, decoded. ceiling: of
    decode(encode(frame)), the most that this V can show.
    """

    stretches: int
    last: list[float]
    model: list[float]
    ceiling: list[float]


def open_loop(vision: Vision, memory: Memory, episodes: list[tuple[Path, Path]]) -> OpenLoop:
    """Predict 20 frames on from 10, every 60 steps of each (recording, latents).

    Raises `BadInput` when no episode is long enough for that.
    """
    found = [
        _score(vision, memory, obs, z, action)
        for recording, latents in episodes
        for obs, z, action in _stretches(recording, latents, vision.latent)
    ]
    if not found:
        raise BadInput(
            f"None of the {len(episodes)} episodes held out has the {AFTER_ZOOM + LENGTH} steps "
            "that the predictions need; record longer ones."
        )
    last, model, ceiling = (np.concatenate(part, axis=1) for part in zip(*found, strict=True))
    means = [[float(value) for value in part.mean(1)] for part in (last, model, ceiling)]
    return OpenLoop(last.shape[1], *means)


def _stretches(recording: Path, latents: Path, latent: int) -> Iterator[tuple]:
    """All stretches of an episode: frames, z and actions (N, 30, ...); nothing if it is short."""
    obs = rollouts.read(recording).obs
    episode = series.read(latents, latent)
    starts = np.arange(AFTER_ZOOM, len(obs) - LENGTH + 1, EVERY)
    if len(starts):
        steps = starts[:, None] + np.arange(LENGTH)
        yield obs[steps], episode["mean"][steps], episode["action"][steps]


def _score(vision, memory, obs, z, action) -> np.ndarray:
    """PSNRs (3, horizons, N) of N stretches: last frame, model, ceiling."""
    expected = predict.open_loop(memory, z, action, WARM_UP)
    scores = []
    for horizon in HORIZONS:
        truth = to_unit(obs[:, WARM_UP - 1 + horizon]).numpy()
        last = to_unit(obs[:, WARM_UP - 1]).numpy()
        model = vision.decoder(expected[:, horizon - 1]).numpy()
        ceiling = vision.decoder(z[:, WARM_UP - 1 + horizon]).numpy()
        scores.append([measures.psnr(truth, other) for other in (last, model, ceiling)])
    return np.array(scores).swapaxes(0, 1)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How often what a head predicted came true, by the probability that it gave.

    `probability` and `share` are means in each bin that holds any of the steps, `steps` their
    numbers; `error` is the expected calibration error, the mean distance of the two over all steps.
    """

    probability: list[float]
    share: list[float]
    steps: list[int]
    error: float


def calibration(probability: np.ndarray, came: np.ndarray, bins: int = 10) -> Calibration:
    """Compare probabilities with what came, both (N,); bins of equal width."""
    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    used = [bin_of == i for i in range(bins) if (bin_of == i).any()]
    given = [float(probability[chosen].mean()) for chosen in used]
    share = [float(came[chosen].mean()) for chosen in used]
    steps = [int(chosen.sum()) for chosen in used]
    error = np.average(np.abs(np.subtract(given, share)), weights=steps)
    return Calibration(given, share, steps, float(error))


def probabilities(memory: Memory, latents: list[Path]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What each head predicted of every step of episodes, and what came: head → (N,), (N,)."""
    predicted: dict[str, list[np.ndarray]] = {head: [] for head in memory.heads}
    came: dict[str, list[np.ndarray]] = {head: [] for head in memory.heads}
    outputs_of = tf.function(memory.network, reduce_retracing=True)
    for path in latents:
        episode = series.read(path, memory.latent)
        x = np.concatenate([episode["mean"], episode["action"]], -1)[None]
        empty = np.zeros((1, memory.units), np.float32)
        outputs = outputs_of([x, empty, empty])
        truth = {"tile": episode["reward"] > 0, "done": episode["done"]}
        for head in memory.heads:
            predicted[head].append(tf.sigmoid(outputs[head])[0].numpy())
            came[head].append(truth[head])
    return {h: (np.concatenate(predicted[h]), np.concatenate(came[h])) for h in memory.heads}


def surprises(memory: Memory, latents: list[Path]) -> np.ndarray:
    """M's loss on each of N episodes: the mean of -log p(z' | z, a, h) over its steps, (N,).

    In nats per step and latent number.
    """
    outputs_of = tf.function(memory.network, reduce_retracing=True)
    found = []
    for i in range(0, len(latents), TOGETHER):
        read_in = [series.read(path, memory.latent) for path in latents[i : i + TOGETHER]]
        lengths = np.array([len(episode["reward"]) for episode in read_in])
        x = np.zeros((len(read_in), lengths.max(), memory.latent + 3), np.float32)
        for row, episode, length in zip(x, read_in, lengths, strict=True):
            row[:length] = np.concatenate([episode["mean"], episode["action"]], -1)
        empty = np.zeros((len(x), memory.units), np.float32)
        mixture = outputs_of([x, empty, empty])["mixture"]
        following = tf.constant(x[:, 1:, : memory.latent])
        loss = arch.negative_log_likelihood(mixture[:, :-1], following).numpy().mean(-1)
        steps = lengths[:, None] - 1
        found.append(np.where(np.arange(loss.shape[1]) < steps, loss, 0).sum(1) / steps[:, 0])
    return np.concatenate(found)
