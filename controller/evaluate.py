"""Scores of one policy on many tracks: mean, SD, interval."""

import dataclasses

from controller.rollout import Fleet, Job, Outcome

import gymnasium
import numpy as np


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
