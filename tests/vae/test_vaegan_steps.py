"""Steps of the VAE-GAN: who learns from what, and what a checkpoint keeps."""

import dataclasses

from runs import config, fitting, weights
from runs.directory import ModelDirectory, read_json
from settings import adversary
from tests.stopping import Stop
from vae import arch, arch_vaegan, watch

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


@pytest.mark.slow
def test_d_s_rate_falls_as_slowly_as_the_others_however_many_steps_it_has_in_one():
    recipe = adversary.recipe("repaired", adversary="wgan-gp", critic_steps=5)
    model = trained(recipe, 1)
    optimizers = model.generator_optimizer, model.discriminator_optimizer
    starts = recipe.learning_rate, recipe.critic_rate
    shares = [float(o.learning_rate) / rate for o, rate in zip(optimizers, starts, strict=True)]
    assert shares[0] == pytest.approx(shares[1]) and shares[0] < 1


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


BATCHES = 4


def batches(epoch: int, count: int = BATCHES) -> tf.data.Dataset:
    rng = np.random.default_rng((1, epoch))
    frames = rng.integers(0, 256, (count, 64, 64, 3), np.uint8)
    return tf.data.Dataset.from_tensor_slices(frames).batch(1)


def fitted(folder, stop_after: int | None = None) -> tuple[list[dict], list, list]:
    """An epoch until its end or the stop: its losses, the points of its curve, the weights."""
    folder.mkdir(exist_ok=True)
    model = built(adversary.recipe("repaired", ramp_start=0.0, ramp_end=0.0), BATCHES)
    model.run_eagerly = True
    settings = config.saved(adversary.TrainVAEGAN(depth=2))
    run = fitting.NetworkTraining(ModelDirectory(folder), "vision", settings)
    curve = watch.TrainingCurve(folder / "curve.csv", BATCHES, resumed=run.resume(model))
    callbacks = [curve] if stop_after is None else [curve, Stop(stop_after)]
    fitting.fit(model, run, 1, batches, BATCHES, batches(99, 1), tuple(callbacks))
    return run.history, curve.points, [weight.numpy() for weight in model.weights]


@pytest.mark.slow
def test_stopped_within_an_epoch_and_resumed_its_losses_are_those_of_one_never_stopped(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(fitting, "MINUTES_BETWEEN_CHECKPOINTS", 0)
    monkeypatch.setattr(watch, "POINTS", 2)  # one for two steps: the stop comes between
    history, points, final = fitted(tmp_path / "whole")
    assert len(history) == 1 and [point.step for point in points] == [2, 4]
    with pytest.raises(InterruptedError):
        fitted(tmp_path / "stopped", stop_after=3)
    at = read_json(tmp_path / "stopped" / "vision.training.json")["position"]
    assert (at["epoch"], at["batch"]) == (0, 3)
    resumed = fitted(tmp_path / "stopped")
    assert resumed[:2] == (history, points)
    for one, other in zip(final, resumed[2], strict=True):
        np.testing.assert_array_equal(one, other)
