"""Plots that every training makes."""

from collections.abc import Mapping
from pathlib import Path

from runs.directory import write_whole

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator

matplotlib.use("Agg")

PANELS_IN_A_ROW = 5


def save_figure(figure, path: Path) -> None:
    with write_whole(path) as temporary:
        figure.savefig(temporary, dpi=100, bbox_inches="tight")
    plt.close(figure)


def plain(name: str) -> str:
    """A name as a legend shows it: matplotlib reads formulas in some and hides others."""
    return (" " if name.startswith("_") else "") + name.replace("$", r"\$")


def count(axis) -> None:
    """Let an axis of things that are counted have ticks at whole numbers only."""
    # One tick is enough: of a single epoch or generation there are no two.
    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def learning_curve(
    path: Path, history: list[dict], title: str, titles: Mapping[str, str], unit: str = "epoch"
) -> None:
    """One panel per loss: training, and validation where it was measured; five in a row.

    `titles` has for each loss the words above its panel, with its unit.
    """
    names = [name for name in titles if name in history[0]]
    figure, axes = _panels([titles[name] for name in names], unit)
    steps = np.arange(1, len(history) + 1)
    line = "-" if len(history) > 1 else "o"  # One point is no line.
    for axis, name in zip(axes, names, strict=True):
        axis.plot(steps, [row[name] for row in history], line, label="training")
        if f"val_{name}" in history[0]:
            axis.plot(steps, [row[f"val_{name}"] for row in history], line, label="held out")
        count(axis.xaxis)
    _save_panels(figure, axes, title, path)


def training_curve(
    path: Path,
    steps: list[int],
    rows: list[dict],
    epochs: list[dict],
    title: str,
    titles: Mapping[str, str],
) -> None:
    """One panel per loss over the steps of a training, and a dot per epoch for what was held out.

    `rows` are what was measured by `steps`; `epochs` is the history of the training; `titles` has
    for each loss the words above its panel.
    """
    figure, axes = _panels(list(titles.values()), "gradient step")
    ends = steps[-1] / len(epochs) * np.arange(1, len(epochs) + 1)
    for axis, name in zip(axes, titles, strict=True):
        # What an earlier version did not track is a gap.
        axis.plot(steps, np.array([row[name] for row in rows], float), label="training")
        held_out = [epoch.get(f"val_{name}", np.nan) for epoch in epochs]
        axis.plot(ends, held_out, "o", label="held out")
    _save_panels(figure, axes, title, path)


def _panels(titles: list[str], unit: str) -> tuple[plt.Figure, list[plt.Axes]]:
    columns = min(len(titles), PANELS_IN_A_ROW)
    rows = -(-len(titles) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(4 * columns, 3 * rows), squeeze=False)
    for spare in axes.flat[len(titles) :]:
        spare.axis("off")
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize="medium")
        axis.set_xlabel(unit)
    return figure, list(axes.flat[: len(titles)])


def _save_panels(figure: plt.Figure, axes: list[plt.Axes], title: str, path: Path) -> None:
    for axis in axes:
        axis.legend()
    figure.suptitle(title)
    figure.tight_layout()
    save_figure(figure, path)
