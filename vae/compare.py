"""What each of several visions keeps of the same unseen frames, with intervals.

Every measure is a ratio of two sums over episodes (of a frame's measure over the frames that have
it, say, or of explained over all variance), so that all are resampled alike: by whole episodes,
for neighbouring frames hardly differ, and by the seeds of the training.
"""

import dataclasses
from pathlib import Path

from envs import rollouts, truth
from runs.arguments import BadInput
from vae import arch, measures, probe, scenes
from vae.saved import Vision

import numpy as np

BATCH = 250
RESAMPLED = 2000
COVERED = 95  # per cent, of an interval

# A table's columns: name, what it is, digits after the point.
COLUMNS = {
    "psnr": ("PSNR, dB", 2),
    "ssim": ("SSIM", 3),
    "sharpness": ("sharpness (1: the truth's)", 3),
    "iou_straight": ("road IoU, straight", 3),
    "iou_curve": ("road IoU, curve", 3),
    "precision_straight": ("road precision, straight", 3),
    "precision_curve": ("road precision, curve", 3),
    "recall_straight": ("road recall, straight", 3),
    "recall_curve": ("road recall, curve", 3),
    "lost_straight": ("road lost, straight", 4),
    "lost_curve": ("road lost, curve", 4),
    "lost": ("road lost, both", 4),
    "r2_offset": ("probe R², offset", 3),
    "r2_heading": ("probe R², heading", 3),
    "r2_curvature": ("probe R², curvature ahead", 3),
    "r2_speed": ("probe R², speed", 3),
    "bits": ("bits a frame", 1),
}
TELLING = (
    "psnr",
    "sharpness",
    "iou_straight",
    "iou_curve",
    "lost_curve",
    "r2_offset",
    "r2_curvature",
    "bits",
)
SIDE_BY_SIDE = 5


@dataclasses.dataclass(frozen=True)
class LabelledFrames:
    """Some frames of an episode: obs (T, 64, 64, 3) uint8, their states (T, 4), their kinds."""

    obs: np.ndarray
    states: np.ndarray
    kinds: dict[str, np.ndarray]

    @property
    def near(self) -> np.ndarray:
        """Where the frame shows the road by the car, so that the state can be read from it."""
        return self.kinds["straight"] | self.kinds["curve"]


def see(path: Path, every: int) -> LabelledFrames:
    """Every `every`-th frame of an episode, with the simulator's truth."""
    state = truth.replay(path)
    states = np.stack([getattr(state, name) for name in truth.NAMES], axis=1)
    kinds = {kind: mask[::every] for kind, mask in scenes.kinds(state).items()}
    return LabelledFrames(rollouts.read(path).obs[::every], states[::every], kinds)


def sums(
    vision: Vision, learned: list[LabelledFrames], unseen: list[LabelledFrames]
) -> dict[str, np.ndarray]:
    """Each measure's numerator and denominator for each unseen episode, (E, 2).

    The probe is fitted on episodes that the vision was trained on.
    """
    rows = [_of_frames(vision, episode) for episode in unseen]
    found = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return found | _of_probe(vision, learned, unseen)


def _of_frames(vision: Vision, episode: LabelledFrames) -> dict[str, tuple[float, float]]:
    found: dict[str, list] = {name: [] for name in ("psnr", "ssim", "drawn", "true", "bits")}
    agreement: dict[str, list] = {name: [] for name in ("iou", "precision", "recall", "lost")}
    for start in range(0, len(episode.obs), BATCH):
        obs = episode.obs[start : start + BATCH]
        z_mean, z_log_var = vision.encoder(obs)
        drawn = vision.decoder(z_mean).numpy()
        true = obs.astype(np.float32) / 255
        found["psnr"].append(measures.psnr(true, drawn))
        found["ssim"].append(measures.ssim(true, drawn))
        found["drawn"].append(measures.edge_energy(drawn))
        found["true"].append(measures.edge_energy(true))
        found["bits"].append(arch.kl_divergence(z_mean, z_log_var).numpy() / np.log(2))
        for name, value in measures.road_agreement(true, drawn).items():
            agreement[name].append(value)
    every = {name: np.concatenate(parts) for name, parts in found.items()}
    row = {name: _mean(every[name]) for name in ("psnr", "ssim", "bits")}
    row["sharpness"] = every["drawn"].sum(), every["true"].sum()
    for name, parts in agreement.items():
        values = np.concatenate(parts)
        for kind in ("straight", "curve"):
            row[f"{name}_{kind}"] = _mean(values[episode.kinds[kind]])
    row["lost"] = tuple(np.add(row["lost_straight"], row["lost_curve"]))
    return row


