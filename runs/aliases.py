"""Earlier names and today's, so that files, flags and recipes of earlier versions keep working."""

from collections.abc import Mapping
from typing import Any

TODAY = {
    # What to do with a finished training.
    "refine": "finetune",
    "anew": "from_scratch",
    "refines": "finetuned_from",
    # The evolution's tracks.
    "scout": "hard_tracks",
    "scouted": "on_new_tracks",
    # The exploration of a driver that records.
    "noise_steps": "noise_hold",
    "takeovers": "action_bursts",
    # The policy gradient's settings, and what it is bound to.
    "persistence": "correlation",
    "rate": "step_size",
    "grass": "grass_penalty",
    "missed": "missed_tile_penalty",
    "discount": "gamma",
    "trace": "gae_lambda",
    "memory": "decay",
    "carry": "init_from",
    "carried": "transferred_from",
    # The sums of its critic.
    "seen": "gram",
    "worth": "moment",
}
SCRIPTS = {"practice.py": "06_finetune_controller.py"}


def earlier(name: str) -> tuple[str, ...]:
    """The names that a setting had before."""
    return tuple(old for old, today in TODAY.items() if today == name)


def renamed(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What a saved dictionary or a row of a table holds, under today's names."""
    return {TODAY.get(name, name): value for name, value in saved.items()}


def renamed_stage(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the row of a recipe's stage holds, its script too under today's name."""
    return renamed(row) | {"step": script(row.get("step"))}


def script(name: Any) -> Any:
    """A script's name of today; what is no earlier name stays as it is."""
    return SCRIPTS.get(name, name)
