"""CMA-ES over the controller's parameters: ask, roll out, tell, save.

What is saved is all that the strategy knows between two generations, so that a resumed evolution
is the one that was stopped, to the last bit, and one that moves to another machine goes on there,
however many threads it has. The history is saved beside it.

Replaying the history would not do: of a full covariance matrix that is still nearly round, the
axes follow from the last bits, which differ with the threads and the processor.
"""

import contextlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from envs.rollouts import finite, readable, refuse_large
from runs.arguments import BadInput
from runs.directory import write_whole
from settings.driving import AnyEvolution

import cma
import numpy as np

# What a generation of `cma.CMAEvolutionStrategy` leaves to the next one, as attributes. Which of
# them there are depends on the kind of covariance, on the size and perhaps on the version of cma.
STATE = (
    *("countiter", "mean", "mean_old", "mean_after_tell", "sigma", "pc", "pc2"),
    *("sigma_vec.scaling", "sigma_vec.is_identity", "pop_injection_directions"),
    *("adapt_sigma.ps", "adapt_sigma.s"),
    *("sm.C", "sm.B", "sm.D", "sm.count_tell", "sm.count_eigen", "sm.last_update"),
)
HISTORY = ("start", "returns", "mean")
ANOTHER_WAY = "or fine-tune its best C with another seed"