def _mean(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return float(known.sum()), float(len(known))


def _of_probe(
    vision: Vision, learned: list[LabelledFrames], unseen: list[LabelledFrames]
) -> dict[str, np.ndarray]:
    def latents(episode):
        return vision.encoder.predict(episode.obs[episode.near], BATCH, verbose=0)[0]

    learned = [episode for episode in learned if episode.near.any()]
    if not learned or not any(episode.near.any() for episode in unseen):
        raise BadInput("The episodes hold no frame with the car on the road; record more.")
    weights = probe.fit(
        np.concatenate([latents(episode) for episode in learned]),
        np.concatenate([episode.states[episode.near] for episode in learned]),
    )
    centre = np.concatenate([episode.states[episode.near] for episode in unseen]).mean(axis=0)
    explained = np.zeros((len(truth.NAMES), len(unseen), 2))
    for i, episode in enumerate(unseen):
        if episode.near.any():
            states = episode.states[episode.near]
            missed = np.square(states - probe.predict(weights, latents(episode))).sum(axis=0)
            spread = np.square(states - centre).sum(axis=0)
            explained[:, i] = np.stack([spread - missed, spread], axis=1)
    return {f"r2_{name}": rows for name, rows in zip(truth.NAMES, explained, strict=True)}


def estimate(trained: list[np.ndarray], rng: np.random.Generator) -> dict[str, float]:
    """One measure over models that differ in their seed, each with its sums (E, 2).

    Returns the mean over seeds, its interval over episodes and seeds, and the standard deviation
    between seeds (NaN with one).
    """
    every = np.stack(trained)  # (S, E, 2)
    each = _ratio(every.sum(axis=1))
    drawn = [
        _resampled(every, rng.integers(every.shape[1], size=(every.shape[1],)), rng)
        for _ in range(RESAMPLED)
    ]
    spread = each.std(ddof=1) if len(each) > 1 else np.nan
    return _summary(each.mean(), drawn) | {"seeds_sd": float(spread)}


def difference(
    trained: list[np.ndarray], others: list[np.ndarray], rng: np.random.Generator
) -> dict[str, float]:
    """How much more one measure is for some models than for others, with its interval.

    Both are measured on the same episodes, which are resampled for both at once: what is hard
    for all does not widen the interval.
    """
    one, other = np.stack(trained), np.stack(others)
    drawn = []
    for _ in range(RESAMPLED):
        episodes = rng.integers(one.shape[1], size=(one.shape[1],))
        drawn.append(_resampled(one, episodes, rng) - _resampled(other, episodes, rng))
    means = [_ratio(every.sum(axis=1)).mean() for every in (one, other)]
    return _summary(means[0] - means[1], drawn)


def _resampled(every: np.ndarray, episodes: np.ndarray, rng: np.random.Generator) -> float:
    """The mean over seeds, drawn anew, of a measure (S, E, 2) over the given episodes."""
    seeds = rng.integers(len(every), size=len(every))
    return _ratio(every[seeds][:, episodes].sum(axis=1)).mean()


def _summary(mean: float, drawn: list[float]) -> dict[str, float]:
    tails = (100 - COVERED) / 2
    low, high = np.nanpercentile(drawn, [tails, 100 - tails])
    return {"mean": float(mean), "low": float(low), "high": float(high)}


def _ratio(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


def markdown(groups: dict[str, dict[str, dict]], sign: str = "") -> str:
    """A table of all measures, with their intervals; with the sign "+" of differences.

    Up to five groups of models stand side by side; more stand below one another, with the
    measures that tell most.
    """
    if len(groups) <= SIDE_BY_SIDE:
        head, body = list(groups), COLUMNS
        cells = [
            [title, *(_cell(found[name], sign, digits) for found in groups.values())]
            for name, (title, digits) in body.items()
        ]
    else:
        head = [COLUMNS[name][0] for name in TELLING]
        cells = [
            [group, *(_cell(found[name], sign, COLUMNS[name][1]) for name in TELLING)]
            for group, found in groups.items()
        ]
    rows = [["", *head], ["---"] * (len(head) + 1), *cells]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cell(value: dict[str, float], sign: str, digits: int) -> str:
    mean, low, high = (f"{value[name]:{sign}.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
