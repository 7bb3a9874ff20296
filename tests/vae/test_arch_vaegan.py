import dataclasses

from runs import weights
from runs.processors import native_precisions
from settings import adversary
from vae import arch, arch_vaegan, losses

import keras
import numpy as np
import pytest
import tensorflow as tf

FRAMES = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)


def built(recipe, steps=10, depth=2, seed=1) -> arch_vaegan.VAEGAN:
    keras.utils.set_random_seed(seed)
    model = arch_vaegan.VAEGAN(
        arch_vaegan.encoder(4, depth, recipe),
        arch_vaegan.generator(4, depth, recipe),
        arch_vaegan.discriminator(depth, recipe),
        recipe,
        steps,
        seed,
    )
    model.compile(*arch_vaegan.optimizers(recipe, steps))
    return model


def trained(recipe, steps: int, **more) -> arch_vaegan.VAEGAN:
    model = built(recipe, **more)
    learn(model, steps)
    return model


def learn(model: arch_vaegan.VAEGAN, steps: int) -> None:
    """A few steps one by one: to make a graph of them takes much longer than they do."""
    for _ in range(steps):
        model.train_step(tf.constant(FRAMES))


def moved(before: list, network) -> bool:
    return any((a != b).any() for a, b in zip(before, network.get_weights(), strict=True))


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


def test_losses_of_the_three_adversaries_are_what_hand_computation_gives():
    real, made, fantasy = tf.constant([[2.0]]), tf.constant([[0.0]]), tf.constant([[-2.0]])
    entropy = np.log1p(np.exp(-2)), np.log(2), np.log1p(np.exp(-2))
    found = {
        name: float(losses.discrimination(name, real, made, fantasy))
        for name in ("bce", "hinge", "wgan-gp")
    }
    assert found["bce"] == pytest.approx(entropy[0] / 2 + entropy[1] / 4 + entropy[2] / 4)
    assert found["hinge"] == pytest.approx(0 / 2 + 1 / 4 + 0 / 4)
    assert found["wgan-gp"] == pytest.approx((0 - 2) / 2 - 2)
    assert float(losses.deception("hinge", made, fantasy)) == pytest.approx(1)
    not_saturating = (np.log(2) + np.log1p(np.exp(2))) / 2
    assert float(losses.deception("bce", made, fantasy)) == pytest.approx(not_saturating)
    saturating = -(entropy[1] + entropy[2]) / 4
    assert float(losses.deception("saturating", made, fantasy)) == pytest.approx(saturating)


def test_relative_feature_distance_does_not_depend_on_a_layer_s_scale():
    one, other = [tf.constant([[1.0, 2.0]])], [tf.constant([[1.0, 1.0]])]
    distance = losses.feature_distance
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
    penalty = losses.gradient_penalty(linear(3.0), real, fake, (0, 1))
    assert float(penalty) == pytest.approx(10 * (3 - 1) ** 2, rel=1e-4)
    assert float(losses.r1(linear(3.0), real)) == pytest.approx(3**2 / 2, rel=1e-4)


def test_the_drift_of_a_critic_is_the_mean_square_of_its_answers():
    assert float(losses.drift(tf.constant([[3.0], [1.0]]))) == pytest.approx(5)


def test_a_critic_s_answers_are_drawn_to_nought_by_the_drift_s_weight():
    def answer(drift: float) -> float:
        recipe = adversary.recipe("repaired", adversary="wgan-gp", drift=drift, critic_rate=1e-2)
        networks = arch_vaegan.encoder(4, 2), arch_vaegan.generator(4, 2), judge(0.0, 5.0)
        model = arch_vaegan.VAEGAN(*networks, recipe, 10)
        model.compile(*arch_vaegan.optimizers(recipe, 10))
        white = tf.ones((2, 64, 64, 3))
        # Real and false are the same, so that only the drift's weight tells where to go.
        model.discriminate(white, white, white, 0)
        return float(tf.reduce_mean(model.discriminator(white)[0]))

    assert answer(1.0) < answer(0.0)


def test_about_half_of_the_frames_are_mirrored_and_the_others_left():
    frames = np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3), np.uint8)
    found = arch_vaegan.mirrored(tf.constant(frames), (1, 2)).numpy()
    left = (found == frames).all(axis=(1, 2, 3))
    assert (found[~left] == frames[~left][:, :, ::-1]).all()
    assert 16 < left.sum() < 48
    np.testing.assert_array_equal(found, arch_vaegan.mirrored(tf.constant(frames), (1, 2)))


