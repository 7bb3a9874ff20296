"""The tables and the picture of `eyes.py`, from the small files that its trainings leave."""

import dataclasses
import math
from pathlib import Path

from runs import plots
from runs.arguments import BadInput
from runs.directory import write_json, write_text
from vae import compare

import matplotlib.pyplot as plt
import numpy as np
from ablation_results import resampled
from eyes_record import recorded

FIRST = "vae"  # which all rows are held against
FAILED = 600  # points; a track with less is failed
WANTED = 20  # points, to either side, of the interval of a difference
Z = 1.96  # standard deviations to either side that hold 95 % of a normal distribution


@dataclasses.dataclass(frozen=True)
class RowResults:
    """A row's S trainings.

    scores: (S, T) on T tracks, the same for all rows.
    generations: those after which the distribution's mean was validated, (G,).
    curves: (S, G), its scores then.
    """

    scores: np.ndarray
    generations: np.ndarray
    curves: np.ndarray

    @property
    def area(self) -> np.ndarray:
        """The mean height of each curve, (S,): which of two that end alike rises faster."""
        widths = np.diff(self.generations)
        return (self.curves[:, 1:] + self.curves[:, :-1]) @ widths / 2 / widths.sum()

    @property
    def failed(self) -> np.ndarray:
        return (self.scores < FAILED).astype(float)


def write(folder: Path) -> str:
    """Write the report of whatever is on record, and return its text."""
    visions = ordered(recorded(folder, "visions"))
    measures = ordered(recorded(folder, "measures"))
    if not visions:
        raise BadInput(f"Nothing is on record in {folder}.")
    drives = {row: together(found) for row, found in ordered(recorded(folder, "drives")).items()}
    parts = {"What was trained": trained(visions)}
    content = {}
    if measures:
        parts["What V keeps"], content["measures"] = kept(measures)
    if drives:
        parts["How it drives"], content["drives"] = driving(drives)
        picture(folder / "eyes.png", drives)
    text = "\n".join(f"## {title}\n\n{part}" for title, part in parts.items())
    write_json(folder / "eyes.json", content)
    write_text(folder / "eyes.md", text)
    return text


def ordered(rows: dict) -> dict:
    """The rows with that first which the others are held against."""
    return dict(sorted(rows.items(), key=lambda item: (item[0] != FIRST, item[0])))


def trained(visions: dict[str, dict[int, dict]]) -> str:
    """A row for each kind of V: how long it was trained, and whether to the end."""
    head = ["V", "trainings", "flat at the end", "range of the last fifth"]
    head += ["pixels + KL, held out", "epochs", "core-hours each"]
    lines = [head]
    for row, found in visions.items():
        each = list(found.values())
        ranges = [one["ranges"]["pixels + kl"] for one in each]
        last = [one["held_out"][-1]["pixels + kl"] for one in each]
        hours = [one["core_hours"] for one in each if one["core_hours"] is not None]
        lines.append(
            [
                row,
                str(len(each)),
                str(sum(one["flat"] for one in each)),
                f"{min(ranges):.1%} to {max(ranges):.1%}",
                f"{np.mean(last):.1f}",
                str(len(each[0]["held_out"])),
                f"{np.mean(hours):.2f}" if hours else "?",
            ]
        )
    return rows_of(lines)


def kept(measures: dict[str, dict[int, dict]]) -> tuple[str, dict]:
    """Tables of what V keeps: every row's means, each seed's, and differences from the first."""
    sums = {
        row: {
            column: [np.array(one["sums"][column]) for one in found.values()]
            for column in compare.COLUMNS
        }
        for row, found in measures.items()
    }
    first, *others = sums
    means = {row: _each(compare.estimate, sums[row]) for row in sums}
    less = {
        f"{row} less {first}": _each(compare.difference, sums[row], sums[first]) for row in others
    }
    text = "\n".join(
        [
            compare.markdown(means),
            *([compare.markdown(less, "+")] if less else []),
            each_seed(measures),
        ]
    )
    return text, {"means": means, "differences": less}


def _each(what, *groups: dict[str, list[np.ndarray]]) -> dict[str, dict[str, float]]:
    return {
        column: what(*(group[column] for group in groups), np.random.default_rng(0))
        for column in compare.COLUMNS
    }


def each_seed(measures: dict[str, dict[int, dict]]) -> str:
    """The telling measures of each training."""
    lines = [["V, seed", *(compare.COLUMNS[name][0] for name in compare.TELLING)]]
    for row, found in measures.items():
        for seed, one in found.items():
            cells = []
            for name in compare.TELLING:
                above, below = np.sum(one["sums"][name], axis=0)
                cells.append(f"{above / below:.{compare.COLUMNS[name][1]}f}" if below else "?")
            lines.append([f"{row}, {seed}", *cells])
    return rows_of(lines)


