from runs.directory import ModelDirectory
from runs.fitting import NetworkTraining
from runs.processors import instructions, native_precisions
from vae import arch

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(1)
    return arch.encoder()


@pytest.fixture(scope="module")
def decoder():
    keras.utils.set_random_seed(2)
    return arch.decoder()


def frames(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


def test_v_has_the_4_348_547_parameters_of_the_paper(encoder, decoder):
    assert encoder.count_params() + decoder.count_params() == 4_348_547
    # Convolutions k·k·in·out + out, then two dense layers of 32 on 2·2·256 features.
    convolutions = 16 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 256) + 32 + 64 + 128 + 256
    assert encoder.count_params() == convolutions + 2 * (1024 * 32 + 32)
    assert arch.autoencoder(encoder, decoder).count_params() == 4_348_547


def test_at_half_the_depth_a_frame_costs_less_than_a_third():
    shallow = arch.encoder(depth=16)
    convolutions = 16 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128) + 16 + 32 + 64 + 128
    assert shallow.count_params() == convolutions + 2 * (512 * 32 + 32)
    assert arch.decoder(depth=16)(np.zeros((2, 32), np.float32)).shape == (2, 64, 64, 3)
    assert 3 * multiplications(shallow) < multiplications(arch.encoder())


def multiplications(model: keras.Model) -> int:
    """Those of the convolutions for one frame: every kernel once for each place."""
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    return sum(
        int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:3]))
        for layer in convolutions
    )


def test_shapes_and_ranges(encoder, decoder):
    mean, log_variance = encoder(frames(3))
    assert mean.shape == log_variance.shape == (3, 32)
    decoded = decoder(10 * tf.random.stateless_normal((3, 32), (1, 2)))
    assert decoded.shape == (3, 64, 64, 3)
    assert tf.reduce_min(decoded) >= 0 and tf.reduce_max(decoded) <= 1


def test_mean_and_log_variance_are_linear_in_the_features(encoder):
    """No tanh: it would squeeze what a latent can say to less than a bit."""
    for name in ("mean", "log_variance"):
        assert encoder.get_layer(name).activation is keras.activations.linear


