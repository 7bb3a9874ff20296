from rnn import Memory, arch, measures, series

import keras
import numpy as np
import pytest
import tensorflow as tf

L, UNITS = 3, 6


@pytest.fixture(scope="module")
def memory() -> Memory:
    keras.utils.set_random_seed(2)
    return Memory(arch.network(L, UNITS, 2, ()), L, UNITS, (), "digest")


@pytest.fixture(scope="module")
def latents(tmp_path_factory, episode) -> list:
    """Latent episodes of many lengths, more than are read together."""
    folder = tmp_path_factory.mktemp("latents")
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:010d}.npz" for number in range(measures.TOGETHER + 3)]
    for number, path in enumerate(paths):
        steps = 2 + number % 7
        mean, log_variance = rng.normal(size=(2, steps, L)).astype(np.float32)
        series.write(path, episode(steps, number), mean, log_variance)
    return paths


def test_a_surprise_is_the_mean_loss_of_an_episode_whatever_is_read_beside_it(memory, latents):
    found = measures.surprises(memory, latents)
    assert found.shape == (len(latents),)
    empty = tf.zeros((1, UNITS))
    for number in (0, 5, measures.TOGETHER + 2):
        one = series.read(latents[number], L)
        h, c, losses = empty, empty, []
        for t in range(len(one["mean"]) - 1):
            x = tf.constant(np.concatenate([one["mean"][t], one["action"][t]])[None, None])
            outputs = memory.network([x, h, c])
            h, c = outputs["h"], outputs["c"]
            following = tf.constant(one["mean"][None, t + 1])
            losses.append(arch.negative_log_likelihood(outputs["mixture"][:, 0], following))
        np.testing.assert_allclose(found[number], np.mean(losses), rtol=1e-5)
