"""One run that brings C forward in a model directory, over any number of sittings."""

import abc
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from controller import arch
from controller.fleet import Fleet
from controller.report import history
from controller.report.history import Row
from controller.report.scores import drive_tracks, summary
from envs import tracks
from runs import progress
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from runs.training import Standing, Training
from settings.driving import SEES, RunSettings
from settings.shared import Again

import numpy as np


@dataclasses.dataclass(frozen=True)
class Learned:
    """What a generation drove to learn from: the return of each candidate, steps in all."""

    returns: np.ndarray
    steps: int
    on_new_tracks: float | None = None


class Learner(Protocol):
    """What a run brings forward: a policy, and all that it knows of how to go on."""

    @property
    def mean(self) -> np.ndarray: ...

    @property
    def sigma(self) -> float: ...

    @property
    def generation(self) -> int: ...

    def save(self, path: Path) -> None: ...


class ControllerTraining(Training):
    """The training of C, whose checkpoints hold the state of what brings it forward."""

    ENDING = ".npz"

    def checkpoint(self) -> Path:
        # Earlier versions had one checkpoint for each stage and no digest of it.
        earlier = self.directory.path / f"controller.evolution{self.stage}.npz"
        return earlier if self._digest is None and earlier.exists() else super().checkpoint()

    def commit(self, write: Callable[[Path], None], **position: Any) -> None:
        super().commit(write, **position)
        for earlier in self.directory.path.glob("controller.evolution*.npz"):
            earlier.unlink()


