"""What the page says of M's and V's numbers: what each latent does, and how fast the car is."""

from controller.web.episodes import DrivenEpisode

import keras
import numpy as np

FAR = 2.0  # SDs of a latent number, to see what it does
THIRDS = (("top", "middle", "bottom"), ("left", "centre", "right"))
RIDGE = 10.0  # on features below 1, of some thousand moments
LEAST = 1.0  # levels of 255, on average over the picture, below which a change is hardly seen


def latents(decoder: keras.Model, z_mean: np.ndarray, z_log_var: np.ndarray) -> list[dict]:
    """What each latent number does, from what V makes of moments: (N, L) each.

    `mean` and `sd` are of the samples that M learned from and dreams. `change` is the mean
    difference, in levels of 255, between the mean's pictures with FAR SDs less (`low`) and more
    (`high`) of the number; `used` says whether it can be seen, and `does` in words what more of it
    makes of the ninth of the picture it changes most.
    """
    mean, sd = z_mean.mean(0), np.sqrt(z_mean.var(0) + np.exp(z_log_var).mean(0))
    moved = FAR * np.diag(sd)
    ends = decoder.predict(np.concatenate([mean - moved, mean + moved]), verbose=0)
    low, high = np.split(255 * ends, 2)  # (L, 64, 64, 3) each
    described = []
    for i, difference in enumerate(high - low):
        change = float(np.abs(difference).mean())
        described.append(
            {
                "mean": round(float(mean[i]), 4),
                "sd": round(float(sd[i]), 4),
                "low": round(float(mean[i] - moved[i, i]), 4),
                "high": round(float(mean[i] + moved[i, i]), 4),
                "change": round(change, 2),
                "used": change >= LEAST,
                "does": words(difference) if change >= LEAST else "hardly a change",
            }
        )
    return described


def words(difference: np.ndarray) -> str:
    """What a difference (64, 64, 3) between two pictures of the road is, where it is greatest.

    Grass is green and the road grey, so more green is more grass.
    """
    ninths = _ninths(np.abs(difference).mean(-1))
    row, column = divmod(int(ninths.argmax()), 3)
    rows, columns = (np.array_split(np.arange(64), 3)[part] for part in (row, column))
    red, green, blue = difference[np.ix_(rows, columns)].mean((0, 1))
    greener = green - (red + blue) / 2
    brighter = (red + green + blue) / 3
    if abs(greener) > abs(brighter):
        what = "more grass" if greener > 0 else "more road"
    else:
        what = "brighter" if brighter > 0 else "darker"
    return f"{what}, {THIRDS[0][row]} {THIRDS[1][column]}"


def _ninths(picture: np.ndarray) -> np.ndarray:
    rows = np.array_split(picture, 3, axis=0)
    return np.array([part.mean() for row in rows for part in np.array_split(row, 3, axis=1)])


def speedometer(h: list[np.ndarray], episodes: list[DrivenEpisode]) -> dict:
    """How fast the car is, read from what M remembers: a ridge regression on h (T, H).

    `weights` (H,) and `bias` are fitted to all episodes; `r2` is the coefficient of determination
    on the last of them for a fit to the others, or None where there is only one or the last one's
    speed never changes.
    """
    speed = [episode.speed for episode in episodes]
    r2 = None
    if len(h) > 1 and np.ptp(speed[-1]) > 0:
        weights, bias = _ridge(np.concatenate(h[:-1]), np.concatenate(speed[:-1]))
        missed = np.square(h[-1] @ weights + bias - speed[-1]).sum()
        r2 = round(float(1 - missed / np.square(speed[-1] - speed[-1].mean()).sum()), 3)
    weights, bias = _ridge(np.concatenate(h), np.concatenate(speed))
    return {"weights": np.round(weights, 4).tolist(), "bias": round(float(bias), 4), "r2": r2}


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights (F,) and bias of y (N,) on x (N, F)."""
    centre, mean = x.mean(0).astype(np.float64), y.mean()
    away = x - centre
    gram = away.T @ away + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, away.T @ (y - mean))
    return weights, mean - centre @ weights
