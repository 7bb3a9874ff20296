from controller import arch
from controller.agent import Agent

import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(scope="module")
def agent(model) -> Agent:
    return Agent(model)


def frames(rows: int, steps: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (steps, rows, 64, 64, 3), dtype=np.uint8)


def test_v_then_c_then_m_as_in_the_paper(agent, policies):
    """C acts on z and the memory of the past; M then takes z and the action."""
    seen = frames(3, 4)
    kernel, bias = arch.unpack(policies[:3])
    h = c = tf.zeros((3, agent.memory.units))
    agent.clear()
    agent.add(policies[:3])
    for step in range(4):
        z, _ = agent.vision.encoder(seen[step])
        action = arch.act(tf.concat([z, h], -1), kernel, bias)
        outputs = agent.memory.network([tf.concat([z, action], -1)[:, None], h, c])
        h, c = outputs["h"], outputs["c"]
        np.testing.assert_allclose(agent.act(seen[step]), action, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_an_agent_without_h_acts_on_z_alone_and_needs_no_m(own_model, policies):
    own_model.weights("rnn").unlink()
    assert Agent(own_model, sees="z").features == 32
    policies = policies[:3, : arch.size(32)]
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "z"))
    blind = Agent(own_model)
    assert blind.memory is None and blind.features == 32
    seen = frames(3, 4)
    actions = drive(blind, policies, seen)
    for step in range(4):
        z, _ = blind.vision.encoder(seen[step])
        expected = arch.act(z, *arch.unpack(policies))
        np.testing.assert_allclose(actions[step], expected, rtol=1e-4, atol=1e-5)
    for rows in ([1], [2, 0]):
        assert np.array_equal(drive(blind, policies[rows], seen[:, rows]), actions[:, rows])


def drive(agent, policies, seen) -> np.ndarray:
    agent.clear()
    agent.add(policies)
    return np.stack([agent.act(batch) for batch in seen])


def test_actions_are_in_their_ranges(agent, policies):
    actions = drive(agent, 100 * policies, frames(5, 3))
    assert actions.dtype == np.float32 and actions.shape == (3, 5, 3)
    assert (actions >= [-1, 0, 0]).all() and (actions <= [1, 1, 1]).all()


def test_a_row_does_not_depend_on_the_others(agent, policies):
    seen = frames(5, 6)
    together = drive(agent, policies, seen)
    for rows in ([0], [3], [1, 2], [4, 0, 2]):
        assert np.array_equal(drive(agent, policies[rows], seen[:, rows]), together[:, rows]), rows


def test_kept_rows_go_on_and_new_ones_begin(agent, policies):
    seen = frames(5, 6)
    whole = drive(agent, policies, seen)
    agent.clear()
    agent.add(policies[:4])
    for step in range(3):
        agent.act(seen[step, :4])
    agent.keep([1, 3])
    agent.add(policies[4:])
    actions = agent.act(np.stack([seen[3, 1], seen[3, 3], seen[0, 4]]))
    assert np.array_equal(actions[:2], whole[3, [1, 3]])
    assert np.array_equal(actions[2], whole[0, 4])


def test_the_same_agent_acts_the_same(agent, model, policies):
    seen = frames(2, 3)
    assert np.array_equal(drive(agent, policies[:2], seen), drive(Agent(model), policies[:2], seen))
