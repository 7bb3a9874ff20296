"""One evolution of C inside M's dream, watched from the real world.

The candidates never leave the dream. Every few generations the distribution's mean drives in both
worlds, so that the two scores side by side show when C learns to exploit the errors
of its M (model exploitation).
"""

from typing import Any

from controller.dream.history import Pair, read, write
from controller.dream.rollout import DreamEvaluator, Ensemble
from controller.evolution.run import EvolutionRun
from controller.report.history import Row
from controller.report.scores import summary
from rnn.dream import starts
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from settings.driving import DreamEvolution, TrainController

import numpy as np

# The dreams that score a mean, always the same; their keys lie above those of the evolution.
SCORED_DREAMS = np.arange(2**31, 2**31 + 64, dtype=np.uint32)


class DreamRun(EvolutionRun):
    """An evolution whose candidates drive in dreams; see `controller.run.Run`.

    Beside the files of every evolution it writes `dream.csv`, a `Pair` for each mean scored. The
    setting `keep` says which mean becomes C: the "best" in the world so far, or the "last" one,
    about which the world has no say.
    """

    KIND = DreamEvolution

    def __init__(
        self,
        directory: ModelDirectory,
        rollout: DreamEvaluator | Ensemble,
        settings: TrainController,
        bound: dict[str, Any],
    ):
        self.rollout = rollout
        self.pairs_file = directory.path / "dream.csv"
        super().__init__(directory, rollout.features, settings, bound)
        self.pairs = read(self.pairs_file)
        if not self.training.is_over:
            now = self.stage, self.learner.generation
            self.pairs = [pair for pair in self.pairs if (pair.stage, pair.generation) <= now]

    @property
    def best_validation(self) -> float:
        return -np.inf if self.settings.keep == "last" else super().best_validation

    def _record(self, row: Row) -> None:
        super()._record(row)
        if row.validation is not None and row.validation_sd is not None:
            [dreamt] = self.rollout.drive(self.learner.mean[None], SCORED_DREAMS)
            dream = summary(dreamt)
            self.pairs.append(
                Pair(
                    stage=row.stage,
                    generation=row.generation,
                    dream=dream["mean"],
                    dream_sd=dream["sd"],
                    real=row.validation,
                    real_sd=row.validation_sd,
                )
            )
            write(self.pairs_file, self.pairs)

    def _roll_out(self, fleet, candidates, driven_on):
        # What are seeds of tracks in the real world are keys of dreams here.
        return self.rollout.drive(candidates, np.array(driven_on, np.uint32))


def adopt(source: ModelDirectory, target: ModelDirectory, *more: str) -> None:
    """Make `target` a model directory with the V, M and starts of `source`, and `more`, as one.

    Its C is its own, so that a dream's driver is an agent beside the one that learned in the
    real world.
    """
    for part in ("vision", "rnn"):
        source.facts(part)
    if not starts.path_in(source).exists():
        raise BadInput(f"{starts.path_in(source)} does not exist.", make=("rnn",))
    target.take(("vision", "rnn", "starts", *more), source)