def test_the_encoder_scales_bytes_itself(encoder):
    white = np.full((1, 64, 64, 3), 255, np.uint8)
    inner = keras.Model(encoder.input, encoder.layers[1].output)
    assert np.allclose(inner(white), 1) and np.allclose(inner(white // 255 * 51), 0.2)


def test_a_frame_is_encoded_the_same_in_any_batch(encoder):
    batch = frames(5)
    together, alone = encoder(batch)[0], encoder(batch[2:3])[0]
    np.testing.assert_allclose(together[2:3], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif("bfloat16" not in native_precisions(), reason="the processor has none")
def test_bfloat16_keeps_float32_weights_and_about_the_same_latents(encoder):
    half = arch.encoder(dtype="mixed_bfloat16")
    half.set_weights(encoder.get_weights())
    assert all(weight.dtype == "float32" for weight in half.weights)
    mean, log_variance = half(frames(4))
    assert mean.dtype == log_variance.dtype == tf.float32
    np.testing.assert_allclose(mean, encoder(frames(4))[0], atol=0.02)


def test_kl_divergence_by_hand():
    """½ Σ (μ² + σ² − log σ² − 1)."""
    mean = tf.constant([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    log_variance = tf.constant([[0.0, 0.0], [0.0, 0.0], [np.log(4.0), 0.0]])
    by_hand = [0, 12.5, (4 - np.log(4) - 1) / 2 + 0.5]
    np.testing.assert_allclose(arch.kl_divergence(mean, log_variance), by_hand, rtol=1e-6)


def test_kl_divergence_is_that_of_samples():
    """E[log q(z) − log p(z)] over a million draws of one latent."""
    mean, sd = 0.7, 0.4
    z = mean + sd * np.random.default_rng(0).standard_normal(1_000_000)
    log_ratio = -((z - mean) ** 2) / (2 * sd**2) - np.log(sd) + z**2 / 2
    exact = float(
        arch.kl_divergence(tf.constant([[mean]]), tf.constant([[2 * np.log(sd)]], tf.float32))[0]
    )
    assert log_ratio.mean() == pytest.approx(exact, abs=5e-3)


def test_off_moments_are_nought_for_mean_0_and_variance_1():
    assert float(arch.off_moments(tf.constant([[1.0], [-1.0]]))) == pytest.approx(0)
    assert float(arch.off_moments(tf.constant([[3.0], [1.0]]))) == pytest.approx(4)


def test_samples_have_the_mean_and_variance_asked_for():
    """The standard deviation is exp(log σ² / 2), not exp(log σ²)."""
    mean = tf.tile([[1.0, -2.0]], [200_000, 1])
    log_variance = tf.tile([[np.log(0.25), np.log(9.0)]], [200_000, 1])
    z = arch.sample(mean, tf.cast(log_variance, tf.float32), (3, 4)).numpy()
    np.testing.assert_allclose(z.mean(0), [1, -2], atol=0.03)
    np.testing.assert_allclose(z.std(0), [0.5, 3], rtol=0.01)


def test_the_same_seed_samples_the_same():
    mean = tf.zeros((4, 3))
    one, other = (arch.sample(mean, mean, (1, 2)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, arch.sample(mean, mean, (1, 3)))


def small(kl_tolerance=0.5, seed=1, learning_rate=1e-3) -> arch.VAE:
    keras.utils.set_random_seed(7)
    model = arch.VAE(arch.encoder(4), arch.decoder(4), kl_tolerance, seed)
    model.compile(keras.optimizers.Adam(learning_rate))
    return model


def test_losses_are_squared_errors_per_frame_and_free_bits():
    model = small(kl_tolerance=0.5)
    batch = frames(3)
    loss, reconstruction_loss, kl = model.losses_of(batch, (1, 2))
    mean, log_variance = model.encoder(batch)
    decoded = model.decoder(arch.sample(mean, log_variance, (1, 2))).numpy()
    per_frame = ((batch / 255 - decoded) ** 2).sum((1, 2, 3))
    assert float(reconstruction_loss) == pytest.approx(per_frame.mean(), rel=1e-4)
    kl_divergence = arch.kl_divergence(mean, log_variance).numpy()
    assert float(kl) == pytest.approx(kl_divergence.mean(), rel=1e-5)
    free = np.maximum(kl_divergence, 0.5 * 4)
    assert float(loss) == pytest.approx(per_frame.mean() + free.mean(), rel=1e-4)


@pytest.mark.slow
def test_the_weight_of_the_kl_multiplies_it_and_its_tolerance():
    losses = {}
    for weight in (0.0, 1.0, 4.0):
        keras.utils.set_random_seed(7)
        model = arch.VAE(arch.encoder(2), arch.decoder(2), kl_weight=weight)
        losses[weight] = float(model.losses_of(frames(2), (1, 2))[0])
    assert losses[1.0] > losses[0.0]
    assert losses[4.0] - losses[0.0] == pytest.approx(4 * (losses[1.0] - losses[0.0]), rel=1e-3)


@pytest.mark.slow
def test_below_the_tolerance_the_kl_divergence_gives_no_gradient():
    gradients = {}
    for tolerance in (0.0, 1000.0):
        model = small(tolerance)
        with tf.GradientTape() as tape:
            loss, reconstruction_loss, _ = model.losses_of(frames(2), (1, 2))
            beyond = loss - reconstruction_loss
        gradients[tolerance] = tape.gradient(beyond, model.encoder.get_layer("mean").kernel)
    assert np.abs(gradients[0.0]).max() > 0
    assert np.abs(gradients[1000.0]).max() == 0


@pytest.mark.slow
def test_training_makes_the_loss_of_a_batch_smaller_and_tracks_it():
    model = small()
    batch = np.full((8, 64, 64, 3), 240, np.uint8)
    before = float(model.losses_of(batch, (1, -1))[0])
    for _ in range(10):
        tracked = model.train_step(batch)
    assert float(model.losses_of(batch, (1, -1))[0]) < 0.9 * before
    assert set(tracked) == {"loss", "reconstruction", "kl"}


@pytest.mark.slow
def test_the_noise_follows_from_seed_and_step():
    one, same, other = small(seed=1), small(seed=1), small(seed=2)
    for model in (one, same, other):
        for _ in range(2):
            model.train_step(frames(4))
    equal = [np.array_equal(a, b) for a, b in zip(one.weights, same.weights, strict=True)]
    assert all(equal)
    assert any(not np.array_equal(a, b) for a, b in zip(one.weights, other.weights, strict=True))


def test_validation_uses_the_same_noise_every_time_and_changes_nothing():
    model = small()
    weights = model.get_weights()
    results = []
    for _ in range(2):
        model.reset_metrics()
        results.append({name: float(v) for name, v in model.test_step(frames(4)).items()})
    assert results[0] == results[1]
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))


def tiny(dtype: str, optimizer) -> arch.VAE:
    """Small networks of the real ones' layers; a processor takes seconds for those in float16."""
    keras.utils.set_random_seed(7)
    seen = keras.Input(arch.FRAME, dtype="uint8")
    x = layers.Rescaling(1 / 255, dtype=dtype)(seen)
    x = layers.Conv2D(4, 8, strides=8, activation="relu", dtype=dtype)(x)
    x = layers.Flatten(dtype=dtype)(x)
    encoder = keras.Model(seen, [layers.Dense(4, dtype="float32")(x) for _ in range(2)])
    z = keras.Input((4,))
    x = layers.Dense(64, activation="relu", dtype=dtype)(z)
    x = layers.Reshape((8, 8, 1), dtype=dtype)(x)
    x = layers.Conv2DTranspose(3, 8, strides=8, dtype=dtype)(x)
    model = arch.VAE(encoder, keras.Model(z, layers.Activation("sigmoid", dtype="float32")(x)))
    model.compile(optimizer)
    return model


BATCH = np.full((4, 64, 64, 3), 240, np.uint8)


def test_only_float16_scales_its_loss():
    adam = keras.optimizers.Adam()
    assert isinstance(tiny("mixed_float16", adam).optimizer, keras.optimizers.LossScaleOptimizer)
    assert tiny("mixed_bfloat16", adam).optimizer is adam


@pytest.mark.skipif("avx512_fp16" not in instructions(), reason="the processor has no float16")
@pytest.mark.parametrize("scale", [1.0, 16.0])
def test_float16_applies_the_gradients_of_float32_whatever_the_scale(scale):
    """SGD at rate 1 takes the gradient itself from the weights."""
    applied = {}
    for dtype in ("float32", "mixed_float16"):
        model = tiny(dtype, keras.optimizers.SGD(1.0))
        if dtype == "mixed_float16":
            model.optimizer.dynamic_scale.assign(scale)
        before = model.get_weights()
        model.train_step(BATCH)
        applied[dtype] = [a - b for a, b in zip(before, model.get_weights(), strict=True)]
    for exact, half in zip(*applied.values(), strict=True):
        assert np.linalg.norm(half - exact) < 0.01 * np.linalg.norm(exact)


@pytest.mark.skipif("avx512_fp16" not in instructions(), reason="the processor has no float16")
def test_a_float16_step_that_overflows_is_left_out_and_the_next_is_smaller():
    model = tiny("mixed_float16", keras.optimizers.Adam(1e-3))
    model.optimizer.dynamic_scale.assign(2.0**40)
    before = model.get_weights()
    model.train_step(BATCH)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert float(model.optimizer.dynamic_scale) == 2.0**39
    assert int(model.optimizer.iterations) == 0


@pytest.mark.skipif("avx512_fp16" not in instructions(), reason="the processor has no float16")
def test_float16_training_makes_the_loss_as_small_as_float32():
    def loss_of(model):
        return float(model.losses_of(BATCH, (1, -1))[0])

    half, exact = (tiny(t, keras.optimizers.Adam(1e-2)) for t in ("mixed_float16", "float32"))
    before, step = loss_of(half), tf.function(half.train_step)
    for _ in range(30):
        step(tf.constant(BATCH))
    # Those that were left out do not count.
    for _ in range(int(half.optimizer.iterations)):
        exact.train_step(BATCH)
    assert loss_of(half) < 0.8 * before
    assert loss_of(half) == pytest.approx(loss_of(exact), rel=0.02)


@pytest.mark.skipif("avx512_fp16" not in instructions(), reason="the processor has no float16")
def test_a_float16_training_resumes_with_its_scale(tmp_path):
    whole = tiny("mixed_float16", keras.optimizers.Adam(1e-2))
    for _ in range(12):
        whole.train_step(BATCH)
    scale = float(whole.optimizer.dynamic_scale)
    assert scale < whole.optimizer.initial_scale
    NetworkTraining(ModelDirectory(tmp_path), "vision", {}).save(whole)

    resumed = tiny("mixed_float16", keras.optimizers.Adam(1e-2))
    assert NetworkTraining(ModelDirectory(tmp_path), "vision", {}).resume(resumed)
    assert float(resumed.optimizer.dynamic_scale) == scale
    assert int(resumed.optimizer.step_counter) == int(whole.optimizer.step_counter) > 0
    for model in (whole, resumed):
        model.train_step(BATCH)
    assert all(map(np.array_equal, whole.get_weights(), resumed.get_weights()))