class Run(abc.ABC):
    """A run of a model directory: begins, resumes or fine-tunes one, generation by generation.

    Beside the files of a `Training` it writes `controller.csv`, the history of all runs, and with
    each new best mean `controller.weights.h5`.

    `bound` is what the run is bound to beside its settings, such as the digest of M; `saved` is
    both, as they are written down and compared. A run that a later one has fine-tuned is over, and
    has no state any more. Raises `BadInput` as `Training` does, and when history and state of a run
    do not fit.
    """

    settings: RunSettings
    learner: Learner

    def __init__(
        self,
        directory: ModelDirectory,
        features: int,
        settings: RunSettings,
        bound: dict[str, Any],
    ):
        self.directory = directory
        self.settings = settings
        self.saved = self._saved() | bound
        self.csv_file = directory.path / "controller.csv"
        self.rows = history.read(self.csv_file)
        self.training = ControllerTraining(
            directory,
            "controller",
            self.saved,
            from_scratch=isinstance(settings, Again) and settings.from_scratch,
            at_any_time=True,
            # A published agent has its history and not the state: what fine-tunes it comes after.
            begun_before=max((row.stage for row in self.rows), default=0),
        )
        if any(row.stage > self.stage for row in self.rows):
            raise BadInput(
                f"{self.csv_file} has generations of a later run than {self.training.state_file} "
                f"knows; {history.PUT_BACK}."
            )
        if self.training.is_over:
            return
        if self.training.standing is Standing.NEW:
            self.learner = self._begin(self._start(features))
            self._commit()
        else:
            self.learner = self._resume(features, self.training.checkpoint())
            if self.learner.generation >= settings.generations:
                same = ", and from scratch these would be the same" if self._can_start_over else ""
                print(
                    f"All {self.learner.generation} generations are done; more of them go on "
                    f"here{same}."
                )
            elif self.learner.generation:
                print(f"Resuming after generation {self.learner.generation}.")
        # Rows of a generation that was killed before its state was saved are made again.
        over = self.learner.generation
        self.rows = [r for r in self.rows if r.stage < self.stage or r.generation <= over]
        recorded = [r.generation for r in self.rows if r.stage == self.stage]
        if len(recorded) != over or recorded != list(range(1, over + 1)):
            raise self._generations_lack()

    def _generations_lack(self) -> BadInput:
        """What is raised where the history lacks generations of this run."""
        state = self.training.state_file
        lacking = f"{self.csv_file} lacks generations that {state} has; put the file back or"
        if self._can_start_over:
            return BadInput(f"{lacking} begin from scratch.", options=("from_scratch",))
        return BadInput(f"{lacking} remove {state.name}, and a new run begins at the present C.")

    @property
    def _can_start_over(self) -> bool:
        """Whether such a run can begin from scratch, and not at a C alone."""
        return isinstance(self.settings, Again)

    @property
    def stage(self) -> int:
        return self.training.stage

    @property
    def lineage(self) -> list[dict[str, Any]]:
        return self.training.lineage

    @property
    def lineage_rows(self) -> list[Row]:
        """The generations of this run and of those it fine-tunes."""
        first = self.stage - len(self.lineage) + 1
        return [row for row in self.rows if row.stage >= first]

    def _commit(self) -> None:
        self.training.commit(self.learner.save, generation=self.learner.generation)

    def _start(self, features: int) -> np.ndarray:
        """Where a new run begins: at the best mean of the one it fine-tunes, or at zero."""
        if self.saved["finetune"]:
            return arch.load(self.directory, features, or_before=True)
        return np.zeros(arch.size(features))

    @abc.abstractmethod
    def _saved(self) -> dict[str, Any]:
        """What of the settings a result depends on."""

    @abc.abstractmethod
    def _begin(self, start: np.ndarray) -> Learner: ...

    @abc.abstractmethod
    def _resume(self, features: int, checkpoint: Path) -> Learner: ...

    @abc.abstractmethod
    def _learn(self, fleet: Fleet) -> Learned:
        """Drive, and learn from that: one generation."""

    @property
    def best_validation(self) -> float:
        """The best score of a mean on these validation tracks in this evolution's line.

        What it scored on others, or with an M (or V) that has learned since, is no measure: then
        the first mean that is validated becomes C.
        """
        names = (SEES[self.saved["sees"]], "validation_tracks")
        first = self.stage - len(self.lineage) + 1
        scores = [
            row.validation
            for row in self.lineage_rows
            if all(
                self.lineage[row.stage - first].get(name) == self.saved.get(name) for name in names
            )
        ]
        scores.append(self._validation_before_finetuning())
        return max((score for score in scores if score is not None), default=-np.inf)

    def _validation_before_finetuning(self) -> float | None:
        """What the C of the directory says of itself, which may have come without its lineage."""
        if not self.saved["finetune"] or not self.directory.has("controller"):
            return None
        facts, part = self.directory.facts("controller"), SEES[self.saved["sees"]]
        measured = facts.get("validation", {})
        on_the_same = measured.get("tracks") == self.settings.validation_tracks
        return measured.get("mean") if on_the_same and facts[part] == self.saved[part] else None

    def generation(self, fleet: Fleet, validate: list[int]) -> Row:
        """Do one generation, and validate the mean on `validate` if given."""
        began = time.monotonic()
        number = self.learner.generation + 1
        learned = self._learn(fleet)

        steps, score = learned.steps, None
        if validate:
            validated = drive_tracks(fleet, self.learner.mean, validate, stock=False)
            steps += sum(outcome.steps for outcome in validated)
            score = summary(validated)
            if score["mean"] > self.best_validation:
                self._keep(number, score)

        row = Row(
            stage=self.stage,
            generation=number,
            best=float(learned.returns.max()),
            mean=float(learned.returns.mean()),
            worst=float(learned.returns.min()),
            sigma=self.learner.sigma,
            steps=steps,
            seconds=round(time.monotonic() - began, 2),
            workers=fleet.workers,
            validation=score["mean"] if score else None,
            validation_sd=score["sd"] if score else None,
            on_new_tracks=learned.on_new_tracks,
            learned=self._hours_before(),
        )
        self._record(row)
        self._commit()
        return row

    def _record(self, row: Row) -> None:
        """Write down a generation that is over, before it counts as committed."""
        self.rows.append(row)
        history.write(self.csv_file, self.rows)

    def _hours_before(self) -> float | None:
        """Core-hours of training what C acts on; None where one part's are not known."""
        parts = ("vision", "rnn")[: 1 + (self.saved["sees"] == "zh")]
        spent = [self.directory.facts(part).get("core_hours") for part in parts]
        known = [hours for hours in spent if hours is not None]
        return sum(known) if len(known) == len(parts) else None

    def _keep(self, generation: int, score: dict) -> None:
        facts = {**self.saved, "stage": self.stage, "generation": generation}
        arch.save(self.directory, self.learner.mean, {**facts, "validation": score})


def generations(run: Run, fleet: Fleet) -> None:
    """Bring a run to all its generations; validate the mean now and then, and at the end."""
    wanted, every = run.settings.generations, run.settings.evaluate_every
    validation = tracks.validation(run.settings.validation_tracks)
    done = run.learner.generation
    with fleet, progress.bar(wanted, "generations", done=done) as bar:
        for number in range(done + 1, wanted + 1):
            validate = number % every == 0 or number == wanted
            row = run.generation(fleet, validation if validate else [])
            bar.write(line(row))
            bar.update()


def line(row: Row) -> str:
    """A generation in one line."""
    words = (
        f"generation {row.generation:4d}  candidates {row.mean:6.1f} (best {row.best:6.1f})  "
        f"sigma {row.sigma:.4f}  {row.steps / row.seconds:6,.0f} steps/s  {row.seconds:5.1f} s"
    )
    if row.validation is not None:
        words += f"  mean on validation tracks {row.validation:.1f} ± {row.validation_sd:.1f}"
    if row.on_new_tracks is not None:
        words += f"  on new tracks {row.on_new_tracks:.1f}"
    return words
