"""The dream's dynamics against what the mixture's formula and the heads say."""

from rnn import arch, series
from rnn.dream import starts
from rnn.dream.dynamics import Dream, State
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json

import numpy as np
import pytest
import tensorflow as tf

# One latent number with three components, worked out below.
LOGITS, MEANS, LOG_SDS = np.array([0.5, -1.0, 0.0]), np.array([-2.0, 0.0, 3.0]), np.log([0.5, 2, 1])
DRAWS = 200_000


def drawn(temperature: float) -> np.ndarray:
    mixture = tf.constant(np.concatenate([LOGITS, MEANS, LOG_SDS]), tf.float32)
    mixture = tf.tile(mixture[None], [DRAWS, 1])
    return (
        arch.sample(mixture, 1, temperature, tf.constant([1, 2])).numpy()[:, 0].astype(np.float64)
    )


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 1.15, 3.0])
def test_draws_have_the_mixture_s_mean_and_variance_at_every_temperature(temperature):
    weights = np.exp(LOGITS / temperature)
    weights /= weights.sum()
    variances = temperature * np.exp(LOG_SDS) ** 2
    mean = weights @ MEANS
    variance = weights @ (variances + MEANS**2) - mean**2
    centred = MEANS - mean
    fourth = weights @ (centred**4 + 6 * centred**2 * variances + 3 * variances**2)
    numbers = drawn(temperature)
    assert abs(numbers.mean() - mean) < 4 * np.sqrt(variance / DRAWS)
    assert abs(numbers.var() - variance) < 4 * np.sqrt((fourth - variance**2) / DRAWS)


def test_as_the_temperature_goes_to_0_draws_go_to_the_heaviest_component_s_mean():
    np.testing.assert_allclose(drawn(1e-8), -2.0, atol=1e-3)


def test_given_numbers_choose_component_and_place():
    mixture = tf.constant([np.concatenate([LOGITS, MEANS, LOG_SDS])], tf.float32)
    # Weights 0.547, 0.122, 0.331.
    for uniform, mean, sd in ((0.54, -2, 0.5), (0.55, 0, 2), (0.66, 0, 2), (0.68, 3, 1)):
        z = arch.draw(mixture, 1, 1.0, tf.constant([[uniform]]), tf.constant([[1.5]]))
        assert z.numpy().item() == pytest.approx(mean + 1.5 * sd)


def step(dream: Dream, count: int = 4, first_key: int = 0):
    keys = tf.range(first_key, first_key + count)
    keys, ticks = tf.cast(keys, tf.uint32), tf.ones(count, tf.uint32)
    state = dream.begin(keys, tf.zeros(count, tf.uint32))
    return state, *dream.step(state, tf.zeros((count, 3)), keys, ticks)


@pytest.mark.parametrize("place, count", [("first", 3), ("anywhere", 4)])
def test_dreams_begin_at_recorded_starts(dreamer, place, count):
    dream = Dream(dreamer, start=place)
    keys = tf.cast(tf.range(64), tf.uint32)
    begun = dream.begin(keys, tf.zeros(64, tf.uint32))
    begins = {tuple(row) for row in np.concatenate([begun.z, begun.h, begun.c], -1)}
    recorded = np.concatenate([dream.starts.z, dream.starts.h, dream.starts.c], -1)
    assert begins == {tuple(row) for row in recorded} and len(begins) == count
    assert begun.h.numpy().any() == begun.c.numpy().any() == (place == "anywhere")


@pytest.mark.parametrize("place, share", [("first", 1.0), ("anywhere", series.BEGINNINGS)])
def test_a_quarter_of_dreams_from_anywhere_begin_where_episodes_do(dreamer, place, share):
    dream, count = Dream(dreamer, start=place), 20_000
    begun = dream.begin(tf.cast(tf.range(count), tf.uint32), tf.zeros(count, tf.uint32))
    beginning = ~begun.h.numpy().any(1)
    deviation = np.sqrt(share * (1 - share) / count)
    assert abs(beginning.mean() - share) <= 4 * deviation
    # Each of the three beginnings as often as the others.
    _, often = np.unique(begun.z.numpy()[beginning], axis=0, return_counts=True)
    np.testing.assert_allclose(often / often.sum(), 1 / 3, atol=0.04)