class Evolution:
    """CMA-ES (package `cma`), maximising returns."""

    def __init__(self, settings: AnyEvolution, start: np.ndarray):
        self.settings = settings
        self.start = np.asarray(start, np.float64)
        self.returns: list[np.ndarray] = []
        self._rng = np.random.default_rng((settings.seed, 3))
        self._strategy = cma.CMAEvolutionStrategy(
            self.start,
            settings.sigma,
            {
                "popsize": settings.population,
                "CMA_diagonal": not settings.full,
                "randn": lambda *shape: self._rng.standard_normal(shape),
                # A seed here would seed NumPy's global generator, which others may draw from.
                "seed": np.nan,
                "verbose": -9,
                # This evolution ends when it is told to.
                "maxiter": np.inf,
                "tolfun": 0,
                "tolx": 0,
                # As always but for the second, 1e12: a covariance of a larger condition would move
                # into a transformation that is not in `STATE`.
                "conditioncov_alleviate": [1e8, 0],
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

    @property
    def deviations(self) -> np.ndarray:
        """The standard deviation of each parameter (P,)."""
        return np.array(self._strategy.stds)

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
        with write_whole(path) as temporary, open(temporary, "wb") as file:
            arrays: dict[str, Any] = {**self._state()}
            np.savez(
                file,
                start=self.start,
                returns=np.array(self.returns).reshape(-1, self.settings.population),
                deviations=self.deviations,
                settings=json.dumps(_numbers(self.settings, len(self.start))),
                made_by=json.dumps(_versions()),
                random=json.dumps(self._rng.bit_generator.state),
                **arrays,
            )

    def _state(self) -> dict[str, np.ndarray]:
        """Those of `STATE` that this strategy has."""
        found = {name: _get(self._strategy, name) for name in STATE}
        return {name: np.array(value) for name, value in found.items() if value is not None}

    @classmethod
    def resume(cls, settings: AnyEvolution, size: int, path: Path) -> "Evolution":
        """The evolution of `size` parameters that `path` holds, where it stood.

        Raises `BadInput` when it is damaged or of other settings, or when the cma that made it
        keeps another state.
        """
        refuse_large(path)
        with readable(path), np.load(path, allow_pickle=False) as file:
            saved = {name: finite(name, file[name]) for name in file.files}
            start, returns, mean = (saved[name].astype(float) for name in HISTORY)
            has_state = "settings" in saved
            its_own = dict(json.loads(str(saved["settings"]))) if has_state else {}
        if has_state and its_own != _numbers(settings, size):
            raise BadInput(f"{path} is of another evolution ({its_own}); put the right file back.")
        shapes = start.shape, returns.shape[1:], mean.shape
        if shapes != ((size,), (settings.population,), (size,)):
            raise BadInput(
                f"{path} is not of {settings.population} candidates of {size} numbers; "
                "put the right file back."
            )
        evolution = cls(settings, start)
        if has_state and len(returns):
            evolution._restore(saved, returns, path)
        else:
            evolution._replay(returns, mean, path)
        return evolution

    def _replay(self, returns: np.ndarray, mean: np.ndarray, path: Path) -> None:
        """Come to where the evolution stood by being told again all it was told.

        Files of earlier versions hold no more.
        """
        for of_candidates in returns:
            self.tell(self.ask(), of_candidates)
        if not np.allclose(self.mean, mean, rtol=1e-9, atol=1e-12):
            raise BadInput(
                f"{path} holds only the history of an evolution, and here it comes out otherwise: "
                "it was made with other settings, another version of the package cma or, with a "
                "full covariance, another number of threads. Finish it with those "
                f"(OPENBLAS_NUM_THREADS sets the threads), {ANOTHER_WAY}."
            )

    def _restore(self, saved: dict[str, np.ndarray], returns: np.ndarray, path: Path) -> None:
        """Put the state that was saved in the place of the strategy's own."""
        # A generation first, so that the strategy has all that it makes only then.
        self._strategy.tell(self._strategy.ask(), list(range(self.settings.population)))
        names = set(STATE) & saved.keys()
        taken = names == self._state().keys()
        with readable(path):
            made_with = json.loads(str(saved["made_by"]))["cma"]
            self._rng.bit_generator.state = json.loads(str(saved["random"]))
            if taken:
                for name in names:
                    _set(self._strategy, name, saved[name])
                # What the strategy knows of its sampler beside it, and which candidates come from
                # the directions that lie ready.
                self._strategy.dC = self._strategy.sm.variances
                ready = len(self._strategy.pop_injection_directions)
                self._strategy._indices_of_selective_mirrors = range(ready)
                taken = np.allclose(self.deviations, saved["deviations"])
                if self._strategy.countiter != len(returns):
                    raise ValueError("its history and its state are not of one generation")
        if not taken:
            raise BadInput(
                f"{path} was made with cma {made_with}, whose state cma {cma.__version__} cannot "
                f"take: finish it with the former, {ANOTHER_WAY}."
            )
        self.returns = list(returns)


def _get(strategy: cma.CMAEvolutionStrategy, name: str):
    """An attribute, or an attribute of one; None where there is none."""
    found = strategy
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _set(strategy: cma.CMAEvolutionStrategy, name: str, value: np.ndarray) -> None:
    """Give an attribute a value of its own kind and shape; any shape where it is one number.

    Of directions there are as many as a generation left: of a small population one or none.
    """
    owner, _, last = name.rpartition(".")
    owner = _get(strategy, owner) if owner else strategy
    now = getattr(owner, last)
    wanted = np.shape(now)
    if isinstance(now, list):
        wanted = (len(value), len(strategy.mean)) if len(value) else (0,)
    if wanted not in ((), value.shape):
        raise ValueError(f"{name} is {value.shape}, not {wanted}")
    if isinstance(now, np.ndarray):
        setattr(owner, last, value.astype(float))
    else:
        setattr(owner, last, list(value) if isinstance(now, list) else type(now)(value.item()))


def _numbers(settings: AnyEvolution, size: int) -> dict[str, int | float | bool]:
    """What makes an evolution what it is, as its file says it."""
    names = ("population", "sigma", "seed")
    numbers = {name: getattr(settings, name) for name in names}
    return {"size": size, "diagonal": not settings.full, **numbers}


def _versions() -> dict[str, str]:
    """What evolutions are made with here."""
    versions = {"cma": cma.__version__, "numpy": np.__version__}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        versions["world-models"] = importlib.metadata.version("world-models")
    return versions
