"""The record of an evolution: a row for each generation, in a CSV that any program reads."""

import dataclasses
from pathlib import Path

from runs import plots, records, training
from runs.directory import ModelDirectory

import matplotlib.pyplot as plt
import numpy as np

# A run does not go on without its generations.
PUT_BACK = "put it back as it was, or remove it and begin from scratch"


@dataclasses.dataclass(frozen=True)
class Row:
    """One generation. Returns are of the training episodes, which patience may cut short."""

    stage: int  # how many evolutions came before, each fine-tuned by the next
    generation: int  # of this stage, from 1
    best: float  # highest return of a candidate
    mean: float  # mean return of the candidates
    worst: float
    sigma: float  # CMA-ES step size after it; of a policy gradient the largest SD of its noise
    steps: int  # environment steps of the generation, validation included
    seconds: float  # wall-clock time of the generation, validation included
    workers: int
    validation: float | None = None  # mean score of the distribution's mean on validation tracks
    validation_sd: float | None = None
    on_new_tracks: float | None = None  # the mean's score on those that hard ones are chosen from
    learned: float | None = None  # core-hours that training V and M had taken by then


def write(path: Path, rows: list[Row]) -> None:
    records.write(path, Row, rows)


def read(path: Path) -> list[Row]:
    """The rows of a file, none if there is no file."""
    return records.read(path, Row, PUT_BACK)


def line(directory: ModelDirectory) -> list[Row]:
    """The generations that led to the C of a model directory, none if there is no record of them.

    `controller.csv` may also hold evolutions that were given up for one from scratch. Without a
    `controller.training.json` all its rows count.
    """
    rows = read(directory.path / "controller.csv")
    state = training.read(directory, "controller")
    if not state:
        return rows
    return [row for row in rows if row.stage > state["stage"] - len(state["lineage"])]


def core_hours(rows: list[Row]) -> np.ndarray:
    """Core-hours of the evolution from the first generation to the end of each."""
    return np.cumsum([row.seconds * row.workers / 3600 for row in rows])


def costs(lines: list[list[Row]]) -> tuple[list[np.ndarray], str]:
    """Core-hours to the end of each generation of several evolutions, and what is counted.

    With those of V and M if they are known of every generation; without them otherwise.
    """
    hours = [core_hours(rows) for rows in lines]
    if any(row.learned is None for rows in lines for row in rows):
        return hours, "core-hours of evolution (data, V and M not counted)"
    learned = [np.array([row.learned for row in rows]) for rows in lines]
    both = [c + v_and_m for c, v_and_m in zip(hours, learned, strict=True)]
    return both, "core-hours of V, M and C"


def curve(path: Path, rows: list[Row], title: str) -> None:
    """Plot candidates and validated means against generations and against core-hours."""
    [hours], counted = costs([rows])
    generations = np.arange(1, len(rows) + 1)
    validated = [i for i, row in enumerate(rows) if row.validation is not None]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
    for axis, x, unit in zip(axes, (generations, hours), ("generation", counted), strict=True):
        axis.fill_between(
            x, [r.worst for r in rows], [r.best for r in rows], alpha=0.15, label="candidates"
        )
        axis.plot(x, [r.mean for r in rows], label="mean of the candidates")
        axis.errorbar(
            x[validated],
            [rows[i].validation for i in validated],
            [rows[i].validation_sd for i in validated],
            fmt="o-",
            capsize=3,
            label="the distribution's mean on validation tracks, ± SD",
        )
        axis.axhline(900, color="grey", linestyle=":", label="solved")
        axis.set(xlabel=unit)
    axes[0].set(ylabel="return, points")
    plots.count(axes[0].xaxis)
    figure.suptitle(title)
    figure.tight_layout()
    # Below the panels, where it hides nothing.
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4)
    plots.save_figure(figure, path)


def curves(path: Path, lines: dict[str, list[Row]]) -> None:
    """Plot what the validated means of several agents scored, by generation and by core-hours."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
    hours, counted = costs(list(lines.values()))
    for (name, rows), spent in zip(lines.items(), hours, strict=True):
        validated = [i for i, row in enumerate(rows) if row.validation is not None]
        score = np.array([rows[i].validation for i in validated])
        sd = np.array([rows[i].validation_sd for i in validated])
        generations = np.arange(1, len(rows) + 1)
        for axis, x in zip(axes, (generations, spent), strict=True):
            axis.plot(x[validated], score, "o-", label=plots.plain(name))
            axis.fill_between(x[validated], score - sd, score + sd, alpha=0.12)
    for axis in axes:
        axis.axhline(900, color="grey", linestyle=":", label="solved")
        axis.set_xlim(left=0)
    axes[0].set(xlabel="generation", ylabel="validation score of the mean, points, ± SD")
    axes[1].set(xlabel=counted)
    plots.count(axes[0].xaxis)
    axes[0].legend(fontsize="small")
    figure.tight_layout()
    plots.save_figure(figure, path)