def test_memory_and_heads_are_the_network_s(dreamer):
    dream = Dream(dreamer)
    state, following, reward, ended, tile = step(dream)
    x = tf.concat([state.z, tf.zeros((4, 3))], -1)[:, None]
    outputs = dream.memory.network([x, state.h, state.c])
    np.testing.assert_allclose(following.h, outputs["h"], atol=1e-6)
    np.testing.assert_allclose(following.c, outputs["c"], atol=1e-6)
    np.testing.assert_allclose(tile, tf.sigmoid(outputs["tile"])[:, 0], atol=1e-6)
    going = ~ended.numpy()
    np.testing.assert_allclose(reward[going], 4.0 * tile[going] - 0.1, rtol=1e-5)


def test_an_end_is_a_lap_with_the_chance_of_a_tile_and_else_outside_the_playfield(own_dreamer):
    dream = Dream(own_dreamer)
    dream.memory.network.get_layer("done").set_weights([np.zeros((6, 1)), np.array([20.0])])
    _, _, reward, ended, tile = step(dream)
    assert ended.numpy().all()
    np.testing.assert_allclose(reward, tile * (4.0 * tile - 0.1) - 100 * (1 - tile), rtol=1e-5)


def test_a_dream_ends_with_the_points_of_a_whole_track(own_dreamer):
    dream = Dream(own_dreamer)
    dream.memory.network.get_layer("done").set_weights([np.zeros((6, 1)), np.array([-20.0])])
    state, following, reward, ended, tile = step(dream)
    assert not ended.numpy().any() and not state.points.numpy().any()
    np.testing.assert_allclose(following.points[:, 0], 4.0 * tile, rtol=1e-5)
    # 4 points a tile: two of four worlds lack less than the step's own.
    points = 1000 - following.points + tf.constant([[0.01], [-0.01], [0.01], [-0.01]])
    keys, ticks = tf.cast(tf.range(4), tf.uint32), tf.ones(4, tf.uint32)
    _, last, ended, _ = dream.step(state._replace(points=points), tf.zeros((4, 3)), keys, ticks)
    np.testing.assert_array_equal(ended, [True, False, True, False])
    # The last tile of a lap is worth as much as any.
    np.testing.assert_allclose(last, reward)


def test_episodes_end_as_often_as_the_head_says(dreamer):
    *_, ended, _ = step(Dream(dreamer), 20_000)
    probability = 1 / (1 + np.exp(4))
    deviation = np.sqrt(probability * (1 - probability) / 20_000)
    assert abs(ended.numpy().mean() - probability) < 4 * deviation


def test_a_world_with_the_same_key_dreams_the_same(dreamer):
    dream = Dream(dreamer, 1.15)
    for one, other in zip(step(dream, 4), step(dream, 8), strict=True):
        parts = zip(one, other, strict=True) if isinstance(one, State) else [(one, other)]
        for a, b in parts:
            np.testing.assert_allclose(a, b[:4], atol=1e-5)


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_refuses_a_temperature_that_is_not_above_0(dreamer, temperature):
    with pytest.raises(BadInput, match="a dream needs one above 0"):
        Dream(dreamer, temperature)


@pytest.mark.parametrize("head", ["tile", "done"])
def test_refuses_an_m_without_a_head(dreamer_without, head):
    with pytest.raises(BadInput, match=f"has no {head} head"):
        Dream(dreamer_without(head))


def test_refuses_weights_of_another_latent_size(own_dreamer):
    facts = read_json(own_dreamer.model_json)
    facts["rnn"]["latent"] = 5
    write_json(own_dreamer.model_json, facts)
    with pytest.raises(BadInput, match="does not fit"):
        Dream(own_dreamer)


def test_refuses_a_directory_without_a_model(tmp_path):
    with pytest.raises(BadInput, match="no trained rnn"):
        Dream(ModelDirectory(tmp_path))


def test_starts_must_fit(own_dreamer):
    starts.path_in(own_dreamer).unlink()
    with pytest.raises(BadInput, match="no dream can begin"):
        Dream(own_dreamer)
