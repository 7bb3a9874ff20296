"""What of the table of `eyes.py` is done, and what the rest will cost, from what was measured."""

import dataclasses

from runs import training
from runs.directory import ModelDirectory

import numpy as np
from eyes_record import PARTS, TrainingRecord

HEAD = ["training", *PARTS, "V so far", "core-hours: V", "M and C", "left"]


@dataclasses.dataclass(frozen=True)
class Planned:
    """One training: its record, its model directory, and the length of its V's training."""

    record: TrainingRecord
    model: ModelDirectory
    epochs: int
    batches: int  # of an epoch

    @property
    def share(self) -> float:
        """How much of V's training is over, as of its last checkpoint."""
        if self.record.has("visions"):
            return 1.0
        at = self._position()
        return (at.get("epoch", 0) + at.get("batch", 0) / self.batches) / self.epochs

    @property
    def vision_hours(self) -> float | None:
        """Core-hours of V: all of them, or what they come to if it goes on as it did."""
        if self.record.has("visions"):
            return self.record.get("visions")["core_hours"]
        seconds = self._position().get("core_seconds")
        return seconds / 3600 / self.share if seconds and self.share else None

    @property
    def driving_hours(self) -> float | None:
        """Core-hours of M and C."""
        if not self.record.has("drives"):
            return None
        return sum(self.record.get("drives")["core_hours"].values())

    def _position(self) -> dict:
        state = training.read(self.model, "vision")
        return state["position"] if state else {}


def table(trainings: list[Planned]) -> str:
    """A row for each training, and what is left in all.

    Core-hours are a training's own, where they are known; else the mean of those of its row, which
    for M and C may be any row: they are the same in all.
    """
    driving = mean([one.driving_hours for one in trainings])
    lines, total, unknown = [HEAD, ["---"] * len(HEAD)], 0.0, 0
    for one in trainings:
        row = [other for other in trainings if other.record.one.row == one.record.one.row]
        vision = one.vision_hours or mean([other.vision_hours for other in row])
        left = None
        if vision is not None and driving is not None:
            left = (1 - one.share) * vision + (0 if one.record.has("drives") else driving)
            total += left
        unknown += left is None
        done = ["yes" if one.record.has(part) else "" for part in PARTS]
        hours = [shown(vision), shown(one.driving_hours or driving), shown(left)]
        lines.append([one.record.one.name, *done, f"{one.share:.0%}", *hours])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    ending = f", and {unknown} trainings whose cost nobody has measured" if unknown else ""
    return f"{text}\nLeft: {total:.1f} core-hours{ending}.\n"


def mean(hours: list[float | None]) -> float | None:
    known = [some for some in hours if some is not None]
    return float(np.mean(known)) if known else None


def shown(hours: float | None) -> str:
    return "?" if hours is None else f"{hours:.2f}"
