"""One practice of C in a model directory: policy gradient from where an evolution ended."""

from collections.abc import Callable
from typing import Any

from controller import arch
from controller.evolution.run import Learned, Run
from controller.fleet import Fleet
from controller.policy_gradient.natural_gradient import Ascent
from controller.policy_gradient.trajectories import Practice
from envs import tracks
from runs import config
from runs.directory import ModelDirectory
from settings.driving import FinetuneController

import numpy as np


class PracticeRun(Run):
    """A practice goes on where an evolution ended, and is written down as one; see `Run`.

    A generation is one step of the ascent, and its candidates are the episodes that it learns
    from: one policy, with noise on its actions, each on a track of its own.
    """

    settings: FinetuneController
    evolution: Ascent

    def __init__(
        self,
        directory: ModelDirectory,
        features: int,
        settings: FinetuneController,
        bound: dict[str, Any],
        start: Callable[[], np.ndarray] | None = None,
    ):
        """`start` makes the policy to begin at, if not the C of the directory.

        It is asked only when a practice begins. In the history what it makes follows on what the
        directory has: that is true of a C from before V and M were trained further there.
        """
        self._given = start
        super().__init__(directory, features, settings, bound)

    def _saved(self) -> dict[str, Any]:
        return config.saved(self.settings) | {"refine": True}

    def _start(self, features: int) -> np.ndarray:
        return self._given() if self._given else super()._start(features)

    def _begin(self, start: np.ndarray) -> Ascent:
        of = "a C carried over" if self._given else "its C"
        print(f"A new practice in {self.directory.path} begins at {of}.")
        if self.settings.release_brake:
            start = arch.release_brake(start)
        return Ascent(self.settings, start)

    def _resume(self, features: int) -> Ascent:
        return Ascent.resume(self.settings, arch.size(features), self.evolution_file)

    def _learn(self, fleet: Fleet) -> Learned:
        assert isinstance(fleet, Practice)
        driven_on = tracks.evolution(
            self.settings.seed, len(self.lineage_rows), self.settings.episodes
        )
        noise, patience = self.evolution.noise, self.settings.patience
        traces = fleet.practise(self.evolution.mean, driven_on, noise, patience)
        self.evolution.tell(traces)
        scores = np.array([trace.score for trace in traces])
        return Learned(scores, sum(len(trace.rewards) for trace in traces))
