from itertools import islice

from envs import policies

import numpy as np
import pytest


def actions(policy: str, count: int, seed: int = 0) -> np.ndarray:
    return np.stack(list(islice(policies.POLICIES[policy](np.random.default_rng(seed)), count)))


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_actions_are_what_the_world_takes(policy):
    made = actions(policy, 3000)
    assert made.shape == (3000, 3) and made.dtype == np.float32
    assert (made >= [-1, 0, 0]).all() and (made <= [1, 1, 1]).all()
    assert made.min(0)[0] < -0.9 and (made.max(0) > [0.9, 0.9, 0.9]).all()


@pytest.mark.parametrize("policy", policies.POLICIES)
def test_the_same_seed_drives_the_same(policy):
    assert (actions(policy, 200, 3) == actions(policy, 200, 3)).all()
    assert (actions(policy, 200, 3) != actions(policy, 200, 4)).any()


def test_random_begins_with_full_gas():
    assert (actions("random", 20) == [0, 1, 0]).all()
    assert (actions("random", 25)[20:] != [0, 1, 0]).any()


def test_random_holds_one_choice_for_five_steps():
    held = actions("random", 20 + 5 * 200)[20:].reshape(200, 5, 3)
    assert (held == held[:, :1]).all()
    assert ((held[:, 0] != 0).sum(1) <= 1).all()


def test_random_chooses_with_the_published_probabilities():
    chosen = actions("random", 20 + 5 * 4000)[20::5]
    share = {
        "nothing": (chosen == 0).all(1).mean(),
        "left": (chosen[:, 0] < 0).mean(),
        "right": (chosen[:, 0] > 0).mean(),
        "gas": (chosen[:, 1] > 0).mean(),
        "brake": (chosen[:, 2] > 0).mean(),
    }
    for name, expected in zip(policies.CHOICES, policies.PROBABILITIES, strict=True):
        # Five standard errors of a share of 4,000 draws.
        assert share[name] == pytest.approx(expected, abs=5 * np.sqrt(0.25 / 4000)), name
    magnitudes = chosen[:, 1][chosen[:, 1] > 0]
    assert magnitudes.mean() == pytest.approx(0.5, abs=0.05)


def test_brownian_walks_in_small_steps_and_turns_at_the_walls():
    made = actions("brownian", 5000)
    steering, pedal = made[:, 0], made[:, 1] - made[:, 2]
    assert (made[:, 1] * made[:, 2] == 0).all()
    assert pedal[0] == 0.5 and steering[0] == 0
    for walk in (steering, pedal):
        moves = np.diff(walk)
        assert np.abs(moves).max() < 0.6
        assert moves.std() == pytest.approx(0.1, rel=0.15)