def together(found: dict[int, dict]) -> RowResults:
    """The trainings of one row, by seed."""
    each = list(found.values())
    generations = [int(generation) for generation in each[0]["validated"]]
    return RowResults(
        np.array([one["scores"] for one in each]),
        np.array(generations),
        np.array([list(one["validated"].values()) for one in each]),
    )


def driving(drives: dict[str, RowResults]) -> tuple[str, dict]:
    """A row for each kind of V: score, height of its curve, failed tracks, and their intervals."""
    measured = {
        "score": {row: found.scores for row, found in drives.items()},
        "height of the curve": {row: found.area[:, None] for row, found in drives.items()},
        "failed tracks": {row: found.failed for row, found in drives.items()},
    }
    content = {what: intervals(values) for what, values in measured.items()}
    first = next(iter(drives))
    lines = [["V", "trainings", *measured, f"score against {first}", "height", "failed"]]
    for row, found in drives.items():
        digits = {what: ".1%" if what == "failed tracks" else ".0f" for what in measured}
        own = [_shown(content[what][row], digits[what]) for what in measured]
        less = [
            _shown(content[what][row]["less"], "+" + digits[what]) if row != first else ""
            for what in measured
        ]
        lines.append([row, str(len(found.scores)), *own, *less])
    verdicts = [verdict(drives[first], drives[row], first, row) for row in list(drives)[1:]]
    return rows_of(lines) + "\n" + "".join(
        f"- {sentence}\n" for sentence in verdicts
    ) + NOTES, content


NOTES = f"""
Brackets: 95 % intervals, bootstrap over trainings and, where they are driven, over tracks, the same
for all rows; of a single training they say nothing of another one. Height of the curve: the mean
score of the distribution's mean on validation tracks over the generations; over trainings only. A
track is failed under {FAILED} points.
"""


def intervals(values: dict[str, np.ndarray]) -> dict[str, dict]:
    """Mean and interval of each row's values (S, T), and of what they are more than the first's."""
    drawn = resampled(values)
    first = next(iter(values))
    return {
        row: _interval(found.mean(), drawn[row])
        | {"less": _interval(found.mean() - values[first].mean(), drawn[row] - drawn[first])}
        for row, found in values.items()
    }


def _interval(mean: float, drawn: np.ndarray) -> dict[str, float]:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": float(mean), "low": float(low), "high": float(high)}


def _shown(value: dict[str, float], digits: str) -> str:
    mean, low, high = (f"{value[name]:{digits}}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def verdict(one: RowResults, other: RowResults, name: str, other_name: str) -> str:
    """Whether a difference of scores is known well enough, and else what it would take."""
    fewest = min(len(one.scores), len(other.scores))
    if fewest < 2:
        return f"{other_name} against {name}: one training says nothing of the spread between them."
    low, high = (
        intervals({name: one.scores, other_name: other.scores})[other_name]["less"][end]
        for end in ("low", "high")
    )
    half = (high - low) / 2
    if half <= WANTED:
        return f"{other_name} against {name}: known to ± {half:.0f} points."
    return (
        f"{other_name} against {name}: known to ± {half:.0f} points only; about "
        f"{needed(one, other)} trainings of each would make it ± {WANTED}."
    )


def needed(one: RowResults, other: RowResults) -> int:
    """Trainings of each for an interval of ± `WANTED`, if they go on to spread as they do."""
    variance = sum(found.scores.mean(axis=1).var(ddof=1) for found in (one, other))
    return math.ceil(Z**2 * variance / WANTED**2)


def picture(path: Path, drives: dict[str, RowResults]) -> None:
    """Curves of all trainings with the band of ± SD between them, and the scores at the end."""
    figure, (curves, ends) = plt.subplots(1, 2, figsize=(12, 4.5))
    scores = intervals({row: found.scores for row, found in drives.items()})
    for place, (row, found) in enumerate(drives.items()):
        mean, sd = found.curves.mean(axis=0), found.curves.std(axis=0)
        curves.plot(found.generations, mean, "o-", color=f"C{place}", label=plots.plain(row))
        curves.fill_between(
            found.generations, mean - sd, mean + sd, color=f"C{place}", alpha=0.15, linewidth=0
        )
        means = found.scores.mean(axis=1)
        ends.plot(means, np.full(len(means), -place), "o", color=f"C{place}", alpha=0.6)
        interval = [scores[row]["low"], scores[row]["high"]]
        ends.plot(interval, [-place, -place], color=f"C{place}", linewidth=6, alpha=0.3)
    curves.set(xlabel="generation", ylabel="validation, mean ± SD over trainings")
    plots.count(curves.xaxis)
    curves.legend(fontsize="small")
    ends.set(xlabel="score on the evaluation tracks: trainings, 95 % interval")
    ends.set_yticks([-place for place in range(len(drives))], [plots.plain(row) for row in drives])
    ends.set_ylim(0.5 - len(drives), 0.5)
    figure.tight_layout()
    plots.save_figure(figure, path)


def rows_of(lines: list[list[str]]) -> str:
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
