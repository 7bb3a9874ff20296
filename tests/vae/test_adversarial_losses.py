"""The losses of the VAE-GAN's adversary, by hand."""

from vae import adversarial_losses, arch

import keras
import numpy as np
import pytest
import tensorflow as tf


def test_losses_of_the_three_adversaries_are_what_hand_computation_gives():
    real, made, fantasy = tf.constant([[2.0]]), tf.constant([[0.0]]), tf.constant([[-2.0]])
    entropy = np.log1p(np.exp(-2)), np.log(2), np.log1p(np.exp(-2))
    found = {
        name: float(adversarial_losses.discrimination(name, real, made, fantasy))
        for name in ("bce", "hinge", "wgan-gp")
    }
    assert found["bce"] == pytest.approx(entropy[0] / 2 + entropy[1] / 4 + entropy[2] / 4)
    assert found["hinge"] == pytest.approx(0 / 2 + 1 / 4 + 0 / 4)
    assert found["wgan-gp"] == pytest.approx((0 - 2) / 2 - 2)
    assert float(adversarial_losses.deception("hinge", made, fantasy)) == pytest.approx(1)
    not_saturating = (np.log(2) + np.log1p(np.exp(2))) / 2
    assert float(adversarial_losses.deception("bce", made, fantasy)) == pytest.approx(
        not_saturating
    )
    saturating = -(entropy[1] + entropy[2]) / 4
    assert float(adversarial_losses.deception("saturating", made, fantasy)) == pytest.approx(
        saturating
    )


def test_relative_feature_distance_does_not_depend_on_a_layer_s_scale():
    one, other = [tf.constant([[1.0, 2.0]])], [tf.constant([[1.0, 1.0]])]
    distance = adversarial_losses.feature_distance
    assert float(distance(one, other, relative=False)) == pytest.approx(0.5)
    assert float(distance(one, other, relative=True)) == pytest.approx(0.5 / 2.5)
    scaled = distance([10 * one[0]], [10 * other[0]], relative=True)
    assert float(scaled) == pytest.approx(0.5 / 2.5)


def linear(slope: float) -> keras.Model:
    """A discriminator whose logit is `slope` · (sum of the frame) / its norm's unit."""
    frames = keras.Input(arch.FRAME)
    size = 64 * 64 * 3
    logit = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(slope / size**0.5))
    flat = keras.layers.Flatten()(frames)
    return keras.Model(frames, [logit(flat), flat])


def test_penalties_of_a_linear_discriminator_follow_from_its_slope():
    real, fake = tf.random.uniform((3, 64, 64, 3)), tf.random.uniform((3, 64, 64, 3))
    penalty = adversarial_losses.gradient_penalty(linear(3.0), real, fake, (0, 1))
    assert float(penalty) == pytest.approx(10 * (3 - 1) ** 2, rel=1e-4)
    assert float(adversarial_losses.r1(linear(3.0), real)) == pytest.approx(3**2 / 2, rel=1e-4)


def test_the_drift_of_a_critic_is_the_mean_square_of_its_answers():
    assert float(adversarial_losses.drift(tf.constant([[3.0], [1.0]]))) == pytest.approx(5)


def test_a_critic_s_line_runs_between_its_means():
    logits = [tf.constant([[x]]) for x in (10.0, 8.0, 7.0)]
    assert adversarial_losses.recognised("hinge", *logits)["fantasy_recognised"] == 0
    assert adversarial_losses.recognised("wgan-gp", *logits)["fantasy_recognised"] == 1
