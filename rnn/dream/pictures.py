"""Pictures of the dream: a video of it beside the truth, and how far its heads can be trusted."""

from pathlib import Path

from envs import rollouts
from rnn import series
from rnn.dream.dynamics import Dream, State
from rnn.measures import Calibration
from runs import plots
from runs.videos import save_video
from vae import Vision
from vae.pictures import to_bytes

import cv2
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

WARM_UP = 60  # true steps before the dream begins: the camera has come down, the car drives
EVERY = 4  # steps between two pictures of the video
MOST = 100  # pictures
SCALE = 2
GAP = 4  # pixels between the columns
HEADER = 20  # pixels above the panes, for their names
PANES = ("recorded", "what V keeps", "M's dream")
SHOWN = 0.08  # second, each picture
HEADS = {"tile": "a new tile", "done": "the end"}  # what each tells the probability of


def video(path: Path, vision: Vision, dream: Dream, recording: Path, latents: Path) -> int:
    """Save a video: left the truth, in the middle what V keeps of it, right the dream.

    M sees the first 60 steps of the episode and after that only its actions, which were chosen
    for the world on the left. Returns the step from which on the dream is on its own.
    """
    obs = rollouts.read(recording).obs
    episode = series.read(latents, vision.latent)
    z, action = episode["mean"], episode["action"]
    dreamt = np.concatenate([z[:WARM_UP], _dreamt(dream, z[:WARM_UP], action)])[: len(obs)]
    shown = np.arange(0, len(obs), EVERY)[:MOST]
    columns = (
        obs[shown],
        to_bytes(vision.decoder(z[shown])),
        to_bytes(vision.decoder(dreamt[shown])),
    )
    gap = np.full((len(shown), columns[0].shape[1], GAP, 3), 255, np.uint8)
    dreaming = gap.copy()
    dreaming[shown >= WARM_UP] = (255, 0, 0)
    pictures = np.concatenate([columns[0], gap, columns[1], dreaming, columns[2]], axis=2)
    pictures = pictures.repeat(SCALE, axis=1).repeat(SCALE, axis=2)
    names = np.tile(_header(pictures.shape[2]), (len(shown), 1, 1, 1))
    save_video(path, list(np.concatenate([names, pictures], axis=1)), SHOWN)
    return WARM_UP


def _header(width: int) -> np.ndarray:
    """The names of the three panes, in a row above them: (HEADER, width, 3) uint8."""
    row = np.full((HEADER, width, 3), 255, np.uint8)
    for pane, name in enumerate(PANES):
        place = 6 + pane * (width + SCALE * GAP) // len(PANES), HEADER - 6
        cv2.putText(row, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return row


def _dreamt(dream: Dream, z: np.ndarray, action: np.ndarray) -> np.ndarray:
    """The latents of a dream that goes on from given ones, (T - WARM_UP, L)."""
    x = np.concatenate([z[:-1], action[: WARM_UP - 1]], -1)[None]
    empty = np.zeros((1, dream.memory.units), np.float32)
    outputs = dream.memory.network([x, empty, empty])
    state = State.at(tf.constant(z[-1:]), outputs["h"], outputs["c"])
    step = tf.function(dream.step)
    dreamt = []
    for tick in range(WARM_UP - 1, len(action) - 1):
        key = tf.constant([0], tf.uint32), tf.constant([tick], tf.uint32)
        state, *_ = step(state, tf.constant(action[None, tick]), *key)
        dreamt.append(state.z[0].numpy())
    return np.array(dreamt).reshape(-1, dream.memory.latent)


def judged(head: str, found: Calibration) -> str:
    """How far a head can be trusted, unless nothing came of which it could have told."""
    if not any(found.share):
        return f"{HEADS[head]}: never came in {sum(found.steps):,} steps, nothing to judge"
    return f"{HEADS[head]}: off by {100 * found.error:.2f} % on average"


def reliability(path: Path, heads: dict[str, Calibration], title: str) -> None:
    """One panel per head: probabilities given against the share that came true, sized by steps."""
    figure, axes = plt.subplots(1, len(heads), figsize=(4.5 * len(heads), 4), squeeze=False)
    for axis, (head, found) in zip(axes[0], heads.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="grey", linestyle=":")
        axis.plot(found.probability, found.share, color="C0", alpha=0.5)
        axis.scatter(found.probability, found.share, s=8 * np.log1p(found.steps), color="C0")
        for probability, share, steps in zip(
            found.probability, found.share, found.steps, strict=True
        ):
            axis.annotate(
                f"{steps:,}",
                (probability, share),
                textcoords="offset points",
                xytext=(6, -10),
                fontsize=7,
            )
        axis.set(
            title=judged(head, found),
            xlabel="probability that M gave a step",
            ylabel="share of those steps with it",
        )
    figure.suptitle(title)
    figure.tight_layout()
    plots.save_figure(figure, path)
