"""One policy-gradient run of C in a model directory, from where an evolution ended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller import arch
from controller.fleet import Fleet
from controller.policy_gradient.natural_gradient import NaturalPolicyGradient
from controller.policy_gradient.trajectories import TrajectoryFleet
from controller.run import Learned, Run
from envs import tracks
from runs import config
from runs.directory import ModelDirectory
from settings.driving import FinetuneController

import numpy as np


class PolicyGradientRun(Run):
    """Goes on where an evolution ended, and is written down as one; see `Run`.

    A generation is one update of the policy, and its candidates are the trajectories that it learns
    from: one policy, with noise on its actions, each on a track of its own.
    """

    settings: FinetuneController
    learner: NaturalPolicyGradient

    def __init__(
        self,
        directory: ModelDirectory,
        features: int,
        settings: FinetuneController,
        bound: dict[str, Any],
        start: Callable[[], np.ndarray] | None = None,
    ):
        """`start` makes the policy to begin at, if not the C of the directory.

        It is asked only when a run begins. In the history what it makes follows on what the
        directory has: that is true of a C from before V and M were trained further there.
        """
        self._given = start
        super().__init__(directory, features, settings, bound)

    def _saved(self) -> dict[str, Any]:
        return config.saved(self.settings) | {"finetune": True}

    def _start(self, features: int) -> np.ndarray:
        return self._given() if self._given else super()._start(features)

    def _begin(self, start: np.ndarray) -> NaturalPolicyGradient:
        origin = "a transferred C" if self._given else "its C"
        print(f"A new policy-gradient run in {self.directory.path} begins at {origin}.")
        if self.settings.release_brake:
            start = arch.release_brake(start)
        return NaturalPolicyGradient(self.settings, start)

    def _resume(self, features: int, checkpoint: Path) -> NaturalPolicyGradient:
        return NaturalPolicyGradient.resume(self.settings, arch.size(features), checkpoint)

    def _learn(self, fleet: Fleet) -> Learned:
        assert isinstance(fleet, TrajectoryFleet)
        driven_on = tracks.evolution(
            self.settings.seed, len(self.lineage_rows), self.settings.episodes
        )
        noise, patience = self.learner.noise, self.settings.patience
        trajectories = fleet.collect(self.learner.mean, driven_on, noise, patience)
        self.learner.update(trajectories)
        scores = np.array([trajectory.score for trajectory in trajectories])
        return Learned(scores, sum(len(trajectory.rewards) for trajectory in trajectories))
