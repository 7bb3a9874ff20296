"""Evaluations in parts, so that one that was stopped goes on where it was."""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.fleet import Fleet
from controller.handover import AGENT
from controller.report.scores import drive_tracks
from controller.rollout import Outcome
from runs import aliases
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from runs.facts import is_count, is_number

import gymnasium
import numpy as np

PART = 100  # tracks; about five minutes of the stock world on two cores


def drive_in_parts(
    kept: Path,
    driver: dict[str, Any],
    fleet: Fleet,
    parameters: np.ndarray,
    tracks: list[int],
    stock: bool,
    progress: Callable[[int], None],
) -> list[Outcome]:
    """`drive_tracks`, whose outcomes stand in the file `kept` after every part.

    The tracks that it has of this driver (`identity`) are not driven again, and the fleet is
    entered only where some are missing. A part has as many tracks as all worlds of the fleet drive
    at once, or `PART` if those are fewer. Raises `BadInput` when the file cannot be what was kept.
    """
    outcomes = _read(kept, driver)
    missing = [track for track in tracks if track not in outcomes]
    progress(len(tracks) - len(missing))
    with fleet if missing else contextlib.nullcontext():
        while missing:
            size = max(PART, fleet.workers * fleet.worlds)
            part, missing = missing[:size], missing[size:]
            driven = drive_tracks(fleet, parameters, part, stock, progress)
            outcomes |= dict(zip(part, driven, strict=True))
            write_json(kept, {"driver": driver, "episodes": _plain(outcomes)})
    return [outcomes[track] for track in tracks]


def identity(model_directory: ModelDirectory, stock: bool) -> dict[str, Any]:
    """All that the outcome on a track depends on. Raises `BadInput` where there is no agent."""
    # C may see z alone, without any M.
    there = [part for part in AGENT if part != "rnn" or model_directory.has(part)]
    return {
        "agent": {part: model_directory.facts(part)["digest"] for part in there},
        "rendering": "stock" if stock else "fast",
        "gymnasium": gymnasium.__version__,
    }


def _plain(outcomes: dict[int, Outcome]) -> dict[str, dict]:
    return {str(track): dataclasses.asdict(outcome) for track, outcome in outcomes.items()}


def _read(kept: Path, driver: dict[str, Any]) -> dict[int, Outcome]:
    if not kept.exists():
        return {}
    content = read_json(kept)
    known = content.get("driver")
    if not isinstance(known, dict) or aliases.renamed(known) != driver:
        return {}
    try:
        return {int(track): _outcome(saved) for track, saved in content["episodes"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadInput(f"{kept} does not hold what was driven; remove it.") from None


def _outcome(saved: dict[str, Any]) -> Outcome:
    outcome = Outcome(**saved)
    numbers = is_number(outcome.score) and is_count(outcome.steps) and is_number(outcome.tiles)
    if not numbers or not isinstance(outcome.lap, bool):
        raise ValueError
    return outcome
