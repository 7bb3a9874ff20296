"""Evolution's dreams are the environment's dreams, only many at once."""

from controller import arch
from controller.dream.rollout import DreamRollout, Ensemble
from controller.dream.run import adopt
from rnn.dream.batch import DreamBatch
from rnn.dream.dynamics import Dream
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import numpy as np
import pytest
import tensorflow as tf

STEPS = 25
KEYS = np.array([3, 4, 5], np.uint32)


@pytest.fixture
def dream(dreamer) -> Dream:
    return Dream(dreamer, 1.15, "anywhere")


def policies(dream: Dream, count: int = 2) -> np.ndarray:
    size = arch.size(dream.memory.latent + dream.memory.units)
    return np.random.default_rng(0).normal(0, 0.5, (count, size))


def driven_step_by_step(dream: Dream, parameters: np.ndarray) -> list[tuple[float, int]]:
    """Return and length of one policy's dreams, driven from outside."""
    dreams = DreamBatch(dream, len(KEYS))
    dreams.seed(KEYS)
    everywhere = np.ones(len(KEYS), bool)
    dreams.advance(np.zeros((len(KEYS), 3)), everywhere)
    [kernel], [bias] = arch.unpack(parameters[None])
    score, steps, going = np.zeros(len(KEYS)), np.zeros(len(KEYS), int), everywhere
    for _ in range(STEPS):
        features = np.concatenate([dreams._state.z, dreams._state.h], -1)
        action = arch.squash(tf.constant(features @ kernel + bias)).numpy()
        reward, ended = dreams.advance(action, ~everywhere)
        score += np.where(going, reward, 0)
        steps += going
        going = going & ~ended
    return list(zip(score, steps, strict=True))


@pytest.mark.slow
def test_whole_episodes_in_a_graph_are_the_environment_s(dream):
    candidates = policies(dream)
    outcomes = DreamRollout(dream, STEPS).drive(candidates, KEYS)
    for candidate, row in zip(candidates, outcomes, strict=True):
        for outcome, (score, steps) in zip(row, driven_step_by_step(dream, candidate), strict=True):
            assert outcome.score == pytest.approx(score, abs=1e-3)
            assert outcome.steps == steps


@pytest.mark.slow
def test_an_episode_is_over_with_its_lap(own_dreamer, monkeypatch):
    for module in ("rnn.dream.dynamics", "controller.dream.rollout"):
        monkeypatch.setattr(f"{module}.POINTS_OF_TRACK", 20.0)
    dream = Dream(own_dreamer)
    dream.memory.network.get_layer("done").set_weights([np.zeros((6, 1)), np.array([-20.0])])
    dream.memory.network.get_layer("tile").set_weights([np.zeros((6, 1)), np.array([20.0])])
    [row] = DreamRollout(dream, STEPS).drive(policies(dream, 1), KEYS)
    for outcome in row:
        # Five tiles of 4 points.
        assert (outcome.steps, outcome.lap) == (5, True)
        assert outcome.tiles == pytest.approx(1) and outcome.score == pytest.approx(5 * 3.9)
    [row] = DreamRollout(dream, 4).drive(policies(dream, 1), KEYS)
    assert not any(outcome.lap for outcome in row)


def test_equal_candidates_meet_equal_dreams(dream):
    [candidate] = policies(dream, 1)
    one, other = DreamRollout(dream, STEPS).drive(np.stack([candidate] * 2), KEYS)
    assert one == other


@pytest.mark.slow
def test_more_candidates_than_fit_at_once_are_driven_in_parts(dream, monkeypatch):
    candidates = policies(dream, 5)
    whole = DreamRollout(dream, STEPS).drive(candidates, KEYS)
    monkeypatch.setattr("controller.dream.rollout.MOST_DREAMS", 6)
    parts = DreamRollout(dream, STEPS).drive(candidates, KEYS)
    scores = [[[outcome.score for outcome in row] for row in found] for found in (whole, parts)]
    np.testing.assert_allclose(*scores, atol=1e-3)


@pytest.mark.slow
def test_the_ms_of_an_ensemble_share_the_dreams(dream, dreamer):
    rollouts = [DreamRollout(dream, STEPS), DreamRollout(Dream(dreamer, 0.5), STEPS)]
    candidates = policies(dream)
    found = Ensemble(rollouts).drive(candidates, KEYS)
    own, other = (r.drive(candidates, KEYS[i::2]) for i, r in enumerate(rollouts))
    assert found == [a + b for a, b in zip(own, other, strict=True)]
    # One dream is the first M's.
    assert Ensemble(rollouts).drive(candidates, KEYS[:1]) == rollouts[0].drive(candidates, KEYS[:1])


def test_adopts_v_m_and_starts_and_keeps_its_own_c(dreamer, tmp_path):
    target = ModelDirectory(tmp_path / "dream")
    adopt(dreamer, target)
    Dream(target)
    arch.save(target, policies(Dream(target), 1)[0], {"rnn": target.facts("rnn")["digest"]})
    adopt(dreamer, target)
    assert target.has("controller") and not dreamer.has("controller")


def test_refuses_to_adopt_what_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="no trained vision"):
        adopt(ModelDirectory(tmp_path / "nothing"), ModelDirectory(tmp_path / "dream"))
