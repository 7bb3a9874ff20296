"""Dream and real scores of the same policies, side by side: a CSV, a plot, a table."""

import dataclasses
from pathlib import Path

from runs import plots, records
from runs.directory import write_text

import matplotlib.pyplot as plt


@dataclasses.dataclass(frozen=True)
class Pair:
    """What one mean of the distribution scored in its dream and on the real validation tracks."""

    stage: int
    generation: int
    dream: float
    dream_sd: float
    real: float
    real_sd: float


def write(path: Path, pairs: list[Pair]) -> None:
    records.write(path, Pair, pairs)


def read(path: Path) -> list[Pair]:
    """The pairs of a file, none if there is no file."""
    return records.read(path, Pair)


def curve(path: Path, histories: dict[float, list[Pair]], title: str) -> None:
    """One panel for each temperature: the means' scores, dreamt and real, by generation."""
    figure, axes = plt.subplots(
        1, len(histories), figsize=(max(7, 4 * len(histories)), 4), sharey=True, squeeze=False
    )
    for axis, (temperature, pairs) in zip(axes[0], histories.items(), strict=True):
        generations = list(range(1, len(pairs) + 1))
        if len({pair.stage for pair in pairs}) == 1:
            generations = [pair.generation for pair in pairs]
        for world in ("dream", "real"):
            axis.errorbar(
                generations,
                [getattr(pair, world) for pair in pairs],
                [getattr(pair, f"{world}_sd") for pair in pairs],
                fmt="o-",
                capsize=3,
                label={"dream": "in the dream", "real": "in the real world"}[world] + ", ± SD",
            )
        axis.axhline(900, color="grey", linestyle=":", label="solved")
        plots.count(axis.xaxis)
        axis.set(xlabel="generation", title=f"temperature {temperature:g}")
    axes[0][0].set(ylabel="return of the distribution's mean, points")
    axes[0][0].legend(fontsize="small")
    figure.suptitle(title)
    figure.tight_layout()
    plots.save_figure(figure, path)


def write_table(path: Path, histories: dict[float, list[Pair]]) -> None:
    """Dream → real by temperature, of the last mean and of the best in the real world."""
    lines = [
        "| temperature | last mean: dream | last mean: real | best mean: dream | best mean: real |",
        "|" + "---|" * 5,
    ]
    for temperature, pairs in histories.items():
        cells = ["–"] * 4  # where the file was removed
        if pairs:
            last, best = pairs[-1], max(pairs, key=lambda pair: pair.real)
            cells = [
                f"{score:.0f} ± {sd:.0f}"
                for pair in (last, best)
                for score, sd in ((pair.dream, pair.dream_sd), (pair.real, pair.real_sd))
            ]
        lines.append(f"| {temperature:g} | " + " | ".join(cells) + " |")
    write_text(path, "\n".join(lines) + "\n")
