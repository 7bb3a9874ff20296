"""Randomness is a function of key, tick and place, uniform and without visible dependence."""

from rnn.dream import noise

import numpy as np
import tensorflow as tf

ROWS, TICKS, COUNT = 2000, 20, 8


def drawn(keys, ticks, count=COUNT) -> np.ndarray:
    return noise.uniform(tf.constant(keys, tf.uint32), tf.constant(ticks, tf.uint32), count).numpy()


def many() -> np.ndarray:
    """Neighbouring keys at neighbouring ticks: (TICKS, ROWS, COUNT)."""
    keys = np.arange(ROWS)
    return np.stack([drawn(keys, np.full(ROWS, tick)) for tick in range(TICKS)])


def test_a_row_draws_the_same_in_any_batch():
    together = drawn([1, 2, 3], [7, 8, 9])
    np.testing.assert_array_equal(together[1:2], drawn([2], [8]))
    np.testing.assert_array_equal(together[:, :3], drawn([1, 2, 3], [7, 8, 9], 3))


def test_numbers_are_uniform_between_0_and_1():
    numbers = many().ravel()
    assert numbers.min() > 0 and numbers.max() < 1
    shares = np.histogram(numbers, 20, (0, 1))[0] / len(numbers)
    # Four standard deviations of a share of one in twenty.
    assert np.abs(shares - 0.05).max() < 4 * np.sqrt(0.05 * 0.95 / len(numbers))


def test_neighbouring_keys_ticks_and_places_are_not_correlated():
    numbers = many()
    for axis in range(3):
        shifted = np.moveaxis(numbers, axis, 0)
        found = np.corrcoef(shifted[1:].ravel(), shifted[:-1].ravel())[0, 1]
        assert abs(found) < 4 / np.sqrt(shifted[1:].size), f"axis {axis}"


def test_normal_numbers_have_the_moments_of_the_normal_distribution():
    numbers = noise.normal(tf.constant(many().ravel())).numpy().astype(np.float64)
    scale = np.sqrt(len(numbers))
    # The moments' standard deviations are 1, √2, √15 and √96.
    for power, moment, sd in ((1, 0, 1), (2, 1, 2**0.5), (3, 0, 15**0.5), (4, 3, 96**0.5)):
        assert abs((numbers**power).mean() - moment) < 4 * sd / scale, f"power {power}"
