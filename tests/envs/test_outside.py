"""The world in Gymnasium's own tools, and in the hands of one who makes mistakes."""

import copy
import pickle

from envs import ENV_ID
from envs.car_racing import CarRacing
from envs.driving_info import TellDrivingInfo
from envs.unrendered import Unrendered
from runs.arguments import BadInput

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

NAN, INF = float("nan"), float("inf")
FULL_GAS = np.array([0, 1, 0], np.float32)
TURNING = np.array([0.3, 0.4, 0], np.float32)


def actions(steps: int) -> np.ndarray:
    drawn = np.random.default_rng(0).uniform([-1, 0, 0], [1, 1, 0.2], (steps // 5 + 1, 3))
    return drawn.repeat(5, axis=0)[:steps].astype(np.float32)


@pytest.mark.parametrize(
    "action, said",
    [
        ([NAN, 0, 0], "finite numbers, not .nan, 0.0, 0.0"),
        (np.array([0, NAN, 0], np.float32), "finite"),
        ([0, 0, -INF], "finite"),
        ([0, 0], r"3 numbers, not of shape \(2,\)"),
        (np.zeros((1, 3)), r"not of shape \(1, 3\)"),
        (0.5, r"not of shape \(\)"),
    ],
)
def test_an_action_that_is_none_is_refused_at_once_and_changes_nothing(action, said):
    env, untouched = CarRacing(), CarRacing()
    for world in (env, untouched):
        world.reset(seed=1)
    with pytest.raises(BadInput, match=said):
        env.step(action)
    (frame, *outcome), (expected, *others) = (world.step(FULL_GAS) for world in (env, untouched))
    np.testing.assert_array_equal(frame, expected)
    assert outcome == others


def test_a_list_is_an_action_and_what_is_out_of_bounds_acts_as_the_bound():
    listed, bounded, beyond = CarRacing(), CarRacing(), CarRacing()
    for env in (listed, bounded, beyond):
        env.reset(seed=2)
    for step in range(60):
        brake = float(step > 40)
        low = -1.0 if step % 20 < 10 else 1.0
        frames = [
            listed.step([low, 1 - brake, brake])[0],
            bounded.step(np.array([low, 1 - brake, brake], np.float32))[0],
            beyond.step(np.array([9 * low, 5 - 9 * brake, 7 * brake - 3]))[0],
        ]
        np.testing.assert_array_equal(frames[0], frames[1], err_msg=f"step {step}")
        np.testing.assert_array_equal(frames[1], frames[2], err_msg=f"step {step}")


@pytest.mark.parametrize("mode", ["state_pixels", "rgb_array"])
def test_a_world_that_was_not_reset_says_so(mode):
    env = CarRacing(render_mode=mode)
    with pytest.raises(ResetNeeded, match="before calling"):
        env.render()
    with pytest.raises(ResetNeeded, match="before calling"):
        env.step(FULL_GAS)
    env.reset(seed=1)
    assert env.render().shape == ((64, 64, 3) if mode == "state_pixels" else (400, 600, 3))


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda env: pickle.loads(pickle.dumps(env))}


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize(
    "arguments, options",
    [
        ({}, None),
        ({"domain_randomize": True}, {"at": 0.4, "reverse": True}),
        ({"rendering": "stock"}, {"track": 5}),
        ({"continuous": False}, None),
    ],
)
def test_a_copy_of_a_running_world_is_the_same_world_at_the_same_moment(kind, arguments, options):
    env = gymnasium.make(ENV_ID, disable_env_checker=True, **arguments)
    env.reset(seed=11)
    env.step(4 if "continuous" in arguments else FULL_GAS)
    # Not by a seed: the second track follows from the stream of random numbers.
    env.reset(options=options)
    driven = actions(10) if arguments.get("continuous", True) else [3, 1, 3, 2] * 3
    for action in driven:
        env.step(action)
    copied = COPIES[kind](env)
    np.testing.assert_array_equal(copied.unwrapped.state, env.unwrapped.state)
    for step, action in enumerate(driven):
        (frame, *one), (expected, *other) = copied.step(action), env.step(action)
        np.testing.assert_array_equal(frame, expected, err_msg=f"step {step}")
        assert one == other, f"step {step}"
    np.testing.assert_array_equal(copied.reset()[0], env.reset()[0])


def test_a_copy_of_a_world_that_was_not_reset_is_one_too():
    with pytest.raises(ResetNeeded):
        copy.deepcopy(CarRacing()).step(FULL_GAS)


def test_info_tells_what_the_driver_of_the_original_needs_too():
    ours = gymnasium.make(ENV_ID, disable_env_checker=True)
    others = [
        TellDrivingInfo(gymnasium.make("CarRacing-v3", disable_env_checker=True)),
        Unrendered(),
    ]
    infos = [env.reset(seed=4)[1] for env in (ours, *others)]
    assert infos[0] == infos[1] == infos[2]
    for step in range(30):
        infos = [env.step(TURNING)[-1] for env in (ours, *others)]
        assert infos[0] == infos[1] == infos[2], f"step {step}"
    car = ours.unwrapped.car
    assert infos[0]["speed"] == pytest.approx(np.hypot(*car.hull.linearVelocity))
    assert infos[0]["wheels_on_grass"] == sum(not wheel.tiles for wheel in car.wheels)


def test_a_lap_ends_with_its_last_tile_whatever_share_is_said_to_complete_it():
    """The original looks at the share when the first tile is first touched: at the start."""
    env = CarRacing(lap_complete_percent=0.1)
    env.reset(seed=1)
    for tile in env.road[5 : len(env.road) // 2]:
        # As if a wheel had come there.
        tile.road_visited = True
        env.tile_visited_count += 1
    ends = [env.step(FULL_GAS)[2] for _ in range(30)]
    assert env.tile_visited_count / len(env.track) > 0.4 and not any(ends)
    env.tile_visited_count = len(env.track)
    assert env.step(FULL_GAS)[2]


def first_frames(mode: str, **settings) -> np.ndarray:
    """Frames of two worlds in a vector after a few steps."""
    worlds = gymnasium.make_vec(f"envs:{ENV_ID}", 2, mode, vector_kwargs=settings)
    worlds.reset(seed=[3, 4])
    for action in actions(5):
        seen, *_, infos = worlds.step(np.stack([action, action]))
    assert infos["tiles_visited"].shape == (2,)
    worlds.close()
    return seen


@pytest.mark.slow
def test_every_kind_of_vector_gives_the_same_frames():
    """The spawned one is made in processes that know nothing of this one."""
    expected = first_frames("sync")
    np.testing.assert_array_equal(expected, first_frames("async"))
    np.testing.assert_array_equal(expected, first_frames("async", context="spawn"))
