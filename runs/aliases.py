"""Earlier names and today's, so that files, flags and recipes of earlier versions keep working."""

from collections.abc import Mapping
from typing import Any

TODAY = {
    # What to do with a finished training.
    "refine": "finetune",
    "anew": "from_scratch",
    "refines": "finetuned_from",
    # The weight of a VAE-GAN's KL.
    "kl": "kl_weight",
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
    # How the world is rendered where an agent is scored.
    "drawing": "rendering",
    # The sums of its critic.
    "seen": "gram",
    "worth": "moment",
}
# Settings of any V, of a VAE and of a VAE-GAN that once were none, and what they always were then.
ONCE_FIXED = {"frame_stride": 1}
ONCE_FIXED_IN_A_VAE = {"latent": 32, "depth": 32, "kl_weight": 1.0}
ONCE_FIXED_IN_A_VAEGAN = {"drift": 0.0, "flips": False}
POSITION = ("epoch", "batch", "history", "core_seconds")  # of the training of a network
SCRIPTS = {"practice.py": "06_finetune_controller.py"}


def earlier(name: str) -> tuple[str, ...]:
    """The names that a setting had before."""
    return tuple(old for old, today in TODAY.items() if today == name)


def renamed(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What a saved dictionary or a row of a table holds, under today's names."""
    return {TODAY.get(name, name): value for name, value in saved.items()}


def completed(part: str, saved: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a part's training under today's names, with those that once were none."""
    if part != "vision":
        return renamed(saved)
    own = ONCE_FIXED_IN_A_VAEGAN if "variant" in saved else ONCE_FIXED_IN_A_VAE
    return ONCE_FIXED | own | renamed(saved)


def renamed_stage(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the row of a recipe's stage holds, its script too under today's name."""
    return renamed(row) | {"step": script(row.get("step"))}


def script(name: Any) -> Any:
    """A script's name of today; what is no earlier name stays as it is."""
    return SCRIPTS.get(name, name) if isinstance(name, str) else name


def are_trainings(value: Any) -> bool:
    """Whether something read from a file can be the settings of trainings, one or more."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def training_state(saved: dict[str, Any]) -> dict[str, Any]:
    """What a training's file says, as today's say it; earlier ones had two forms.

    What has none of the three stays as it is.
    """
    if saved.keys() == {"stage", "lineage"}:  # of a controller
        if not are_trainings(saved["lineage"]):
            return saved
        # Before C could see less nobody said what it saw, and the largest step size was once a
        # setting of its own: where it was not the first one, the evolution's state refuses.
        lineage = [{"sees": "zh", **settings} for settings in saved["lineage"]]
        for settings in lineage:
            settings.pop("max_sigma", None)
        nothing_else = {"position": {}, "saves": 0, "finished": False, "checkpoint": None}
        return {"lineage": lineage, "stage": saved["stage"], **nothing_else}
    networks = {"settings", "epoch", "batch", "saves", "finished", "digest", "history"}
    if not networks <= saved.keys() <= networks | {"core_seconds"}:
        return saved
    return {
        "lineage": [saved["settings"]],
        "stage": 1,
        "position": {
            "core_seconds": None,
            **{name: saved[name] for name in saved if name in POSITION},
        },
        "saves": saved["saves"],
        "finished": saved["finished"],
        "checkpoint": saved["digest"],
    }
