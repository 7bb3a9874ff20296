"""The agents that `ablations.py` compares, what they left, and its tables and picture."""

import dataclasses
import re
from pathlib import Path

from controller.report.history import Row
from runs import plots
from runs.directory import ModelDirectory

import matplotlib.pyplot as plt
import numpy as np

DRAWS = 10_000  # of the bootstrap
# A recipe each, and what its agents are called after the name of their V.
VARIANTS = {"whole": "", "z-alone": ", C sees z alone", "m-untrained": ", M untrained"}


@dataclasses.dataclass(frozen=True)
class Trial:
    """One agent to be made: its V, which training of that name it is, and by which recipe."""

    vision: ModelDirectory
    group: str
    number: int
    recipe: str = "whole"

    @property
    def name(self) -> str:
        return self.group + VARIANTS[self.recipe]

    @property
    def folder(self) -> str:
        words = f"{self.name} {self.number}".lower()
        return re.sub(r"[^a-z0-9]+", "-", words).strip("-")

    @property
    def architecture(self) -> str:
        return self.vision.facts("vision")["architecture"]


@dataclasses.dataclass(frozen=True)
class Result:
    """What a finished trial left: scores on the tracks (T,), its evolution and its core-hours."""

    trial: Trial
    scores: np.ndarray
    rows: list[Row]
    hours: np.ndarray


def grouped(results: list[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(one.trial.name, []).append(one)
    return groups


def resampled(groups: dict[str, np.ndarray], draws: int = DRAWS) -> dict[str, np.ndarray]:
    """Bootstrap means (draws,) of groups of scores (trainings, tracks).

    Trainings are drawn with replacement in each group, and tracks the same for all groups, so that
    the difference of two groups' draws is one of pairs.
    """
    rng = np.random.default_rng(0)
    tracks = next(iter(groups.values())).shape[1]
    weights = rng.multinomial(tracks, np.full(tracks, 1 / tracks), draws) / tracks
    means = {}
    for name, scores in groups.items():
        chosen = rng.integers(len(scores), size=(draws, len(scores)))
        means[name] = (weights @ scores.T)[np.arange(draws)[:, None], chosen].mean(1)
    return means


def reached(rows: list[Row], at: np.ndarray, most: float) -> float:
    """The best validation score of a mean while `at` (generations, or core-hours) is in `most`."""
    found = [row.validation for row, x in zip(rows, at, strict=True) if x <= most]
    return max((score for score in found if score is not None), default=np.nan)


def equal_generations(one: Result, generations: int) -> float:
    return reached(one.rows, np.arange(1, len(one.rows) + 1), generations)


def table(scores: dict[str, np.ndarray], drawn: dict[str, np.ndarray]) -> str:
    """A row for each kind of agent: its mean over trainings and tracks, and against the first."""
    first = next(iter(scores))
    lines = [["agent", "trainings", "mean", "95 % interval", f"against {first}, same tracks"]]
    lines.append(["---"] * len(lines[0]))
    for name, found in scores.items():
        low, high = np.quantile(drawn[name], [0.025, 0.975])
        against = ""
        if name != first:
            below, above = np.quantile(drawn[name] - drawn[first], [0.025, 0.975])
            difference = found.mean() - scores[first].mean()
            against = f"{difference:+.0f} ({below:+.0f} to {above:+.0f})"
        cells = [name, str(len(found)), f"{found.mean():.0f}", f"{low:.0f} to {high:.0f}", against]
        lines.append(cells)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def trainings(results: list[Result], generations: int, hours: float) -> str:
    """A row for each training: its scores, and its validation at equal cost."""
    head = ["training", "mean ± SD over tracks", "median"]
    head += [f"validation, {generations} generations", f"validation, {hours:.3f} core-hours"]
    head += ["core-hours", "million steps"]
    lines = [head, ["---"] * len(head)]
    for one in results:
        lines.append(
            [
                f"{one.trial.name}, {one.trial.number}",
                f"{one.scores.mean():.0f} ± {one.scores.std():.0f}",
                f"{np.median(one.scores):.0f}",
                f"{equal_generations(one, generations):.0f}",
                f"{reached(one.rows, one.hours, hours):.0f}",
                f"{one.hours[-1]:.3f}",
                f"{sum(row.steps for row in one.rows) / 1e6:.2f}",
            ]
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def picture(path: Path, groups: dict[str, list[Result]], drawn: dict[str, np.ndarray]) -> None:
    """Validation by generation and by core-hours, and the scores with their intervals."""
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.5))
    for place, (name, found) in enumerate(groups.items()):
        colour = f"C{place}"
        for number, one in enumerate(found):
            validated = [i for i, row in enumerate(one.rows) if row.validation is not None]
            score = [one.rows[i].validation for i in validated]
            label = name if number == 0 else None
            generations = np.arange(1, len(one.rows) + 1)
            for axis, x in zip(axes, (generations, one.hours), strict=False):
                axis.plot(x[validated], score, "o-", color=colour, label=label, alpha=0.8)
            axes[2].plot(one.scores.mean(), -place, "o", color=colour)
        low, high = np.quantile(drawn[name], [0.025, 0.975])
        axes[2].plot([low, high], [-place, -place], color=colour, linewidth=6, alpha=0.3)
    axes[0].set(xlabel="generation", ylabel="validation score of the mean, points")
    axes[1].set(xlabel="core-hours of evolution (data, V and M not counted)")
    axes[2].set(xlabel="score on evaluation tracks, points: trainings, 95 % interval")
    plots.count(axes[0].xaxis)
    axes[2].set_yticks([-place for place in range(len(groups))], list(groups))
    axes[2].set_ylim(0.5 - len(groups), 0.5)
    axes[0].legend(fontsize="small")
    figure.tight_layout()
    plots.save_figure(figure, path)
