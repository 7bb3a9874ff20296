"""Tables and curves of what was measured of predicted videos, by horizon."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from rnn.video import measures
from runs import plots

import matplotlib.pyplot as plt
import numpy as np

HORIZONS = (1, 2, 5, 10, 20, 28)
TRAINED = 10  # frames ahead, whose mean reports of this model give
DASHES = ("-", "--", ":", "-.", (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
TITLES = {"psnr": ("PSNR, dB", 2), "ssim": ("SSIM", 3)}

Found = Mapping[str, Mapping[str, Sequence[np.ndarray]]]  # name → measure → (N, F) for each video


def estimated(found: Found, seed: int) -> dict[str, dict[str, dict]]:
    """name → measure → mean, low and high, a list by horizon each; last the mean of all ten."""
    return {
        name: {
            measure: measures.estimate([_with_mean(one) for one in videos], seed)
            for measure, videos in measured.items()
        }
        for name, measured in found.items()
    }


def differences(found: Found, pairs: Sequence[tuple[str, str]], seed: int) -> dict[str, dict]:
    """How much more PSNR one has than another on the same stretches, as `estimated` gives it."""
    return {
        f"{one} less {other}": measures.estimate(
            [
                _with_mean(a) - _with_mean(b)
                for a, b in zip(found[one]["psnr"], found[other]["psnr"], strict=True)
            ],
            seed,
        )
        for one, other in pairs
    }


def _with_mean(values: np.ndarray) -> np.ndarray:
    """A measure (N, F), and behind it the mean of its first ten columns."""
    return np.concatenate([values, values[:, :TRAINED].mean(axis=1, keepdims=True)], axis=1)


def markdown(found: Mapping[str, Mapping[str, Mapping]], less: Mapping[str, Mapping]) -> str:
    """Tables of both measures and of the differences at some horizons, with their intervals."""
    tables = []
    for measure, (title, digits) in TITLES.items():
        rows = {name: measured[measure] for name, measured in found.items()}
        tables.append(_table(title, rows, digits, ""))
    tables.append(_table("PSNR more, dB", less, 2, "+"))
    return "\n".join(tables)


def _table(title: str, rows: Mapping[str, Mapping], digits: int, sign: str) -> str:
    length = len(next(iter(rows.values()))["mean"]) - 1
    shown = [horizon for horizon in HORIZONS if horizon <= length]
    columns = [f"{horizon} ahead" for horizon in shown] + [f"mean of {min(TRAINED, length)}"]
    places = [horizon - 1 for horizon in shown] + [length]
    lines = [[title, *columns], ["---"] * (len(columns) + 1)]
    for name, row in rows.items():
        numbers = [
            [f"{row[part][place]:{sign}.{digits}f}" for part in ("mean", "low", "high")]
            for place in places
        ]
        lines.append([name, *(f"{mean} ({low} to {high})" for mean, low, high in numbers)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def curves(path: Path, found: Mapping[str, Mapping[str, Mapping]]) -> None:
    """Plot both measures by horizon, with their intervals."""
    figure, axes = plt.subplots(1, len(TITLES), figsize=(13, 5))
    for axis, (measure, (title, _)) in zip(axes, TITLES.items(), strict=True):
        # Dashed, each its own way: lines that lie under each other are still seen.
        for (name, measured), dashes in zip(found.items(), itertools.cycle(DASHES)):
            mean, low, high = (measured[measure][part][:-1] for part in ("mean", "low", "high"))
            ahead = np.arange(1, len(mean) + 1)
            [line] = axis.plot(ahead, mean, linestyle=dashes, label=name)
            axis.fill_between(ahead, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
        axis.set(title=title, xlabel="frames ahead")
        plots.count(axis.xaxis)
    axes[0].legend(fontsize="small")
    figure.tight_layout()
    plots.save_figure(figure, path)
