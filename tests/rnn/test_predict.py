from rnn import Memory, arch, predict

import keras
import numpy as np
import pytest
import tensorflow as tf

L = 3


@pytest.fixture(scope="module")
def memory() -> Memory:
    keras.utils.set_random_seed(2)
    return Memory(arch.network(L, 6, 2, ()), L, 6, (), "digest")


@pytest.fixture(scope="module")
def sequence() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(2, 9, L)).astype(np.float32),
        rng.uniform(-1, 1, (2, 9, 3)).astype(np.float32),
    )


def test_what_is_remembered_is_h_before_each_step(memory, sequence):
    z, action = sequence
    h = predict.remembered(memory, z, action)
    assert h.shape == (2, 9, 6) and not h[:, 0].any()
    zeros = tf.zeros((2, 6))
    for t in (1, 5, 8):
        x = tf.concat([z[:, :t], action[:, :t]], -1)
        np.testing.assert_allclose(h[:, t], memory.network([x, zeros, zeros])["h"], atol=1e-6)


def test_one_step_is_the_mean_of_the_mixture_at_every_step(memory, sequence):
    z, action = sequence
    expected = predict.one_step(memory, z, action)
    assert expected.shape == (2, 9, L)
    zeros = tf.zeros((2, 6))
    for t in (0, 4, 8):
        x = tf.concat([z[:, : t + 1], action[:, : t + 1]], -1)
        mixture = memory.network([x, zeros, zeros])["mixture"][:, -1]
        np.testing.assert_allclose(expected[:, t], arch.mean_of(mixture, L), atol=1e-6)


def test_open_loop_begins_as_one_step_does(memory, sequence):
    z, action = sequence
    alone = predict.open_loop(memory, z, action, 4)
    assert alone.shape == (2, 5, L)
    np.testing.assert_allclose(alone[:, 0], predict.one_step(memory, z, action)[:, 3], atol=1e-6)


@pytest.mark.slow
def test_open_loop_sees_nothing_after_its_warm_up(memory, sequence):
    z, action = sequence
    other = z.copy()
    other[:, 4:] = 50
    assert np.array_equal(
        predict.open_loop(memory, z, action, 4), predict.open_loop(memory, other, action, 4)
    )
    other[:, 3] = 50
    assert not np.array_equal(
        predict.open_loop(memory, z, action, 4), predict.open_loop(memory, other, action, 4)
    )


def test_open_loop_follows_the_actions_and_its_own_predictions(memory, sequence):
    z, action = sequence
    alone = predict.open_loop(memory, z, action, 4)
    fed = z.copy()
    fed[:, 4:] = alone
    np.testing.assert_allclose(predict.one_step(memory, fed, action)[:, 3:-1], alone, atol=1e-5)
