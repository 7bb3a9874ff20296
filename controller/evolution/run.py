"""One evolution of C in a model directory, by CMA-ES."""

from pathlib import Path
from typing import Any

from controller import arch
from controller.evolution.cma_es import Evolution
from controller.fleet import Fleet
from controller.rollout import Job, Outcome
from controller.run import Learned, Run
from envs import tracks
from runs import config
from runs.arguments import BadInput
from settings.driving import AnyEvolution, TrainController, WorldEvolution

import numpy as np

COLLAPSED = 1e-3  # of the step size at first


class EvolutionRun(Run):
    """An evolution of C whose candidates drive in the world."""

    KIND: type[AnyEvolution] = WorldEvolution  # whose settings are saved

    settings: TrainController
    learner: Evolution

    def _saved(self) -> dict[str, Any]:
        return config.saved(self.settings, self.KIND) | {"diagonal": not self.settings.full}

    def _begin(self, start: np.ndarray) -> Evolution:
        return Evolution(self.settings, start)

    def _resume(self, features: int, checkpoint: Path) -> Evolution:
        return Evolution.resume(self.settings, arch.size(features), checkpoint)

    def _learn(self, fleet: Fleet) -> Learned:
        """Ask for candidates, roll them out, tell what they returned."""
        driven_on, driven = self._choose_tracks(fleet)
        on_new_tracks = float(np.mean([outcome.score for outcome in driven])) if driven else None
        candidates = self.learner.ask()
        outcomes = self._roll_out(fleet, candidates, driven_on)
        scores = np.array([[outcome.score for outcome in row] for row in outcomes])
        returns = comparable(scores.mean(1))
        before = self.learner.deviations
        self.learner.tell(candidates, returns)
        tell_of_collapse(before, self.learner.deviations, self.settings.sigma)
        driven += [outcome for row in outcomes for outcome in row]
        return Learned(returns, sum(outcome.steps for outcome in driven), on_new_tracks)

    def _choose_tracks(self, fleet: Fleet) -> tuple[list[int], list[Outcome]]:
        """Choose the tracks of a generation; return them and the outcomes of looking for them.

        With `hard_tracks` the mean drives so many first, and half of the generation's are those
        on which it did worst: a good driver fails on one track in ten, so that a generation of
        few tracks would hardly ever meet what is left to learn (compare Prioritized Level Replay,
        Jiang et al. 2021). Every generation has other tracks, so none is learned by heart.
        """
        wanted, sampled = self.settings.rollouts, self.settings.hard_tracks
        fresh = tracks.evolution(self.settings.seed, len(self.lineage_rows), max(wanted, sampled))
        if not sampled:
            return fresh, []
        [outcomes] = self._roll_out(fleet, self.learner.mean[None], fresh)
        return worst_and_any(fresh, [outcome.score for outcome in outcomes], wanted), outcomes

    def _roll_out(
        self, fleet: Fleet, candidates: np.ndarray, driven_on: list[int]
    ) -> list[list[Outcome]]:
        """Drive every candidate on every track; outcomes (population, tracks)."""
        jobs = [Job(candidate, track) for candidate in candidates for track in driven_on]
        outcomes = fleet.drive(jobs, self.settings.patience)
        return [outcomes[i : i + len(driven_on)] for i in range(0, len(jobs), len(driven_on))]


def comparable(returns: np.ndarray) -> np.ndarray:
    """The returns (population,) of candidates; one that is no number counts as the worst.

    Says so, and where there is nothing to choose between.
    """
    known = np.isfinite(returns)
    if not known.any():
        raise BadInput("No candidate returned a number; look at M, or begin from scratch.")
    if not known.all():
        print(f"Warning: {(~known).sum()} candidates returned no number and count as the worst.")
    returns = np.where(known, returns, returns[known].min())
    if np.ptp(returns) == 0:
        print(f"Warning: all candidates returned {returns[0]:.1f}: there is nothing to learn.")
    return returns


def tell_of_collapse(before: np.ndarray, now: np.ndarray, sigma: float) -> None:
    """Say so in the generation in which the step size collapses: the largest standard deviation of
    a parameter, before and now (P,) each, falls below a thousandth of what it was at first."""
    if now.max() < COLLAPSED * sigma <= before.max():
        print(
            f"Warning: the step size has collapsed (to {now.max():.1g}, from {sigma:g} at first): "
            "candidates are hardly distinguishable, and nothing more is learned. Fine-tune the "
            "best C with a larger one."
        )


def worst_and_any(fresh: list[int], scores: list[float], wanted: int) -> list[int]:
    """`wanted` of these tracks: half (rounded down) those of the lowest scores, the rest any."""
    order = [int(place) for place in np.argsort(scores, kind="stable")]
    worst = order[: wanted // 2]
    others = [place for place in range(len(fresh)) if place not in worst]
    return [fresh[place] for place in worst + others[: wanted - len(worst)]]
