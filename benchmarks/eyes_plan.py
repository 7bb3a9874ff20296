"""What of the table of `eyes.py` is done, and what the rest will cost, from what was measured."""

from runs import training
from runs.directory import ModelDirectory

import numpy as np
from eyes_record import PARTS, Record

HEAD = ["training", *PARTS, "V so far", "core-hours: V", "M and C", "left"]


def table(trainings: list[tuple[Record, ModelDirectory, int]]) -> str:
    """A row for each training: its record, its model directory and the epochs of its V.

    Core-hours are a training's own where it is done; else, of V, what its epochs so far come to;
    else the mean of its row; else nobody knows.
    """
    own = [(vision_hours(*one), driving_hours(one[0])) for one in trainings]
    lines = [HEAD, ["---"] * len(HEAD)]
    total, unknown = 0.0, 0
    for (record, model, epochs), hours in zip(trainings, own, strict=True):
        row = [
            known
            for (other, _, _), known in zip(trainings, own, strict=True)
            if other.one.row == record.one.row
        ]
        v, rest = (
            own_hours if own_hours is not None else mean([known[i] for known in row])
            for i, own_hours in enumerate(hours)
        )
        if rest is None:  # The same for every row.
            rest = mean([known[1] for known in own])
        share = 1.0 if record.has("visions") else progress(model, epochs)
        left = None
        if v is not None and rest is not None:
            left = (1 - share) * v + (0 if record.has("drives") else rest)
            total += left
        unknown += left is None
        done = ["yes" if record.has(part) else "" for part in PARTS]
        lines.append([record.one.name, *done, f"{share:.0%}", shown(v), shown(rest), shown(left)])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    ending = f", and {unknown} trainings whose cost nobody has measured" if unknown else ""
    return f"{text}\nLeft: {total:.1f} core-hours{ending}.\n"


def vision_hours(record: Record, model: ModelDirectory, epochs: int) -> float | None:
    if record.has("visions"):
        return record.get("visions")["core_hours"]
    share, state = progress(model, epochs), training.read(model, "vision")
    if not share or not state or not state["position"].get("core_seconds"):
        return None
    return state["position"]["core_seconds"] / 3600 / share


def driving_hours(record: Record) -> float | None:
    return sum(record.get("drives")["core_hours"].values()) if record.has("drives") else None


def progress(model: ModelDirectory, epochs: int) -> float:
    """The share of V's epochs that are over; of one under way nothing is counted."""
    state = training.read(model, "vision")
    return state["position"].get("epoch", 0) / epochs if state else 0.0


def mean(hours: list[float | None]) -> float | None:
    known = [some for some in hours if some is not None]
    return float(np.mean(known)) if known else None


def shown(hours: float | None) -> str:
    return "?" if hours is None else f"{hours:.2f}"
