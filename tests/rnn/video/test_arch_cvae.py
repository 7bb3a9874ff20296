from rnn.video import arch_cvae
from rnn.video.arch_cvae import Networks, kl_between, last_observed

import keras
import numpy as np
import pytest
import tensorflow as tf

NARROW = 1 / 64
CONDITION = 3
PAST = 2
STEPS = 5


def made(prior: str) -> Networks:
    """Untrained networks whose pictures depend on the features as much as on the skips.

    As they are initialised, so narrow a decoder hardly lets the features through.
    """
    keras.utils.set_random_seed(3)
    networks = Networks(CONDITION, NARROW, PAST, prior)
    first = next(layer for layer in networks.decoder.layers if hasattr(layer, "kernel"))
    first.kernel.assign(1000 * first.kernel)
    return networks


@pytest.fixture(scope="module")
def networks() -> Networks:
    return made("fixed")


@pytest.fixture(scope="module")
def learned() -> Networks:
    return made("learned")


@pytest.fixture(scope="module")
def videos() -> tuple[np.ndarray, np.ndarray, tf.Tensor]:
    """Two videos of noise, their conditions and latents."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, STEPS, 64, 64, 3), dtype=np.uint8)
    condition = rng.normal(size=(2, STEPS, CONDITION)).astype(np.float32)
    return (
        frames,
        tf.constant(condition),
        tf.random.stateless_normal((2, STEPS, arch_cvae.LATENT), (1, 2)),
    )


@pytest.mark.slow
def test_at_full_size_it_has_22_2_million_parameters():
    # Counted by hand from the layers: encoder 8,689,600, decoder 11,822,659, posterior 590,208 and
    # predictor 1,134,720, of which 5,504 are moving averages' halves of the normalisations.
    networks = Networks(condition=7)
    assert networks.encoder.count_params() == 8_683_968 + 2 * 5_632
    assert networks.decoder.count_params() == 11_817_283 + 2 * 5_376
    assert round(sum(int(np.prod(v.shape)) for v in networks.trainable_variables) / 1e6, 1) == 22.2


def test_a_frame_is_drawn_with_the_skips_of_the_last_observed_one():
    assert [int(last_observed(frame, 2)) for frame in range(1, 6)] == [0, 1, 1, 1, 1]
    assert [int(last_observed(frame, 3)) for frame in range(1, 6)] == [0, 1, 2, 2, 2]


@pytest.mark.parametrize("way", ["forced", "free"])
def test_the_future_depends_on_the_skips_of_the_last_past_frame_alone(networks, videos, way):
    frames, condition, z = videos
    features, skips = networks.encode(frames / np.float32(255))
    nobody = tf.constant([False, False])
    predict = {
        "forced": lambda skips: networks.forced(features, skips, z, condition)[0],
        "free": lambda skips: networks.free(features, skips, z, condition, nobody)[0],
    }[way]
    usual = predict(skips).numpy()
    for frame in range(PAST):
        changed = [
            tf.concat([s[:, :frame], s[:, frame : frame + 1] + 1, s[:, frame + 1 :]], 1)
            for s in skips
        ]
        moved = np.abs(predict(changed).numpy() - usual).max(axis=(0, 2, 3, 4)) > 1e-4
        # Frame t stands at t - 1: frame 1 hangs on the first, all later ones on the second.
        assert list(moved) == [[True, False, False, False], [False, True, True, True]][frame]


@pytest.mark.parametrize("which", ["networks", "learned"])
def test_teacher_forced_step_by_step_is_teacher_forced_at_once(request, videos, which):
    networks = request.getfixturevalue(which)
    frames, condition, z = videos
    features, skips = networks.encode(frames / np.float32(255))
    features *= 50  # so that the encoder's own, of a predicted frame, are others
    at_once = networks.forced(features, skips, z, condition)

    def free(forced):
        return networks.free(features, skips, z, condition, tf.constant(forced))

    stepwise = free([True, True])
    for one, other in zip(at_once, stepwise, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    # Without, all is as before until the first frame after a predicted one.
    alone = free([False, True])[0].numpy()
    np.testing.assert_allclose(alone[:, :PAST], at_once[0][:, :PAST], atol=1e-4)
    np.testing.assert_allclose(alone[1], at_once[0][1], atol=1e-4)
    assert np.abs(alone[0, PAST:] - at_once[0][0, PAST:]).max() > 1e-3


def test_what_is_imagined_knows_the_past_and_the_actions_and_nothing_of_the_future(
    networks, videos
):
    frames, condition, z = videos
    usual = networks.imagine(frames, condition, z).numpy()
    assert usual.shape == (2, STEPS - PAST, 64, 64, 3)
    later = frames.copy()
    later[:, PAST:] = 0
    np.testing.assert_array_equal(networks.imagine(later, condition, z), usual)
    # The action on seeing frame 2 shows in frame 3, the second that is predicted.
    acted = condition + np.eye(STEPS, dtype=np.float32)[PAST, :, None]
    moved = np.abs(networks.imagine(frames, acted, z).numpy() - usual).max(axis=(0, 2, 3, 4))
    assert moved[0] == 0 and moved[1] > 0


def test_a_learned_prior_makes_the_latents_of_noise(learned, videos):
    frames, condition, z = videos
    one, other = (learned.imagine(frames, condition, noise) for noise in (z, tf.zeros_like(z)))
    assert np.abs(one.numpy() - other.numpy()).max() > 1e-5


def test_the_kl_of_gaussians_by_hand():
    # σ² 1 against 1, means 1 apart: 1/2. σ² e against 1: (e - 1 - 1) / 2. Two numbers each: a sum.
    zero, one = tf.zeros((1, 2)), tf.ones((1, 2))

    def kl(*parameters) -> float:
        return float(kl_between(*parameters)[0])

    assert kl(one, zero, zero, zero) == pytest.approx(2 * 0.5)
    assert kl(zero, one, zero, zero) == pytest.approx(2 * (np.e - 2) / 2)
    assert kl(one, one, one, one) == pytest.approx(0)
    assert kl(one, zero, zero, one) == pytest.approx(2 * (2 / np.e - 1 + 1) / 2)
