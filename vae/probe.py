"""A linear probe: how much of the car's state lies in a latent for a linear controller to read."""

import numpy as np

RIDGE = 1e-3


def fit(z: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Weights (L + 1, K) of the least-squares line from z (N, L) to truth (N, K).

    A little ridge on z, in units of its own spread, keeps idle dimensions from mattering.
    """
    inputs = _with_one(z)
    penalty = RIDGE * len(z) * np.diag(np.append(z.var(axis=0) + 1e-9, 0))
    return np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ truth)


def predict(weights: np.ndarray, z: np.ndarray) -> np.ndarray:
    """What the line of `fit` reads from z (N, L): (N, K)."""
    return _with_one(z) @ weights


def r2(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The share of the variance of each column (N, K) that is explained, (K,); at most 1.

    A column that does not vary has NaN.
    """
    missed = np.square(truth - predicted).sum(axis=0)
    spread = np.square(truth - truth.mean(axis=0)).sum(axis=0)
    return 1 - np.divide(missed, spread, out=np.full_like(spread, np.nan), where=spread > 0)


def _with_one(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z, np.ones((len(z), 1))], axis=1).astype(np.float64)
