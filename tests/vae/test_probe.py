from vae import probe

import numpy as np
import pytest


def test_a_line_is_read_exactly():
    z = np.random.default_rng(0).normal(size=(500, 3))
    truth = z @ np.array([[2.0, 0], [0, -1], [1, 1]]) + np.array([5.0, -3])
    weights = probe.fit(z, truth)
    assert probe.r2(truth, probe.predict(weights, z)) == pytest.approx([1, 1], abs=1e-4)
    assert weights[-1] == pytest.approx([5, -3], abs=0.02)


def test_what_is_not_in_the_latent_is_not_explained():
    rng = np.random.default_rng(0)
    weights = probe.fit(rng.normal(size=(2000, 4)), rng.normal(size=(2000, 1)))
    fresh = probe.predict(weights, rng.normal(size=(2000, 4)))
    assert abs(probe.r2(rng.normal(size=(2000, 1)), fresh)[0]) < 0.02


def test_idle_dimensions_do_no_harm():
    z = np.concatenate([np.random.default_rng(0).normal(size=(100, 1)), np.zeros((100, 5))], axis=1)
    weights = probe.fit(z, 3 * z[:, :1])
    assert probe.predict(weights, z) == pytest.approx(3 * z[:, :1], abs=0.02)


def test_r2_is_1_minus_missed_over_spread():
    truth = np.array([[1.0], [2.0], [3.0]])  # spread 2
    assert probe.r2(truth, np.array([[1.0], [2.0], [4.0]])) == pytest.approx([0.5])
    assert probe.r2(truth, np.full((3, 1), 2.0)) == pytest.approx([0.0])
    assert np.isnan(probe.r2(np.ones((3, 1)), np.ones((3, 1))))[0]
