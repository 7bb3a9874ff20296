"""The noise on the actions of an agent that records."""

from controller.recording import LastingNoise

import numpy as np
import pytest


def noises(deviation: float, steps: int, length: int, seed: int = 3) -> np.ndarray:
    """What is added to an action far from its bounds, (length, 3)."""
    action = np.array([0.0, 0.5, 0.5])
    noise = LastingNoise(deviation, steps, [np.random.default_rng(seed)])
    return np.stack([noise(0, action) for _ in range(length)]) - action


def test_noise_of_one_step_is_drawn_in_every_step():
    drawn = noises(0.05, 1, 4000)
    assert (np.abs(np.diff(drawn, axis=0)) > 0).any(1).all()
    np.testing.assert_allclose(drawn.std(0), 0.05, rtol=0.1)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.004)


@pytest.mark.parametrize("steps", [5, 20])
def test_lasting_noise_lasts_as_long_as_asked_on_average(steps):
    drawn = noises(0.05, steps, 20_000)
    changes = (np.diff(drawn, axis=0) != 0).any(1).sum()
    assert drawn[0].any()
    assert 20_000 / changes == pytest.approx(steps, rel=0.15)
    np.testing.assert_allclose(drawn.std(0), 0.05, rtol=0.15)


def test_jobs_have_noise_of_their_own_and_actions_stay_possible():
    noise = LastingNoise(5.0, 3, [np.random.default_rng(i) for i in range(2)])
    made = np.array([[noise(job, np.zeros(3)) for job in range(2)] for _ in range(200)])
    assert not np.array_equal(made[:, 0], made[:, 1])
    assert made.dtype == np.float32
    assert (made.min((0, 1)) == [-1, 0, 0]).all() and (made.max((0, 1)) == [1, 1, 1]).all()


def test_no_noise_changes_nothing():
    assert not noises(0.0, 10, 50).any()
