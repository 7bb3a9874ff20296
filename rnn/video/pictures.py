"""Pictures of a training of the CVAE, and of what it predicts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn.video import contest as contests
from rnn.video import measures, predict, schedules
from rnn.video.arch_cvae import Networks
from rnn.video.sequences import Video
from runs import plots
from runs.videos import save_video
from settings.video import TrainCVAE
from vae import pictures

import matplotlib.pyplot as plt
import numpy as np

SHOWN = 12  # frames of a strip
SCALE = 2  # of a GIF's panes
SECONDS = 0.15  # each frame of a GIF
LONGEST = 28  # predicted frames of a GIF


def learning_curve(path: Path, history: list[dict], settings: TrainCVAE) -> None:
    """Plot a training: its losses, KL, β, teacher forcing and PSNR by epoch and by horizon."""
    figure, axes = plt.subplots(2, 3, figsize=(13, 6.5))
    epochs = np.arange(1, len(history) + 1)
    line = "-" if len(history) > 1 else "o"  # One point is no line.

    def plot(axis, name, label, style=line):
        axis.plot(epochs, [row[name] for row in history], style, label=label)

    titles = {
        "loss": "loss: squared error + β KL",
        "mse": "mean squared error, pixels in [0, 1]",
        "kl": "KL, nats a frame",
    }
    for axis, (name, title) in zip(axes[0], titles.items(), strict=True):
        plot(axis, name, "training")
        plot(axis, f"val_{name}", "held out, teacher-forced")
        axis.set(title=title)
    axes[0, 1].set_yscale("log")
    axes[1, 0].plot(epochs, schedules.kl_weights(settings, settings.epochs), line)
    axes[1, 0].set(title="β, weight of the KL")
    axes[1, 1].plot(epochs, schedules.teacher_forcing(settings, settings.epochs), line)
    axes[1, 1].set(title="share of teacher forcing", ylim=(-0.05, 1.05))
    axis = axes[1, 2]
    horizons = [name for name in history[0] if name.startswith("val_psnr_")]
    for place, name in enumerate(horizons):
        plot(axis, name, f"{name.removeprefix('val_psnr_')} ahead")
        last = [row[name.replace("psnr", "copy")] for row in history]
        axis.plot(epochs, last, ":", color=f"C{place}")
    axis.set(title="held-out PSNR, dB; dotted: last frame copied")
    for axis in axes.flat:
        axis.set_xlabel("epoch")
        plots.count(axis.xaxis)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize="small")
    figure.tight_layout()
    plots.save_figure(figure, path)


def prediction(
    res: Path, name: str, networks: Networks, videos: Sequence[Video], seed: int
) -> None:
    """Save NAME_strip.png and NAME.gif: of the longest video the truth, and what is predicted."""
    video = max(videos, key=lambda video: video.length)
    frames, condition = (part[: networks.past + LONGEST] for part in video.read())
    predicted = predict.sampled(networks, frames[None], condition[None], seed)[0]
    past = frames[: networks.past]
    rows = {"truth": frames, "prediction": np.concatenate([past, pictures.to_bytes(predicted)])}
    strip(res / f"{name}_strip.png", rows, networks.past)
    side_by_side(res / f"{name}.gif", rows, networks.past)


def contest(
    res: Path, name: str, who: contests.Contest, videos: Sequence[Video], future: int
) -> None:
    """Save NAME_strip.png and NAME.gif: what each predicts of the middle of the longest video."""
    video = max(videos, key=lambda video: video.length)
    first = (video.length - who.before - future) // 2
    frames, condition = (part[None, first : first + who.before + future] for part in video.read())
    stretch = measures.Stretch(frames, condition)
    rows = {"truth": frames[0]} | {
        name: np.concatenate([frames[0, : who.before], pictures.to_bytes(predicted[0])])
        for name, predicted in who.predictions(stretch, 0).items()
    }
    future_rows = {name: row[who.before :] for name, row in rows.items()}
    strip(res / f"{name}_strip.png", future_rows, 0)
    side_by_side(res / f"{name}.gif", rows, who.before)


def strip(path: Path, rows: Mapping[str, np.ndarray], past: int) -> None:
    """Save frames of each row, spread over its length, one row above the other.

    Above stands whether a frame was seen (the first `past`) or how far ahead it is.
    """
    length = len(next(iter(rows.values())))
    shown = np.linspace(0, length - 1, min(SHOWN, length)).round().astype(int)
    heads = [_when(t, past) for t in shown]
    pictures.strip(path, [row[shown] for row in rows.values()], names=list(rows), heads=heads)


def side_by_side(path: Path, panes: Mapping[str, np.ndarray], past: int) -> None:
    """Save a GIF of frames (T, 64, 64, 3) side by side, each with its name above.

    Below stands whether a frame was seen (the first `past`) or how far ahead it is.
    """
    length = len(next(iter(panes.values())))
    rows = [_pane_row(panes, t, past) for t in range(length)]
    save_video(path, rows, SECONDS)


def _pane_row(panes: Mapping[str, np.ndarray], t: int, past: int) -> np.ndarray:
    columns = []
    for name, frames in panes.items():
        pane = pictures.to_bytes(frames[t]).repeat(SCALE, axis=0).repeat(SCALE, axis=1)
        columns += [np.concatenate([pictures.label(name, pane.shape[1]), pane]), _gap(pane)]
    row = np.concatenate(columns[:-1], axis=1)
    return np.concatenate([row, pictures.label(_when(t, past), row.shape[1])])


def _when(t: int, past: int) -> str:
    return "seen" if t < past else f"{t - past + 1} ahead"


def _gap(pane: np.ndarray) -> np.ndarray:
    return np.full((len(pane) + pictures.LABEL, 4, 3), 255, np.uint8)
