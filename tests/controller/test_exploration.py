"""What is done to the actions of an agent that records."""

from controller.exploration import LONGEST, SHORTEST, ActionBursts, HeldNoise

import numpy as np
import pytest


def noises(deviation: float, steps: int, length: int, seed: int = 3) -> np.ndarray:
    """What is added to an action far from its bounds, (length, 3)."""
    action = np.array([0.0, 0.5, 0.5])
    noise = HeldNoise(deviation, steps, [np.random.default_rng(seed)])
    return np.stack([noise(0, action) for _ in range(length)]) - action


def test_noise_of_one_step_is_drawn_in_every_step():
    drawn = noises(0.05, 1, 4000)
    assert (np.abs(np.diff(drawn, axis=0)) > 0).any(1).all()
    np.testing.assert_allclose(drawn.std(0), 0.05, rtol=0.1)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.004)


@pytest.mark.parametrize("steps", [5, 20])
def test_noise_is_held_as_long_as_asked_on_average(steps):
    drawn = noises(0.05, steps, 20_000)
    changes = (np.diff(drawn, axis=0) != 0).any(1).sum()
    assert drawn[0].any()
    assert 20_000 / changes == pytest.approx(steps, rel=0.15)
    np.testing.assert_allclose(drawn.std(0), 0.05, rtol=0.15)


def test_jobs_have_noise_of_their_own_and_actions_stay_possible():
    noise = HeldNoise(5.0, 3, [np.random.default_rng(i) for i in range(2)])
    made = np.array([[noise(job, np.zeros(3)) for job in range(2)] for _ in range(200)])
    assert not np.array_equal(made[:, 0], made[:, 1])
    assert made.dtype == np.float32
    assert (made.min((0, 1)) == [-1, 0, 0]).all() and (made.max((0, 1)) == [1, 1, 1]).all()


def test_no_noise_changes_nothing():
    assert not noises(0.0, 10, 50).any()


OWN = np.array([0.11, 0.22, 0.33], np.float32)


def held(every: int, length: int, seed: int = 4) -> np.ndarray:
    """What is done where a driver always does `OWN`, (length, 3)."""
    bursts = ActionBursts(every, [np.random.default_rng(seed)])
    return np.stack([bursts(0, OWN) for _ in range(length)])


def lengths(replaced: np.ndarray) -> np.ndarray:
    """How long each stretch of True is that ends before the last step."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], replaced]).astype(int)))
    return np.diff(edges)[::2]


@pytest.mark.slow
def test_bursts_come_as_often_and_last_as_long_as_they_say():
    replaced = (held(400, 400_000) != OWN).any(1)
    lasted = lengths(replaced)
    assert lasted.min() == SHORTEST
    # Two may follow one another without a step between them.
    assert np.quantile(lasted, 0.97) <= LONGEST
    assert np.median(lasted) == pytest.approx((SHORTEST * LONGEST) ** 0.5, rel=0.2)
    assert (~replaced).sum() / len(lasted) == pytest.approx(400, rel=0.15)


def test_the_wheel_the_pedals_or_both_are_held():
    done = held(100, 100_000)
    assert done.dtype == np.float32
    assert (done.min(0) >= [-1, 0, 0]).all() and (done.max(0) <= [1, 1, 1]).all()
    changes = (np.diff(done, axis=0) != 0).any(1)
    assert changes.sum() <= 2 * 100_000 / 100
    wheel, pedals = done[:, 0] != OWN[0], (done[:, 1:] != OWN[1:]).any(1)
    for kind in (wheel & pedals, wheel & ~pedals, pedals & ~wheel):
        assert kind.sum() == pytest.approx((wheel | pedals).sum() / 3, rel=0.35)
    assert (done[:, 0] < -0.5).any() and (done[:, 0] > 0.5).any()
    assert (done[:, 1] == 1).any() and (done[:, 2] > 0.5).any()


def test_without_bursts_every_action_is_the_driver_s_own():
    assert (held(0, 300) == OWN).all()
