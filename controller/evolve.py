"""CMA-ES over the controller's parameters: ask, roll out, tell, save.

The whole state of an evolution follows from its settings and the returns of every generation so
far: CMA-ES with a seed of its own asks the same questions when it gets the same answers. So that
is what is saved, and a resumed evolution is the one that was stopped, to the last bit.
"""

from pathlib import Path

from envs.rollouts import readable
from runs.arguments import BadInput
from runs.directory import write_whole
from settings.driving import AnyEvolution

import cma
import numpy as np


class Evolution:
    """CMA-ES (package `cma`), maximising returns, replayable."""

    def __init__(self, settings: AnyEvolution, start: np.ndarray):
        self.settings = settings
        self.start = np.asarray(start, np.float64)
        self.returns: list[np.ndarray] = []
        self._strategy = cma.CMAEvolutionStrategy(
            self.start,
            settings.sigma,
            {
                "popsize": settings.population,
                "CMA_diagonal": not settings.full,
                "randn": _normal(settings.seed),
                # A seed here would seed NumPy's global generator, which others may draw from.
                "seed": np.nan,
                "verbose": -9,
                # This evolution ends when it is told to.
                "maxiter": np.inf,
                "tolfun": 0,
                "tolx": 0,
            },
        )

    @property
    def generation(self) -> int:
        """Generations that are over."""
        return len(self.returns)

    @property
    def mean(self) -> np.ndarray:
        """The mean of the distribution (P,): the driver that counts."""
        return np.array(self._strategy.mean)

    @property
    def sigma(self) -> float:
        return float(self._strategy.sigma)

    def ask(self) -> np.ndarray:
        """The candidates of this generation, (population, P)."""
        return np.array(self._strategy.ask())

    def tell(self, candidates: np.ndarray, returns: np.ndarray) -> None:
        """Move the distribution: `returns` (population,), higher is better."""
        self.returns.append(np.asarray(returns, np.float64))
        self._strategy.tell(list(candidates), list(-self.returns[-1]))
        # Ranks that are mostly noise let the step size wander upwards, where nobody can drive.
        self._strategy.sigma = min(self._strategy.sigma, self.settings.sigma)

    def save(self, path: Path) -> None:
        with write_whole(path) as beside, open(beside, "wb") as file:
            np.savez(
                file,
                start=self.start,
                returns=np.array(self.returns).reshape(-1, self.settings.population),
                mean=self.mean,
                deviations=self._strategy.sigma * np.sqrt(self._strategy.dC),
                sigma=self.sigma,
            )

    @classmethod
    def resume(cls, settings: AnyEvolution, path: Path) -> "Evolution":
        """The evolution that `path` holds, brought to where it stood."""
        with readable(path), np.load(path, allow_pickle=False) as saved:
            start, returns, mean = (saved[name] for name in ("start", "returns", "mean"))
        evolution = cls(settings, start)
        for told in returns:
            evolution.tell(evolution.ask(), told)
        if not np.allclose(evolution.mean, mean, rtol=1e-9, atol=1e-12):
            raise BadInput(
                f"{path} was made with another version of the package cma or other settings; "
                "finish it with those or remove it."
            )
        return evolution


def _normal(seed: int):
    rng = np.random.default_rng((seed, 3))
    return lambda *shape: rng.standard_normal(shape)
