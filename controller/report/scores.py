"""Scores of one policy on many tracks: mean, SD, interval."""

import dataclasses
from pathlib import Path

import envs
from controller.fleet import Fleet
from controller.rollout import Job, Outcome
from runs import plots

import gymnasium
import matplotlib.pyplot as plt
import numpy as np

SOLVED = 900  # a mean over 100 tracks


def drive_tracks(
    fleet: Fleet, parameters: np.ndarray, tracks: list[int], stock: bool, progress=None
) -> list[Outcome]:
    """Drive each track once, without patience; outcomes in the order of the tracks."""
    jobs = [Job(parameters, track) for track in tracks]
    return fleet.drive(jobs, stock=stock, progress=progress)


def bootstrap(scores: np.ndarray, level: float = 0.95, draws: int = 10_000) -> tuple[float, float]:
    """The bootstrap interval of the mean: resample the scores with replacement, take quantiles."""
    rng = np.random.default_rng(0)
    means = rng.choice(scores, (draws, len(scores))).mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def summary(outcomes: list[Outcome]) -> dict:
    """Mean, SD, 95 % interval of the mean, extremes and laps finished."""
    scores = np.array([outcome.score for outcome in outcomes])
    low, high = bootstrap(scores)
    return {
        "tracks": len(scores),
        "mean": float(scores.mean()),
        "sd": float(scores.std()),
        "interval": [low, high],
        "median": float(np.median(scores)),
        "worst": float(scores.min()),
        "best": float(scores.max()),
        "laps": sum(outcome.lap for outcome in outcomes),
    }


def report(outcomes: list[Outcome], tracks: list[int], rendering: str = "stock") -> dict:
    """The summary, what it was measured on, and every episode."""
    return {
        **summary(outcomes),
        "environment": "CarRacing-v3" if rendering == "stock" else envs.ENV_ID,
        "gymnasium": gymnasium.__version__,
        "first_track": tracks[0],
        "episodes": [dataclasses.asdict(outcome) for outcome in outcomes],
    }


def median_track(score: dict) -> int:
    """The track of an agent's median episode (the lower one of an even number): a typical one."""
    order = np.argsort(_episode_scores(score), kind="stable")
    return score["first_track"] + int(order[(len(order) - 1) // 2])


def worst_track(score: dict) -> int:
    """The track of an agent's worst episode."""
    return score["first_track"] + int(_episode_scores(score).argmin())


def table(scores: dict[str, dict]) -> str:
    """The scores of several agents as a Markdown table.

    From the second agent on, the difference to the first on the same tracks, with its bootstrap
    interval: tracks differ more than agents do, so pairs tell more than means.
    """
    head = ["agent", "mean ± SD", "95 % interval", "median", "worst (track)", "laps", "tracks"]
    lines: list[list[str]] = []
    first = _episode_scores(next(iter(scores.values())))
    for name, score in scores.items():
        low, high = score["interval"]
        own = _episode_scores(score)
        worst = f"{score['worst']:.1f} ({worst_track(score)})"
        line = [
            name.replace("|", r"\|"),
            f"{score['mean']:.1f} ± {score['sd']:.1f}",
            f"{low:.1f} to {high:.1f}",
            f"{score['median']:.1f}",
            worst,
            str(score["laps"]),
            str(score["tracks"]),
        ]
        if len(scores) > 1:
            low, high = bootstrap(own - first)
            paired = f"{(own - first).mean():+.1f} ({low:+.1f} to {high:+.1f})"
            line.append(paired if lines else "")
        lines.append(line)
    if len(scores) > 1:
        head.append("against the first, paired")
    rows = [f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines]]
    score = next(iter(scores.values()))
    where = f"{score['environment']}, Gymnasium {score['gymnasium']}"
    return "\n".join([*rows, "", f"{where}, tracks from {score['first_track']}."])


def histogram(path: Path, scores: dict[str, dict]) -> None:
    """Plot how the scores of each agent are distributed."""
    figure, axis = plt.subplots(figsize=(7, 3.5))
    lowest = min(score["worst"] for score in scores.values())
    highest = max(score["best"] for score in scores.values())
    # Over all that is shown, so that no bin is a hair.
    bins = bin_edges(min(lowest, SOLVED), max(highest, SOLVED)).tolist()
    for name, score in scores.items():
        label = f"{plots.plain(name)}: {score['mean']:.0f} ± {score['sd']:.0f}"
        axis.hist(_episode_scores(score), bins, alpha=0.6, label=label)
    axis.axvline(SOLVED, color="grey", linestyle=":", label="solved, as a mean")
    plots.count(axis.yaxis)
    tracks = next(iter(scores.values()))["tracks"]
    axis.set(xlabel="score of an episode, points", ylabel=f"tracks, of {tracks}")
    axis.legend(fontsize="small")
    plots.save_figure(figure, path)


def bin_edges(lowest: float, highest: float) -> np.ndarray:
    """Edges of at most 40 bins of a round width that hold all scores from lowest to highest."""
    width = next(w for w in (1, 2, 5, 10, 25, 50, 100) if highest - lowest <= 38 * w)
    return np.arange(np.floor(lowest / width), np.floor(highest / width) + 2) * width


def _episode_scores(score: dict) -> np.ndarray:
    return np.array([episode["score"] for episode in score["episodes"]])
