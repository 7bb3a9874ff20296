import dataclasses

from controller.policy_gradient.natural_gradient import (
    STATE,
    NaturalPolicyGradient,
    _least_squares,
    advantage,
    critic_features,
    discounted,
    grad_log_prob,
)
from controller.policy_gradient.trajectories import ActionNoise, Trajectory
from runs.arguments import BadInput
from settings.driving import PolicyGradient

import numpy as np
import pytest

FEATURES = 4
SIZE = 3 * (FEATURES + 1)
SETTINGS = PolicyGradient(
    noise=(0.5, 0.5, 0.5),
    correlation=0.0,
    step_size=1.0,
    grass_penalty=0.0,
    missed_tile_penalty=0.0,
    gamma=0.0,
    gae_lambda=0.0,
    decay=0.5,
    damping=1e-6,
)


def settings(**changed) -> PolicyGradient:
    return dataclasses.replace(SETTINGS, **changed)


def trajectory(steps: int = 40, seed: int = 0, **changed) -> Trajectory:
    rng = np.random.default_rng(seed)
    parts = {
        "features": rng.normal(1, 2, (steps, FEATURES)),
        "noise": 0.5 * rng.standard_normal((steps, 3)),
        "rewards": rng.normal(size=steps),
        "wheels_in_grass": np.zeros(steps),
        "missed_tiles": np.zeros(steps),
        "progress": np.linspace(0, 1, steps)[:, None] * [1, 0.8],
    }
    return Trajectory(**{**parts, **changed})


def test_returns_add_up_what_is_to_come():
    np.testing.assert_allclose(discounted(np.array([1.0, 2.0, 4.0]), 0.5), [3, 4, 4])


def test_an_advantage_of_one_step_is_the_critics_error():
    rewards, values = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    # 1 + 0.5 · 20 - 10, and 2 - 20: after the end nothing comes.
    np.testing.assert_allclose(advantage(rewards, values, 0.5, 0.0), [1, -18])


def test_an_advantage_of_all_steps_is_the_return_less_the_value():
    rewards, values = np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0, 30.0])
    expected = discounted(rewards, 0.5) - values
    np.testing.assert_allclose(advantage(rewards, values, 0.5, 1.0), expected)


def test_the_gradient_of_the_log_probability_is_its_slope():
    """Against differences of the likelihood of correlated noise, an action at a time."""
    noise = ActionNoise((0.2, 0.3, 0.05), 0.9)
    one = trajectory(steps=6)
    x = np.column_stack([one.features, np.ones(6)])
    theta = np.random.default_rng(1).normal(size=(FEATURES + 1, 3))
    actions = x @ theta + one.noise

    def log_likelihood(policy: np.ndarray) -> float:
        n = (actions - x @ policy) / noise.sd
        fresh = np.concatenate([n[:1], (n[1:] - 0.9 * n[:-1]) / np.sqrt(1 - 0.81)])
        return -0.5 * (fresh**2).sum()

    d, e = grad_log_prob(one, noise)
    gradient = d.T @ (e / noise.sd)
    for place in np.ndindex(theta.shape):
        step = np.zeros_like(theta)
        step[place] = 1e-5
        slope = (log_likelihood(theta + step) - log_likelihood(theta - step)) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def train(
    learner: NaturalPolicyGradient, target: np.ndarray, generations: int
) -> NaturalPolicyGradient:
    """Episodes of a world of single steps that rewards raw actions near `target` of the state."""
    for generation in range(learner.generation, learner.generation + generations):
        trajectories = []
        for seed in range(8):
            one = trajectory(100, seed=1000 * generation + seed)
            x = np.column_stack([one.features, np.ones(100)])
            actions = x @ learner.policy + one.noise
            rewards = -((actions - x @ target) ** 2).sum(1)
            trajectories.append(dataclasses.replace(one, rewards=rewards))
        learner.update(trajectories)
    return learner


def test_it_climbs_to_the_best_policy():
    target = np.random.default_rng(3).normal(size=(FEATURES + 1, 3)) / 3
    start = np.zeros(target.size)
    off = np.square(
        train(NaturalPolicyGradient(settings(), start), target, 1).policy - target
    ).mean()
    learner = train(NaturalPolicyGradient(settings(), start), target, 60)
    assert np.square(learner.policy - target).mean() < off / 20
    assert learner.generation == 60


def test_penalties_count_as_rewards_lost():
    """A grass wheel at every push to the left is a reward for every push to the right."""
    one = trajectory(400)
    left = (one.noise[:, 0] < 0).astype(float)
    moved = []
    for cause, penalty in (
        ("wheels_in_grass", "grass_penalty"),
        ("missed_tiles", "missed_tile_penalty"),
    ):
        penalised = dataclasses.replace(one, rewards=np.zeros(400), **{cause: left})
        learner = NaturalPolicyGradient(settings(**{penalty: 2.0}), np.zeros(SIZE))
        learner.update([penalised])
        moved.append(learner.policy)
    assert moved[0][-1, 0] > 0
    assert np.array_equal(*moved)
    rewarded = NaturalPolicyGradient(settings(), np.zeros(SIZE))
    rewarded.update([dataclasses.replace(one, rewards=-2 * left)])
    np.testing.assert_allclose(rewarded.policy, moved[0])


