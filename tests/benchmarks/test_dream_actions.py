"""benchmarks/dream_actions.py: where its dreams begin, and what they add up."""

from controller import arch
from controller.agent import Agent
from rnn.dream.dynamics import Dream

import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture
def actions(load):
    module = load("benchmarks/dream_actions.py")
    module.BEFORE, module.AFTER, module.DREAMS = 3, 4, 2
    return module


@pytest.mark.slow
def test_dreams_begin_with_what_is_seen_and_remembered_at_their_moment(
    actions, own_dreamer, episode
):
    agent, dream = Agent(own_dreamer, sees="zh"), Dream(own_dreamer)
    recorded = [episode(7, seed) for seed in (1, 2)]
    state = actions.begin(agent, dream, recorded)
    assert state.z.shape == (4, 4)
    for row, one in enumerate(recorded):
        h = c = tf.zeros((1, 6))
        for frame, action in zip(one.obs[:3], one.action[:3], strict=True):
            z = agent.vision.encoder(frame[None])[0]
            x = tf.concat([z, action[None]], -1)[:, None]
            outputs = dream.memory.network([x, h, c])
            h, c = outputs["h"], outputs["c"]
        seen = agent.vision.encoder(one.obs[3:4])[0][0]
        for of_it in (2 * row, 2 * row + 1):
            np.testing.assert_allclose(state.z[of_it], seen, atol=1e-5)
            np.testing.assert_allclose(state.h[of_it], h[0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("held", [None, (0.0, 0.5, 0.0)])
def test_every_step_of_a_dream_tells_its_tiles(actions, own_dreamer, episode, held):
    dream = Dream(own_dreamer)
    dream.memory.network.get_layer("tile").set_weights([np.zeros((6, 1)), np.array([1.0])])
    state = actions.begin(Agent(own_dreamer, sees="zh"), dream, [episode(7)])
    tiles = actions.dreamt(dream, state, np.ones(arch.size(10)), held)
    np.testing.assert_allclose(tiles, np.full((2, 4), 1 / (1 + np.exp(-1))), rtol=1e-5)


@pytest.mark.slow
def test_no_tile_is_reached_after_the_end_of_an_episode_or_a_dream(actions, own_dreamer, episode):
    short = episode(5)
    short.reward[:] = 3.0
    np.testing.assert_array_equal(actions.tiles_after(short), [True, True, False, False])
    dream = Dream(own_dreamer)
    dream.memory.network.get_layer("done").set_weights([np.zeros((6, 1)), np.array([20.0])])
    state = actions.begin(Agent(own_dreamer, sees="zh"), dream, [episode(7)])
    tiles = actions.dreamt(dream, state, np.ones(arch.size(10)), (0.0, 0.5, 0.0))
    assert (tiles[:, 0] > 0).all() and not tiles[:, 1:].any()


@pytest.mark.slow
def test_what_is_held_decides_where_a_dream_goes(actions, own_dreamer, episode):
    dream = Dream(own_dreamer)
    state = actions.begin(Agent(own_dreamer, sees="zh"), dream, [episode(7)])
    policy = np.zeros(arch.size(10))
    left, right, same = (
        actions.dreamt(dream, state, policy, (steering, 0.5, 0.0)) for steering in (-1, 1, -1)
    )
    assert np.array_equal(left, same) and not np.allclose(left[:, 1:], right[:, 1:])
