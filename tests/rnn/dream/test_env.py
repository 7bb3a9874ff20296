import copy

import rnn
from rnn.dream.env import DreamEnv, DreamVectorEnv
from runs.arguments import BadInput

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

WORLDS, STEPS = 3, 120


def actions(count: int = 1) -> np.ndarray:
    low, high = [-1, 0, 0], [1, 1, 1]
    return np.random.default_rng(1).uniform(low, high, (STEPS, count, 3)).astype(np.float32)


def episode(env, seed: int) -> list[np.ndarray]:
    seen = [env.reset(seed=seed)[0]]
    return seen + [env.step(action)[0] for [action] in actions()]


@pytest.mark.slow
@pytest.mark.parametrize("observation", ["latent", "frame"])
# A latent has no bounds, which the checker thinks worth a warning.
@pytest.mark.filterwarnings("ignore:.*infinity.*")
def test_gymnasium_finds_nothing_to_complain_about(dreamer, observation):
    check_env(DreamEnv(dreamer.path, observation=observation, render_mode="rgb_array"))


def test_is_registered_alone_and_as_thousands(dreamer):
    one = gymnasium.make(rnn.DREAM_ID, model=dreamer.path, temperature=0.5)
    assert one.spec.max_episode_steps == 1000
    many = gymnasium.make_vec(
        rnn.DREAM_ID, 5, vectorization_mode="vector_entry_point", model=dreamer.path
    )
    assert many.reset(seed=1)[0].shape == (5, 4)


@pytest.mark.slow
def test_the_same_seed_and_actions_give_the_same_dream(dreamer):
    env = DreamEnv(dreamer.path, temperature=1.15)
    first, again, other = episode(env, 5), episode(env, 5), episode(env, 6)
    np.testing.assert_array_equal(first, again)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_without_a_seed_the_next_episode_is_another(dreamer):
    env = DreamEnv(dreamer.path)
    env.reset(seed=1)
    one = env.step(np.zeros(3))[0]
    env.reset()
    assert (env.step(np.zeros(3))[0] != one).any()


@pytest.mark.slow
@pytest.mark.parametrize("observation", ["latent", "frame"])
def test_many_dreams_are_single_ones_side_by_side(dreamer, observation):
    """Also across episodes: a dream that ended begins anew with the next step."""
    many = DreamVectorEnv(WORLDS, dreamer.path, 1.15, observation)
    single = SyncVectorEnv([lambda: DreamEnv(dreamer.path, 1.15, observation)] * WORLDS)
    np.testing.assert_array_equal(many.reset(seed=3)[0], single.reset(seed=3)[0])
    ends = 0
    for step, action in enumerate(actions(WORLDS)):
        got, wanted = many.step(action), single.step(action)
        tolerance = 1 if observation == "frame" else 1e-4
        np.testing.assert_allclose(
            got[0].astype(float), wanted[0].astype(float), atol=tolerance, err_msg=f"step {step}"
        )
        np.testing.assert_allclose(got[1], wanted[1], atol=1e-4, err_msg=f"reward, step {step}")
        np.testing.assert_array_equal(got[2], wanted[2], err_msg=f"ends, step {step}")
        ends += got[2].sum()
    assert ends > 0


def test_dreams_are_cut_off_after_the_most_steps_and_begin_anew(dreamer):
    env = DreamVectorEnv(64, dreamer.path, max_episode_steps=3)
    env.reset(seed=1)
    nothing = np.zeros((64, 3))
    _, _, ended, cut_off, _ = zip(*(env.step(nothing) for _ in range(3)), strict=True)
    never = ~np.any(ended, axis=0)
    assert never.any() and cut_off[2][never].all() and not np.any(cut_off[:2])
    seen, reward, ended, cut_off, _ = env.step(nothing)
    starts = env._dreams.dream.starts.z
    assert all((starts == z).all(1).any() for z in seen[never])
    assert (reward[never] == 0).all() and not (ended | cut_off)[never].any()


def test_a_dream_begins_with_a_given_latent(dreamer):
    env = DreamEnv(dreamer.path)
    seen, _ = env.reset(seed=1, options={"z": [1, 2, 3, 4]})
    np.testing.assert_array_equal(seen, [1, 2, 3, 4])
    with pytest.raises(BadInput, match=r"begins with 4 numbers, not with shape \(2,\)"):
        env.reset(options={"z": [1, 2]})


def test_actions_outside_their_range_are_clipped(dreamer):
    seen = []
    for action in ([-9, 9, -9], [-1, 1, 0]):
        env = DreamEnv(dreamer.path)
        env.reset(seed=1)
        seen.append(env.step(np.array(action, np.float32))[0])
    np.testing.assert_array_equal(*seen)


def test_renders_what_v_makes_of_the_latent(dreamer):
    env = DreamEnv(dreamer.path, observation="frame", render_mode="rgb_array")
    frame, _ = env.reset(seed=1)
    picture = env.render()
    assert picture.shape == (512, 512, 3) and picture.dtype == np.uint8
    shrunk = picture.reshape(64, 8, 64, 8, 3).mean((1, 3))
    assert np.abs(shrunk - frame).mean() < 2


