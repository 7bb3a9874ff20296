"""Which frames show what: by the simulator's truth, and by a frame's colours."""

from pathlib import Path

from envs import rollouts, truth

import numpy as np

BENT = 0.01  # radians per unit of length: 16 degrees over the road ahead are a curve
FAR = 3 * truth.HALF_WIDTH  # from the middle of the road, in units of length: grass all around
MOST_EPISODES = 20


def kinds(state: truth.Truth) -> dict[str, np.ndarray]:
    """Masks (T,) of an episode's frames; a frame has one kind or none.

    start      the camera is still coming down
    straight   the car is near the road, which goes straight on
    curve      the car is near the road, which bends
    grass      the road is far
    """
    steps = np.arange(len(state.speed))
    down = steps >= truth.ZOOM_STEPS
    near = down & (np.abs(state.offset) < 1.5 * truth.HALF_WIDTH)
    forward = np.abs(state.heading) < np.pi / 2
    bent = np.abs(state.curvature) > BENT
    return {
        "start": ~down,
        "straight": near & forward & ~bent,
        "curve": near & forward & bent,
        "grass": down & (np.abs(state.offset) > FAR),
    }


def fixed(paths: list[Path], each: int = 2) -> np.ndarray:
    """Frames to watch, always the same of the same episodes: `each` of a start, a straight, a
    curve, a kerb and grass, as far as there are such; (N, 64, 64, 3) uint8.
    """
    paths = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, MOST_EPISODES, dtype=int))]
    found: dict[str, list] = {kind: [] for kind in ("start", "straight", "curve", "kerb", "grass")}
    for path in paths:
        obs = rollouts.read(path).obs
        masks = kinds(truth.replay(path))
        for kind, mask in masks.items():
            found[kind] += list(obs[mask][::5])
        bends = obs[masks["curve"]]
        # The frame of this episode with the most of the kerb's white.
        found["kerb"] += list(bends[np.argsort(-_white(bends))[:1]])
    chosen = []
    for frames in found.values():
        spread = (2 * np.arange(each) + 1) * len(frames) // (2 * each)
        chosen += [frames[i] for i in np.unique(spread) if frames]
    return np.stack(chosen)


def _white(frames: np.ndarray) -> np.ndarray:
    return (frames > 180).all(axis=3).sum(axis=(1, 2))
