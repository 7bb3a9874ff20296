"""What each training of `eyes.py` leaves: small files, from which alone its report is made.

Held-out losses are those that say what V keeps, of a VAE and of any VAE-GAN: the pixel error of a
frame, summed, and the KL in nats. An adversary's own never come to rest.
"""

import dataclasses
from pathlib import Path

from controller.report import history
from runs import aliases, training
from runs.directory import ModelDirectory, read_json, write_json
from runs.recipe import Stage

import numpy as np

PARTS = ("visions", "measures", "drives")

AT_THE_END = 0.2  # of a training, in which
STILL = 0.01  # of their mean is the most that held-out losses may range over
LEAST_EPOCHS = 10  # of which the last fifth is two


@dataclasses.dataclass(frozen=True)
class EyesTraining:
    """One row of the table with one seed."""

    recipe: Path
    seed: int

    @property
    def row(self) -> str:
        return self.recipe.stem

    @property
    def name(self) -> str:
        return f"{self.row}-{self.seed}"


class TrainingRecord:
    """The small files of one training, each with the stages that it is the outcome of."""

    def __init__(self, folder: Path, one: EyesTraining, stages: list[Stage]):
        self.folder, self.one = folder, one
        self.stages = [stage.row for stage in stages]

    def of_the_first(self) -> "TrainingRecord":
        """The record of the same row's first seed."""
        first = TrainingRecord(self.folder, dataclasses.replace(self.one, seed=1), [])
        first.stages = self.stages
        return first

    def has(self, part: str) -> bool:
        """Whether there is a file, and of these stages."""
        if not self._path(part).exists():
            return False
        known = [aliases.renamed_stage(row) for row in self.get(part)["stages"]]
        return known == [aliases.renamed_stage(row) for row in self._stages(part)]

    def get(self, part: str) -> dict:
        return read_json(self._path(part))

    def put(self, part: str, content: dict) -> None:
        made = {"row": self.one.row, "seed": self.one.seed, "stages": self._stages(part)}
        write_json(self._path(part), made | content)

    def is_settled(self) -> bool:
        return self.has("visions") and self.get("visions")["flat"]

    def _path(self, part: str) -> Path:
        return self.folder / part / f"{self.one.name}.json"

    def _stages(self, part: str) -> list[dict]:
        """What the outcome of a part depends on: of V alone the first stage."""
        return self.stages if part == "drives" else self.stages[:1]


def recorded(folder: Path, part: str) -> dict[str, dict[int, dict]]:
    """All files of a part: by row, then by seed."""
    rows: dict[str, dict[int, dict]] = {}
    for path in sorted((folder / part).glob("*.json")):
        content = read_json(path)
        rows.setdefault(content["row"], {})[content["seed"]] = content
    return {row: dict(sorted(found.items())) for row, found in rows.items()}


def vision_record(model: ModelDirectory) -> dict:
    """What a training of V leaves."""
    state, facts = training.read(model, "vision"), model.facts("vision")
    assert state
    epochs = [held_out(losses) for losses in state["position"]["history"]]
    ranges = {name: spread([epoch[name] for epoch in epochs]) for name in epochs[0]}
    return {
        "vision": facts["digest"],
        "data": facts["data"],
        "precision": facts["precision"],
        "core_hours": facts["core_hours"],
        "held_out": epochs,
        "ranges": ranges,
        "flat": len(epochs) >= LEAST_EPOCHS and ranges["pixels + kl"] <= STILL,
    }


def held_out(losses: dict[str, float]) -> dict[str, float]:
    """Pixel error and KL in nats, from an epoch's losses of a VAE or a VAE-GAN."""
    pixels = losses.get("val_reconstruction", losses.get("val_pixels"))
    kl = losses["val_kl"] if "val_kl" in losses else losses["val_bits"] * np.log(2)
    assert pixels is not None
    return {"pixels": pixels, "kl": float(kl), "pixels + kl": float(pixels + kl)}


def spread(losses: list[float]) -> float:
    """The range of the last fifth of a training's losses over their mean."""
    last = np.array(losses[-max(1, round(AT_THE_END * len(losses))) :])
    return float(np.ptp(last) / last.mean())


def measured(sums: dict[str, np.ndarray]) -> dict:
    """What `vae.compare.sums` gives for one V, to five digits."""
    return {"sums": {name: rows.round(5).tolist() for name, rows in sums.items()}}


def driven(model: ModelDirectory, res: Path) -> dict:
    """What the trainings of M and C leave, and the score."""
    rows = history.line(model)
    [score] = read_json(res / "scores_fast.json").values()
    return {
        "core_hours": {
            "M": model.facts("rnn")["core_hours"],
            "C": float(history.core_hours(rows)[-1]),
        },
        "steps": sum(row.steps for row in rows),
        "candidates": [round(row.mean, 2) for row in rows],
        "validated": {
            str(generation): round(row.validation, 2)
            for generation, row in enumerate(rows, 1)
            if row.validation is not None
        },
        "scores": [round(episode["score"], 2) for episode in score["episodes"]],
    }
