import pickle
import secrets

from envs import ENV_ID, MAX_STEPS
from envs.car_racing import CarRacing, shrink
from runs.arguments import BadInput

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.box2d import car_racing
from gymnasium.utils.env_checker import check_env

REST = np.zeros(3, np.float32)
FULL_GAS = np.array([0, 1, 0], np.float32)


class OriginalPhysics(car_racing.CarRacing):
    """The stock world without its frames."""

    def _render(self, mode):
        return None


@pytest.fixture
def seed() -> int:
    """Another one in every run; pytest shows it when the test fails."""
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    return seed


def random_actions(seed: int, steps: int, hold: int) -> np.ndarray:
    """Actions (steps, 3), each kept for `hold` steps."""
    rng = np.random.default_rng(seed)
    actions = rng.uniform([-1, 0, 0], [1, 1, 0.4], (-(-steps // hold), 3))
    return actions.repeat(hold, axis=0)[:steps].astype(np.float32)


def motion(env: car_racing.CarRacing) -> tuple:
    """Everything of the car that physics moves."""
    hull, wheels = env.car.hull, env.car.wheels
    return (
        *hull.position,
        hull.angle,
        *hull.linearVelocity,
        hull.angularVelocity,
        *(number for wheel in wheels for number in (wheel.omega, wheel.phase, wheel.joint.angle)),
    )


def assert_same_drive(ours, reference, seed: int, actions: np.ndarray) -> dict:
    """Step both with the same actions and compare exactly. Returns the last info of ours."""
    info = ours.reset(seed=seed)[1]
    reference.reset(seed=seed)
    assert ours.track == reference.track
    for step, action in enumerate(actions):
        _, *outcome, info = ours.step(action)
        _, *expected, original_info = reference.step(action)
        assert outcome == expected, f"step {step}"
        assert motion(ours) == motion(reference), f"step {step}"
        assert original_info.items() <= info.items(), f"step {step}"
        if outcome[1]:
            break
    return info


@pytest.mark.parametrize("hold", [1, 4, 15])
def test_physics_rewards_and_endings_are_the_originals(hold, seed):
    assert_same_drive(CarRacing(), OriginalPhysics(), seed, random_actions(seed, MAX_STEPS, hold))


def test_physics_is_the_originals_when_discrete_or_another_share_of_a_lap(seed):
    actions = np.random.default_rng(seed).integers(0, 5, 300).repeat(2)
    options = {"continuous": False, "lap_complete_percent": 0.5}
    assert_same_drive(CarRacing(**options), OriginalPhysics(**options), seed, actions)


@pytest.mark.slow
def test_rendering_the_original_changes_nothing_either(seed):
    """Full gas, turning a little: the car ends up outside the playfield or on its way there."""
    actions = np.tile(np.array([0.02, 1, 0], np.float32), (300, 1))
    assert_same_drive(CarRacing(), car_racing.CarRacing(), seed, actions)


def test_a_second_episode_is_as_fresh_as_the_first(seed):
    """Neither what was drawn before nor what was driven before shows."""
    driven, fresh = CarRacing(), CarRacing()
    driven.reset(seed=seed + 1)
    for action in random_actions(seed, 150, 5):
        driven.step(action)
    frames = [env.reset(seed=seed)[0] for env in (driven, fresh)]
    np.testing.assert_array_equal(*frames)
    for step, action in enumerate(random_actions(seed, 150, 5)):
        frames = [env.step(action)[0] for env in (driven, fresh)]
        np.testing.assert_array_equal(*frames, err_msg=f"step {step}")


@pytest.mark.parametrize("domain_randomize", [False, True])
def test_the_same_seed_gives_the_same_frames_and_rewards(domain_randomize, seed):
    first, second = (CarRacing(domain_randomize=domain_randomize) for _ in range(2))
    np.testing.assert_array_equal(first.reset(seed=seed)[0], second.reset(seed=seed)[0])
    for step, action in enumerate(random_actions(seed, 100, 3)):
        (frame, *one, _), (other_frame, *other, _) = first.step(action), second.step(action)
        np.testing.assert_array_equal(frame, other_frame, err_msg=f"step {step}")
        assert one == other, f"step {step}"


@pytest.mark.parametrize("rendering", ["fast", "stock"])
def test_a_frame_is_not_changed_by_later_steps(rendering):
    env = CarRacing(rendering=rendering)
    frames = [env.reset(seed=1)[0]]
    copies = [frames[0].copy()]
    for _ in range(5):
        frames.append(env.step(FULL_GAS)[0])
        copies.append(frames[-1].copy())
    np.testing.assert_array_equal(frames, copies)
    pairs = zip(frames, frames[1:], strict=False)
    assert not any(np.shares_memory(*pair) for pair in pairs)


@pytest.mark.parametrize("rendering", ["fast", "stock"])
def test_gymnasium_finds_no_fault(rendering):
    check_env(gymnasium.make(ENV_ID, rendering=rendering).unwrapped, skip_render_check=True)


def test_an_episode_lasts_at_most_a_thousand_steps():
    env = gymnasium.make(ENV_ID)
    env.reset(seed=1)
    ends = [env.step(REST)[2:4] for _ in range(1000)]
    assert ends == [(False, False)] * 999 + [(False, True)]
    assert gymnasium.spec("CarRacing-v3").max_episode_steps == MAX_STEPS == 1000


def test_info_counts_the_tiles():
    env = CarRacing()
    _, info = env.reset(seed=1)
    assert (info["tiles_visited"], info["tiles"]) == (env.tile_visited_count, len(env.track))
    reward = 0
    for _ in range(60):
        _, step_reward, _, _, info = env.step(FULL_GAS)
        reward += step_reward
    assert (info["tiles_visited"], info["tiles"]) == (env.tile_visited_count, len(env.track))
    assert info["lap"] == env.tile_visited_count / len(env.track)
    # -0.1 a step, and 1000 shared among the tiles: the rewards tell how many were visited.
    assert info["tiles_visited"] == round((reward + 0.1 * 60) / 1000 * info["tiles"]) > 2


def test_the_large_picture_is_the_originals():
    env = CarRacing(render_mode="rgb_array")
    reference = car_racing.CarRacing(render_mode="rgb_array")
    for world in (env, reference):
        world.reset(seed=1)
        for _ in range(5):
            world.step(FULL_GAS)
    picture = env.render()
    assert picture.shape == (400, 600, 3)
    np.testing.assert_array_equal(picture, reference.render())


def test_stock_rendering_is_the_original_shrunk():
    env, reference = CarRacing(rendering="stock"), car_racing.CarRacing()
    frame, original = env.reset(seed=1)[0], reference.reset(seed=1)[0]
    np.testing.assert_array_equal(frame, shrink(original))
    for _ in range(10):
        frame, original = env.step(FULL_GAS)[0], reference.step(FULL_GAS)[0]
        np.testing.assert_array_equal(frame, shrink(original))


def test_shrinking_averages_by_area_and_cuts_the_indicators_off():
    frame = np.zeros((96, 96, 3), np.uint8)
    frame[:, 0] = 30  # the first of 64 columns covers this one and half of the next
    frame[:, 1] = 60
    frame[84:] = 255
    small = shrink(frame)
    assert small.shape == (64, 64, 3) and small.dtype == np.uint8
    assert (small[:, 0] == 40).all()  # (30 + 60 / 2) / 1.5
    assert (small[:, 1] == 20).all()  # (60 / 2 + 0) / 1.5
    assert (small[:, 2:] == 0).all()


def test_a_pickled_copy_has_the_same_arguments():
    env = CarRacing("rgb_array", False, 0.5, True, False, "stock")
    copy = pickle.loads(pickle.dumps(env))
    for name in (
        "render_mode",
        "verbose",
        "lap_complete_percent",
        "domain_randomize",
        "continuous",
        "rendering",
    ):
        assert getattr(copy, name) == getattr(env, name), name
    assert copy.action_space == env.action_space


def test_an_unknown_rendering_is_refused():
    with pytest.raises(BadInput, match="rendering is 'slow'; it can be fast or stock"):
        CarRacing(rendering="slow")