@pytest.mark.parametrize("wrong", [{"observation": "pixels"}, {"render_mode": "ascii"}])
def test_refuses_what_it_does_not_know(dreamer, wrong):
    with pytest.raises(BadInput, match=f"{next(iter(wrong))} is '{next(iter(wrong.values()))}'"):
        DreamEnv(dreamer.path, **wrong)


NAN = float("nan")


@pytest.mark.slow
def test_what_is_not_finite_is_refused_and_changes_nothing(dreamer):
    env, untouched = DreamEnv(dreamer.path), DreamEnv(dreamer.path)
    for dream in (env, untouched):
        dream.reset(seed=1)
    with pytest.raises(BadInput, match="finite numbers"):
        env.step([NAN, 0, 0])
    with pytest.raises(BadInput, match=r"shape \(3,\), not \(2,\)"):
        env.step([0, 0])
    with pytest.raises(BadInput, match="finite numbers"):
        env.reset(options={"z": [NAN, 0, 0, 0]})
    env.reset(seed=1)
    np.testing.assert_array_equal(env.step([0, 1, 0])[0], untouched.step(np.array([0, 1, 0]))[0])
    many = DreamVectorEnv(2, dreamer.path)
    many.reset(seed=1)
    with pytest.raises(BadInput, match="finite numbers"):
        many.step([[0, 0, 0], [0, NAN, 0]])


def test_dreams_that_were_not_reset_say_so(dreamer):
    for env, action in (
        (DreamEnv(dreamer.path), [0, 0, 0]),
        (DreamVectorEnv(1, dreamer.path), [[0, 0, 0]]),
    ):
        with pytest.raises(ResetNeeded):
            env.step(action)


def test_a_deep_copy_is_the_same_dream_at_the_same_moment(dreamer):
    env = DreamEnv(dreamer.path)
    env.reset(seed=1)
    env.step([0, 1, 0])
    copied = copy.deepcopy(env)
    for _ in range(3):
        np.testing.assert_array_equal(copied.step([0, 1, 0])[0], env.step([0, 1, 0])[0])
    np.testing.assert_array_equal(copied.reset()[0], env.reset()[0])


@pytest.mark.slow
def test_many_dreams_take_the_options_of_one_and_are_drawn(dreamer):
    many = gymnasium.make_vec(rnn.DREAM_ID, 2, model=dreamer.path, render_mode="rgb_array")
    given = np.arange(8).reshape(2, 4)
    np.testing.assert_array_equal(many.reset(seed=1, options={"z": given})[0], given)
    np.testing.assert_array_equal(many.reset(options={"z": given[1]})[0], given[[1, 1]])
    assert [picture.shape for picture in many.render()] == [(512, 512, 3)] * 2
    for env in (many, DreamEnv(dreamer.path)):
        with pytest.raises(BadInput, match="no option 'start'; there is z"):
            env.reset(options={"start": 3})
    with pytest.raises(BadInput, match="for many dreams it can be rgb_array"):
        DreamVectorEnv(2, dreamer.path, render_mode="human")


@pytest.mark.slow
def test_dreams_begin_in_the_step_that_ends_them_if_asked(dreamer):
    same = AutoresetMode.SAME_STEP
    env = DreamVectorEnv(64, dreamer.path, max_episode_steps=3, autoreset_mode=same)
    usual = DreamVectorEnv(64, dreamer.path, max_episode_steps=3)
    for dreams in (env, usual):
        dreams.reset(seed=1)
    starts, nothing = env._dreams.dream.starts.z, np.zeros((64, 3))
    going = np.ones(64, bool)  # in their first dream, in both
    for _ in range(3):
        got, wanted = env.step(nothing), usual.step(nothing)
        np.testing.assert_array_equal(got[1][going], wanted[1][going])
        # What a step leads to is the same; what is seen of those that are over is a start.
        over = got[2] | got[3]
        for world in np.flatnonzero(over & going):
            np.testing.assert_array_equal(got[4]["final_obs"][world], wanted[0][world])
        assert all((starts == z).all(1).any() for z in got[0][over])
        going &= ~wanted[2]
    assert going.any() and got[3][going].all()


@pytest.mark.slow
def test_dreams_in_forked_processes_are_refused_and_in_spawned_ones_dream(dreamer, capfd):
    def make():
        return gymnasium.make(f"rnn:{rnn.DREAM_ID}", model=dreamer.path)

    one = make()
    one.reset(seed=1)
    with pytest.raises((EOFError, ConnectionError)):
        AsyncVectorEnv([make], context="fork").reset(seed=1)
    assert 'make the vector with vector_kwargs={"context": "spawn"}' in capfd.readouterr().err
    spawned = AsyncVectorEnv([make], context="spawn")
    np.testing.assert_allclose(spawned.reset(seed=1)[0][0], one.reset(seed=1)[0], atol=1e-5)
    spawned.close()