def test_off_moments_are_nought_for_mean_0_and_variance_1():
    assert float(losses.off_moments(tf.constant([[1.0], [-1.0]]))) == pytest.approx(0)
    assert float(losses.off_moments(tf.constant([[3.0], [1.0]]))) == pytest.approx(4)


@pytest.mark.slow
@pytest.mark.parametrize("weights", [{"features": 0.0}, {"pixels": 0.0}])
def test_without_deception_g_learns_from_the_other_losses_alone(weights):
    """D moves in one and not in the other; where its layers do not count, G must not notice."""
    quiet = adversary.recipe("repaired", deception=0.0, **weights)
    still = dataclasses.replace(quiet, critic_rate=0.0)
    one, other = trained(quiet, 2), trained(still, 2)
    same = all(
        (a == b).all()
        for a, b in zip(one.generator.get_weights(), other.generator.get_weights(), strict=True)
    )
    assert same == (weights == {"features": 0.0})


@pytest.mark.slow
def test_gradients_are_kept_apart():
    """Deceiving D moves G and leaves E as it was."""
    only_deception = adversary.recipe(
        "repaired",
        pixels=0.0,
        features=0.0,
        kl_weight=0.0,
        adaptive=False,
        ramp_start=0.0,
        ramp_end=0.0,
    )
    model = built(only_deception)
    before = [network.get_weights() for network in (model.encoder, model.generator)]
    model.train_step(tf.constant(FRAMES))
    model.train_step(tf.constant(FRAMES))
    assert not moved(before[0], model.encoder)
    assert moved(before[1], model.generator)


def test_the_deception_s_weight_is_ramped():
    model = built(adversary.recipe("repaired", deception=0.5, ramp_start=0.2, ramp_end=0.6), 100)
    assert [float(model.ramp(step)) for step in (0, 20, 40, 60, 99)] == [0, 0, 0.25, 0.5, 0.5]


@pytest.mark.slow
def test_the_adaptive_weight_makes_the_pulls_at_a_frame_equal():
    model = built(adversary.recipe("repaired", deception=1.0, ramp_start=0.0, ramp_end=0.0))
    real = arch.to_unit(FRAMES)
    with tf.GradientTape(persistent=True) as tape:
        view = model.view(FRAMES, real, 5)
        common = view["pixels"] + view["features"]
        with tape.stop_recording():
            weight = model.deception_weight(tape, view, common, 5)
    pulls = [
        tf.norm(tape.gradient(loss, view["reconstruction"])) for loss in (common, view["deception"])
    ]
    assert float(weight * pulls[1] / pulls[0]) == pytest.approx(1, rel=1e-2)


def judge(slope: float, bias: float) -> keras.Model:
    """A discriminator whose logit is `slope` · (the frame's mean brightness) + `bias`."""
    frames = keras.Input(arch.FRAME)
    brightness = keras.layers.AveragePooling2D(64)(frames)
    logit = keras.layers.Conv2D(
        1,
        1,
        kernel_initializer=keras.initializers.Constant(slope / 3),
        bias_initializer=keras.initializers.Constant(bias),
    )(brightness)
    return keras.Model(frames, [keras.layers.Flatten()(logit), brightness])


@pytest.mark.parametrize(
    "slope, bias, learns, ignored",
    [(20.0, -10.0, False, False), (0.0, 0.0, True, False), (-20.0, 10.0, True, True)],
    ids=["wins", "cannot tell", "loses"],
)
def test_d_rests_while_it_wins_and_g_ignores_it_while_it_loses(slope, bias, learns, ignored):
    recipe = adversary.recipe("repaired", ramp_start=0.0, ramp_end=0.0)
    networks = arch_vaegan.encoder(4, 2), arch_vaegan.generator(4, 2), judge(slope, bias)
    model = arch_vaegan.VAEGAN(*networks, recipe, 10)
    model.compile(*arch_vaegan.optimizers(recipe, 10))
    white, black = tf.ones((2, 64, 64, 3)), tf.zeros((2, 64, 64, 3))
    before = model.discriminator.get_weights()
    logits = [model.discriminator(x)[0] for x in (white, black, black)]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(black)
        view = {"reconstruction": black, "logits": logits}
        view["deception"] = -tf.reduce_mean(model.discriminator(black)[0])
        common = tf.reduce_sum(tf.square(black - 1))
    weight = model.deception_weight(tape, view, common, 5)
    assert (float(weight) == 0) == ignored
    model.discriminate(white, black, black, 0)
    assert moved(before, model.discriminator) == learns


