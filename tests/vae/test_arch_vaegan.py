"""The networks of the VAE-GAN: their interface, their layers, their arithmetic."""

from runs.processors import native_precisions
from settings import adversary
from vae import arch, arch_vaegan

import numpy as np
import pytest
import tensorflow as tf

FRAMES = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)


@pytest.mark.parametrize("variant", adversary.RECIPES)
def test_encoder_and_generator_have_the_vae_s_interface(variant):
    recipe = adversary.recipe(variant)
    mean, log_variance = arch_vaegan.encoder(32, 2, recipe)(FRAMES)
    assert mean.shape == log_variance.shape == (4, 32)
    assert mean.dtype == log_variance.dtype == tf.float32
    frames = arch_vaegan.generator(32, 2, recipe)(mean)
    assert frames.shape == (4, 64, 64, 3) and frames.dtype == tf.float32
    assert tf.reduce_min(frames) >= 0 and tf.reduce_max(frames) <= 1


@pytest.mark.skipif("bfloat16" not in native_precisions(), reason="the processor has none")
@pytest.mark.parametrize("variant", adversary.RECIPES)
def test_half_the_arithmetic_gives_nearly_the_same_latents(variant):
    recipe = adversary.recipe(variant)
    full = arch_vaegan.encoder(8, 4, recipe)
    half = arch_vaegan.encoder(8, 4, recipe, "mixed_bfloat16")
    half.set_weights(full.get_weights())
    assert half(FRAMES)[0].dtype == tf.float32
    np.testing.assert_allclose(half(FRAMES)[0], full(FRAMES)[0], atol=0.05)


def test_repaired_at_depth_32_has_the_vae_s_layers():
    shapes = [[w.shape for w in arch.encoder().weights], [w.shape for w in arch.decoder().weights]]
    ours = arch_vaegan.encoder(), arch_vaegan.generator()
    assert [[w.shape for w in network.weights] for network in ours] == shapes


def test_published_latents_hold_less_than_a_bit_a_dimension():
    encoder = arch_vaegan.encoder(8, 2, adversary.recipe("published"))
    encoder.set_weights([100 * w for w in encoder.get_weights()])
    deviation = np.exp(encoder(FRAMES)[1] / 2)
    assert deviation.min() > 0.606 and deviation.max() < 1.649


def test_published_inner_layer_has_65536_features_at_depth_32():
    inner = arch_vaegan.discriminator(32, adversary.recipe("published")).output[1]
    assert np.prod(inner.shape[1:]) == 65536


def test_every_living_layer_of_d_is_compared_and_moves_the_verdict():
    network = arch_vaegan.discriminator(4)
    assert [layer.shape[1] for layer in network.output[1:]] == [32, 16, 8]
    with tf.GradientTape() as tape:
        logit = tf.reduce_sum(network(FRAMES / np.float32(255))[0])
    assert all(tf.norm(g) > 0 for g in tape.gradient(logit, network.trainable_variables)[:-1])
