import dataclasses

from envs import recording, rollouts, truth
from runs.arguments import BadInput

import numpy as np
import pytest


@dataclasses.dataclass
class Hull:
    """What the truth asks of the car's body."""

    position: tuple
    angle: float
    linearVelocity: tuple


def circle(radius: float, tiles: int) -> np.ndarray:
    """A round track driven anticlockwise: rows (angle, direction, x, y)."""
    angle = np.arange(tiles) * 2 * np.pi / tiles
    # Direction 0 is up the picture, so at angle 0, to the right of the middle, it is 0.
    return np.stack([angle, angle, radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def test_a_car_on_the_middle_of_a_circle_sees_its_curvature():
    tiles = round(2 * np.pi * 100 / 3.5)
    road = circle(tiles * 3.5 / (2 * np.pi), tiles)
    offset, heading, curvature, speed = truth.state(Hull(road[0, 2:], 0.0, (3.0, 4.0)), road)
    assert (offset, heading, speed) == (0, 0, 5)
    assert curvature == pytest.approx(1 / 100, rel=0.01)  # to the left


def test_offset_is_to_the_right_and_heading_to_the_left():
    road = circle(100, 180)
    # Outside of an anticlockwise circle is to the right of its driver.
    offset, heading, _, _ = truth.state(Hull((103.0, 0.0), 0.25, (0.0, 0.0)), road)
    assert offset == pytest.approx(3)
    assert heading == pytest.approx(0.25)


def test_heading_is_wrapped():
    road = circle(100, 180)
    road[:, 1] += 4 * np.pi
    assert truth.state(Hull((100.0, 0.0), -0.1, (0.0, 0.0)), road)[1] == pytest.approx(-0.1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rollout")
    recording.record(folder, 77, "random", 60)
    return rollouts.path_of(folder, 77)


def test_an_episode_is_driven_again(path):
    found = truth.replay(path)
    assert all(getattr(found, name).shape == (60,) for name in truth.NAMES)
    # It starts at rest on the middle of the road and looks along it; full gas for 20 steps.
    assert abs(found.offset[0]) < 0.1 and abs(found.heading[0]) < 0.1
    assert found.speed[0] < 0.5 and (np.diff(found.speed[1:20]) > 0).all()


def test_an_episode_of_another_world_is_refused(path, tmp_path):
    episode = rollouts.read(path)
    reward = episode.reward.copy()
    reward[7] += 1
    changed = tmp_path / path.name
    rollouts.write(changed, dataclasses.replace(episode, reward=reward))
    with pytest.raises(BadInput, match="0000000077.npz: driven again, step 7 earns"):
        truth.replay(changed)