def test_a_critic_s_line_runs_between_its_means():
    logits = [tf.constant([[x]]) for x in (10.0, 8.0, 7.0)]
    assert losses.recognised("hinge", *logits)["fantasy_recognised"] == 0
    assert losses.recognised("wgan-gp", *logits)["fantasy_recognised"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        adversary.recipe("published", flips=True),
        adversary.recipe("repaired"),
        adversary.recipe("repaired", adversary="bce", r1=1.0),
        # The penalty takes reconstructions and fantasies in turn.
        adversary.recipe("repaired", adversary="wgan-gp", critic_steps=2, drift=1e-3),
    ],
    ids=["published", "hinge", "bce with r1", "wgan-gp"],
)
def test_every_network_learns_and_all_stays_finite(recipe):
    model = built(dataclasses.replace(recipe, ramp_start=0.0, ramp_end=0.0, equilibrium=False))
    networks = model.encoder, model.generator, model.discriminator
    before = [network.get_weights() for network in networks]
    for _ in range(2):
        losses = model.train_step(tf.constant(FRAMES))
    assert all(np.isfinite(float(value)) for value in losses.values())
    assert all(moved(weights, network) for weights, network in zip(before, networks, strict=True))
    assert all(np.isfinite(w).all() for network in networks for w in network.get_weights())


@pytest.mark.slow
def test_reconstruction_of_a_few_frames_gets_better():
    recipe = adversary.recipe("repaired", learning_rate=1e-2)
    model = built(recipe, steps=60, depth=4)
    step = tf.function(model.train_step)
    flat = np.broadcast_to(np.array([50, 200, 90], np.uint8), (4, 64, 64, 3))
    first = float(step(tf.constant(flat))["pixels"])
    for _ in range(50):
        step(tf.constant(flat))
    model.reset_metrics()
    assert float(model.test_step(tf.constant(flat))["pixels"]) < first / 4


@pytest.mark.slow
def test_finalize_puts_the_average_in_place():
    model = trained(adversary.recipe("repaired", averaging=0.5), 2)
    before = model.encoder.get_weights()
    model.finalize()
    assert moved(before, model.encoder)


def test_d_s_rate_falls_as_slowly_as_the_others_however_many_steps_it_has_in_one():
    recipe = adversary.recipe("repaired", adversary="wgan-gp", critic_steps=5)
    model = trained(recipe, 4)
    optimizers = model.generator_optimizer, model.discriminator_optimizer
    starts = recipe.learning_rate, recipe.critic_rate
    shares = [float(o.learning_rate) / rate for o, rate in zip(optimizers, starts, strict=True)]
    assert shares[0] == pytest.approx(shares[1])


def test_a_recipe_survives_model_json():
    recipe = adversary.recipe("published", heads="linear", r1=2.0)
    facts = dataclasses.asdict(recipe) | {"latent": 32, "depth": 8, "variant": "published"}
    assert adversary.recipe_of(facts) == recipe
    assert adversary.name(facts) == "VAE-GAN published 8, heads linear, r1 2.0"


def test_a_recipe_of_before_a_setting_has_what_was_always_done_then():
    facts = dataclasses.asdict(adversary.REPAIRED)
    del facts["flips"], facts["drift"]
    assert adversary.recipe_of(facts) == adversary.REPAIRED


def test_wgan_gp_brings_its_own_critic_s_numbers():
    recipe = adversary.recipe("repaired", adversary="wgan-gp", critic_rate=3e-4)
    assert (recipe.critic_steps, recipe.critic_momentum, recipe.critic_rate) == (5, 0.0, 3e-4)
    assert not recipe.equilibrium


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        adversary.recipe("repaired"),
        adversary.recipe("repaired", adversary="wgan-gp", critic_steps=2),
    ],
    ids=["hinge", "wgan-gp"],
)
def test_a_checkpoint_holds_three_optimisers_and_the_averages(recipe, tmp_path):
    """A step, a file and a step; another model, that file and a step: the same to the bit."""
    recipe = dataclasses.replace(recipe, ramp_start=0.0, ramp_end=0.0)
    whole = trained(recipe, 1)
    weights.save_weights(whole, tmp_path / "a.weights.h5")
    resumed = built(recipe, seed=2)
    resumed.seed = 1
    weights.load_weights(resumed, tmp_path / "a.weights.h5")
    for model in (whole, resumed):
        learn(model, 1)
        model.finalize()
    optimizers = [
        [model.encoder_optimizer, model.generator_optimizer, model.discriminator_optimizer]
        for model in (whole, resumed)
    ]
    for one, other in zip(*optimizers, strict=True):
        for a, b in zip(one.variables, other.variables, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), a.path)
    for a, b in zip(whole.weights, resumed.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), a.path)