def test_episodes_are_judged_together_by_the_critic_of_the_generation_before():
    learner = NaturalPolicyGradient(settings(decay=0.0), np.zeros(SIZE))
    learner.update([trajectory(80, seed=1), trajectory(90, seed=2)])
    critic = _least_squares(learner.gram, learner.moment)
    lucky = trajectory(30, seed=4)
    lucky = dataclasses.replace(lucky, rewards=5 + 3 * lucky.rewards)
    episodes = [trajectory(60, seed=3), lucky]
    learner.update(episodes)
    errors = np.concatenate([one.rewards - critic_features(one) @ critic for one in episodes])
    standard = (errors - errors.mean()) / errors.std()
    gradients = [grad_log_prob(one, learner.noise) for one in episodes]
    d, e = (np.concatenate(parts) for parts in zip(*gradients, strict=True))
    np.testing.assert_allclose(learner.gradient, d.T @ (e * standard[:, None]) / 90)
    np.testing.assert_allclose(learner.fisher, d.T @ d / 90)


def test_an_action_moves_as_far_as_its_noise_explores():
    one = trajectory(400)
    policies = []
    for sd in (0.5, 0.05):
        noise = one.noise * [1, 1, sd / 0.5]
        learner = NaturalPolicyGradient(settings(noise=(0.5, 0.5, sd)), np.zeros(SIZE))
        learner.update([dataclasses.replace(one, noise=noise)])
        policies.append(learner.policy)
    np.testing.assert_allclose(policies[1], policies[0] * [1, 1, 0.1])


def test_episodes_that_tell_nothing_move_nothing():
    learner = NaturalPolicyGradient(settings(), np.zeros(SIZE))
    learner.update([trajectory(1)])
    assert not learner.policy.any()


@pytest.mark.parametrize("stopped_after", [0, 1, 3])
def test_a_resumed_run_is_the_one_that_was_stopped(tmp_path, stopped_after):
    target = np.ones((FEATURES + 1, 3))
    start = np.linspace(-1, 1, target.size)
    whole = train(NaturalPolicyGradient(settings(), start), target, 5)
    train(NaturalPolicyGradient(settings(), start), target, stopped_after).save(tmp_path / "a.npz")
    resumed = NaturalPolicyGradient.resume(settings(), target.size, tmp_path / "a.npz")
    assert resumed.generation == stopped_after
    train(resumed, target, 5 - stopped_after)
    for name in STATE:
        assert np.array_equal(getattr(resumed, name), getattr(whole, name)), name


def test_the_state_of_an_earlier_version_goes_on(tmp_path):
    learner = train(NaturalPolicyGradient(settings(), np.zeros(SIZE)), np.ones((5, 3)), 2)
    state = {name: getattr(learner, name) for name in STATE}
    state["seen"], state["worth"] = state.pop("gram"), state.pop("moment")
    np.savez(tmp_path / "a.npz", **state)
    resumed = NaturalPolicyGradient.resume(settings(), SIZE, tmp_path / "a.npz")
    for name in STATE:
        assert np.array_equal(getattr(resumed, name), getattr(learner, name)), name


def test_a_torn_state_and_that_of_something_else_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    NaturalPolicyGradient(settings(), np.zeros(SIZE)).save(path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="a.npz cannot be read"):
            NaturalPolicyGradient.resume(settings(), SIZE, path)
    path.write_bytes(whole)
    with pytest.raises(BadInput, match="a.npz was made for another C"):
        NaturalPolicyGradient.resume(settings(), SIZE + 3, path)


def resaved(path, **changed) -> None:
    """Save a state after a generation, with some arrays changed."""
    learner = NaturalPolicyGradient(settings(), np.zeros(SIZE))
    learner.update([trajectory()])
    np.savez(path, **{name: getattr(learner, name) for name in STATE} | changed)


@pytest.mark.parametrize("generation", [-1.0, 0.5, 1e7, 1e9, 1e300])
def test_a_number_of_generations_that_no_run_has_is_refused(tmp_path, generation):
    resaved(tmp_path / "a.npz", generation=generation)
    with pytest.raises(BadInput, match="a.npz cannot be after .* generations"):
        NaturalPolicyGradient.resume(settings(), SIZE, tmp_path / "a.npz")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", STATE)
def test_a_state_with_what_is_no_number_is_refused(tmp_path, name, value):
    resaved(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        array = file[name].astype(float)
    array[(-1,) * array.ndim] = value
    resaved(tmp_path / "a.npz", **{name: array})
    with pytest.raises(BadInput, match=f"a.npz cannot be read .{name} is not all finite"):
        NaturalPolicyGradient.resume(settings(), SIZE, tmp_path / "a.npz")


@pytest.mark.parametrize("worth", [np.nan, np.inf])
def test_a_policy_that_is_no_longer_made_of_numbers_ends_the_run(worth):
    climber = NaturalPolicyGradient(SETTINGS, np.zeros(SIZE))
    climber.update([trajectory()])
    rewards = np.where(np.arange(40) == 3, worth, 1.0)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(BadInput, match="no longer made of numbers in generation 2"),
    ):
        climber.update([trajectory(rewards=rewards)])
