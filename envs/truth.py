"""What the simulator knew when a frame was recorded: its actions driven again, not rendered.

The physics is deterministic, so the track's seed and the actions give back every state.
"""

import dataclasses
from pathlib import Path

from envs import rollouts
from envs.unrendered import Unrendered
from runs.arguments import BadInput

import gymnasium
import numpy as np
from gymnasium.envs.box2d import car_racing

HALF_WIDTH = car_racing.TRACK_WIDTH  # of the road, in the simulator's units of length
TILES_AHEAD = 8  # 28 units of road: from the car to about the upper edge of a frame
ZOOM_STEPS = car_racing.FPS  # the camera needs a second to come down


@dataclasses.dataclass(frozen=True)
class Truth:
    """The state at each of an episode's T frames; arrays (T,) float32.

    offset      the car's distance from the middle of the road, right positive, in units of length
    heading     the car's direction less the road's, left positive, in radians from -π to π
    curvature   the road's turning over the next 28 units, left positive, in radians per unit
    speed       units per second
    """

    offset: np.ndarray
    heading: np.ndarray
    curvature: np.ndarray
    speed: np.ndarray


NAMES = tuple(field.name for field in dataclasses.fields(Truth))


def replay(path: Path) -> Truth:
    """Drive a recorded episode again. Raises `BadInput` when other rewards come of it."""
    episode = rollouts.read(path)
    env = Unrendered()
    env.reset(seed=rollouts.track_of(path))
    states, rewards = [], []
    for action in episode.action:
        states.append(of(env))
        rewards.append(env.step(action)[1])
    env.close()
    if not np.allclose(rewards, episode.reward, atol=1e-4):
        step = int(np.argmax(~np.isclose(rewards, episode.reward, atol=1e-4)))
        raise BadInput(
            f"{path}: driven again, step {step} earns {rewards[step]:.3f} instead of "
            f"{episode.reward[step]:.3f}; it is of another version of the world: record it again."
        )
    return Truth(*np.array(states, np.float32).T)


def of(env: gymnasium.Env) -> tuple[float, float, float, float]:
    """The fields of `Truth` for a world as it is now, in whatever wrappers."""
    world = env.unwrapped
    assert isinstance(world, car_racing.CarRacing) and world.car is not None
    return state(world.car.hull, np.array(world.track))


def state(hull, road: np.ndarray) -> tuple[float, float, float, float]:
    """The fields of `Truth` for a car's hull on a road: rows (_, direction, x, y), one a tile."""
    beta, middle = road[:, 1], road[:, 2:4]
    from_middle = np.array(hull.position) - middle
    tile = int(np.argmin(np.square(from_middle).sum(axis=1)))
    right = np.array([np.cos(beta[tile]), np.sin(beta[tile])])
    turning = _wrap(beta[(tile + TILES_AHEAD) % len(beta)] - beta[tile])
    return (
        float(from_middle[tile] @ right),
        _wrap(hull.angle - beta[tile]),
        turning / (TILES_AHEAD * car_racing.TRACK_DETAIL_STEP),
        float(np.hypot(*hull.linearVelocity)),
    )


def _wrap(angle: float) -> float:
    """The same angle from -π to π."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
