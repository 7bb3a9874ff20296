"""Scores of one policy on many tracks: mean, SD, interval."""

import dataclasses

from controller import rollout
from controller.rollout import Job, Outcome
from runs.executor import Workers

import gymnasium
import numpy as np

# Tracks driven together, whoever drives them: a batch's size touches the last digits of what the
# agent computes, so the same groups give the same scores whatever the number of workers.
GROUP = 10


def drive_tracks(
    workers: Workers, parameters: np.ndarray, tracks: list[int], stock: bool, progress=None
) -> list[Outcome]:
    """Drive each track once, without patience; outcomes in the order of the tracks."""
    groups = [tracks[i : i + GROUP] for i in range(0, len(tracks), GROUP)]
    tasks = [
        ([Job(parameters, track) for track in group], GROUP, rollout.UNLIMITED, stock)
        for group in groups
    ]
    outcomes: dict[int, list[Outcome]] = {}
    for index, driven in workers.each(rollout.drive_here, tasks):
        outcomes[index] = driven
        if progress is not None:
            progress.update(len(driven))
    return [outcome for index in sorted(outcomes) for outcome in outcomes[index]]


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


def report(outcomes: list[Outcome], tracks: list[int]) -> dict:
    """The summary, what it was measured on, and every episode."""
    return {
        **summary(outcomes),
        "environment": "CarRacing-v3",
        "gymnasium": gymnasium.__version__,
        "first_track": tracks[0],
        "episodes": [dataclasses.asdict(outcome) for outcome in outcomes],
    }


def table(scores: dict[str, dict]) -> str:
    """The scores of several agents as a Markdown table."""
    lines = ["| agent | mean ± SD | 95 % interval | worst | laps | tracks |", "|" + "---|" * 6]
    for name, score in scores.items():
        low, high = score["interval"]
        lines.append(
            f"| {name} | {score['mean']:.1f} ± {score['sd']:.1f} | {low:.1f} to {high:.1f} "
            f"| {score['worst']:.1f} | {score['laps']} | {score['tracks']} |"
        )
    return "\n".join(lines)
