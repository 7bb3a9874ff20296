import math

from envs.car_racing import CarRacing, shrink
from runs.arguments import BadInput

import numpy as np
import pytest
from gymnasium.envs.box2d import car_racing
from gymnasium.envs.box2d.car_dynamics import SIZE, WHEELPOS

FULL_GAS = np.array([0, 1, 0], np.float32)


def places(env: CarRacing) -> np.ndarray:
    """The middle of the track, (N, 2)."""
    return np.array(env.track)[:, 2:4]


def test_a_track_by_its_seed_is_the_one_that_reset_makes_of_the_seed():
    env, reference = CarRacing(), CarRacing()
    reference.reset(seed=7)
    frame, _ = env.reset(seed=1, options={"track": 7})
    assert env.track == reference.track
    np.testing.assert_array_equal(frame, reference.state)
    # The next track comes of the world's own stream, which the given track did not touch.
    env.reset()
    reference.reset(seed=1)
    assert env.track == reference.track


@pytest.mark.parametrize("at", [0.3, 0.75])
def test_the_car_starts_on_the_road_and_looks_along_it(at):
    env = CarRacing()
    env.reset(seed=3)
    usual = places(env)
    _, info = env.reset(seed=3, options={"at": at})
    first = int(at * len(usual))
    np.testing.assert_array_equal(places(env), np.roll(usual, -first, axis=0))
    assert np.hypot(*(np.array(env.car.hull.position) - usual[first])) < 1
    turn = env.car.hull.angle - env.track[0][1]
    assert abs(math.remainder(turn, math.tau)) < 0.05
    assert info["wheels_on_grass"] == 0 and info["speed"] < 1
    for _ in range(60):
        *_, info = env.step(FULL_GAS)
    assert info["foremost_tile"] >= 3 and info["missed_tiles"] == 0


def test_a_reversed_track_is_driven_the_other_way_and_looks_the_same():
    env = CarRacing(rendering="fast")
    env.reset(seed=3)
    usual = places(env)
    frame, _ = env.reset(seed=3, options={"reverse": True})
    np.testing.assert_array_equal(places(env), np.roll(usual[::-1], 1, axis=0))
    stock = car_racing.CarRacing._render(env, "state_pixels")
    assert np.abs(frame.astype(int) - shrink(stock)).mean() <= 2.5
    # Where the road leads up the picture for one driver, it leads down for the other.
    assert abs(math.remainder(env.track[0][1], math.tau)) > 3
    info, earned = {}, 0.0
    for _ in range(60):
        frame, reward, *_, info = env.step(FULL_GAS)
        earned += reward
    assert info["foremost_tile"] >= 3 and info["missed_tiles"] == 0 and earned > 5
    # Tiles that were touched are repainted where they lie.
    stock = car_racing.CarRacing._render(env, "state_pixels")
    assert np.abs(frame.astype(int) - shrink(stock)).mean() <= 1.5


def test_the_wheels_are_where_the_hull_wants_them():
    """Were they not, the joints would throw the car about in its first step."""
    env = CarRacing()
    env.reset(seed=3, options={"at": 0.25, "reverse": True})
    for wheel, place in zip(env.car.wheels, WHEELPOS, strict=True):
        wanted = env.car.hull.GetWorldPoint((place[0] * SIZE, place[1] * SIZE))
        assert np.hypot(*(wheel.position - wanted)) < 0.05


def test_an_episode_that_starts_as_usual_is_not_changed_by_saying_so():
    env, reference = CarRacing(), car_racing.CarRacing()
    env.reset(seed=5, options={"at": 0, "reverse": False})
    reference.reset(seed=5)
    for _ in range(20):
        assert env.step(FULL_GAS)[1] == reference.step(FULL_GAS)[1]
    assert env.car.hull.position == reference.car.hull.position


@pytest.mark.parametrize(
    "options, said",
    [
        ({"tarck": 3}, "reset has no option 'tarck'; there are track, at, reverse and randomize"),
        ({"at": 1}, "at is 1; it is a share of the lap"),
        ({"at": float("nan")}, "at is nan"),
        ({"track": -1}, "track is -1; it is a seed from 0"),
        ({"track": 1.5}, "track is 1.5"),
        ({"reverse": "yes"}, "reverse is 'yes'; it is True or False"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, said):
    with pytest.raises(BadInput, match=said):
        CarRacing().reset(options=options)
