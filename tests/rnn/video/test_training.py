from rnn.video.arch_cvae import Networks
from rnn.video.training import CVAE, psnr_of
from runs import fitting

import numpy as np
import pytest
import tensorflow as tf

FUTURE = 2


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return {
        "frames": tf.constant(rng.integers(0, 256, (4, 4, 64, 64, 3), dtype=np.uint8)),
        "condition": tf.constant(rng.normal(size=(4, 4, 3)).astype(np.float32)),
    }


@pytest.mark.slow
def test_the_loss_is_the_squared_error_and_beta_times_the_kl_over_the_frames(batch):
    fitting.seed(1)
    model = CVAE(Networks(3, 1 / 64), FUTURE)
    found = {}
    for beta in (0.0, 0.5):
        model.kl_weight.assign(beta)
        losses = model.losses_of(batch, tf.constant([1, 2]), training=False)
        found[beta] = {name: float(value) for name, value in losses.items()}
    # Frames 1, 2 and 3 are predicted.
    assert found[0.0]["loss"] == pytest.approx(3 * found[0.0]["mse"], rel=1e-5)
    kl = found[0.5]["kl"]
    assert kl > 0 and kl == pytest.approx(found[0.0]["kl"])
    assert found[0.5]["loss"] == pytest.approx(3 * (found[0.5]["mse"] + 0.5 * kl), rel=1e-5)


def test_psnr_by_hand():
    # Squared errors of 0.01 and 0.0001: 20 and 40 dB.
    true = tf.zeros((1, 2, 64, 64, 3))
    other = tf.constant([0.1, 0.01])[None, :, None, None, None] * tf.ones_like(true)
    np.testing.assert_allclose(psnr_of(true, other), [[20, 40]], rtol=1e-4)
