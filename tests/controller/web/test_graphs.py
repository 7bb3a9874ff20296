"""The exported graphs against Keras: the same numbers from the same noise."""

from pathlib import Path

import rnn
import vae
from controller import arch
from rnn import arch as rnn_arch
from rnn.arch import draw
from rnn.dream import starts
from rnn.dream.dynamics import LEFT_PLAYFIELD
from rnn.saved import Memory
from runs.directory import ModelDirectory

import keras
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("onnx", reason="needs the extra `web`")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `web`")

from controller.web import graphs  # noqa: E402 - it needs ONNX

PUBLISHED = Path(__file__).parents[3] / "res" / "published"
STEPS = 200
TEMPERATURE = 1.15
NAMES = ("z_next", "h_next", "c_next", "reward", "done")


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def by_keras(memory, tile):
    """`rnn.dream.dynamics.Dream.step` with noise that is given."""

    @tf.function
    def step(z, h, c, action, uniform, normal):
        out = memory.network([tf.concat([z, action], -1)[:, None], h, c])
        latent = memory.latent
        z = draw(out["mixture"][:, 0], latent, TEMPERATURE, uniform[:, :latent], normal)
        chance = tf.sigmoid(out["tile"])
        done = uniform[:, latent:] < tf.sigmoid(out["done"])
        reward = starts.STEP_REWARD + chance * tile
        reward = tf.where(done, chance * reward + (1 - chance) * LEFT_PLAYFIELD, reward)
        return z, out["h"], out["c"], reward, tf.cast(done, tf.float32)

    return step


def compare(memory, tile, first, stored, tolerance, steps) -> float:
    """Step both from the state that Keras is in; the share of latents that are of another
    component, everything else being the same to the tolerance."""
    run, keras_step = session(graphs.step(memory, tile, stored)).run, by_keras(memory, tile)
    rng = np.random.default_rng(1)
    state, other_component = first, 0
    for _ in range(steps):
        noise = {
            "action": rng.uniform([-1, 0, 0], 1, (1, 3)).astype(np.float32),
            "uniform": rng.uniform(size=(1, memory.latent + 1)).astype(np.float32),
            "normal": rng.normal(size=(1, memory.latent)).astype(np.float32),
        }
        z, *expected = [part.numpy() for part in keras_step(*state, **noise)]
        given = dict(zip(("z", "h", "c"), state, strict=True)) | noise
        given["temperature"] = np.array([TEMPERATURE], np.float32)
        next_z, *found = run(NAMES, given)
        off = np.abs(next_z - z) > tolerance * np.maximum(1, np.abs(z))
        other_component += off.sum()
        for part, value, wanted in zip(NAMES[1:], found, expected, strict=True):
            np.testing.assert_allclose(value, wanted, rtol=tolerance, atol=tolerance, err_msg=part)
        state = [z, *expected[:2]]
    return other_component / (steps * memory.latent)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, stored, tolerance",
    [
        ("vae", np.float32, 1e-4),
        ("vae", np.float16, 1e-3),
        ("vaegan", np.float16, 1e-3),
    ],
)
def test_a_step_is_that_of_keras_over_200_steps_of_the_same_noise(name, stored, tolerance):
    """Where a place lies within rounding of the border of two components, float16 may choose the
    other: such numbers of z are few."""
    directory = ModelDirectory(PUBLISHED / name)
    memory = rnn.load(directory)
    recorded = starts.read(directory, memory, "anywhere")
    first = [part[-1:] for part in (recorded.z, recorded.h, recorded.c)]
    assert compare(memory, recorded.tile, first, stored, tolerance, STEPS) <= 0.005


@pytest.mark.parametrize("mixtures", [1, 2])
def test_a_mixture_may_have_few_components(mixtures):
    latent, units = 4, 6
    keras.utils.set_random_seed(3)
    network = rnn_arch.network(latent, units, mixtures)
    memory = Memory(network, latent, units, ("tile", "done"), "")
    first = [np.zeros((1, size), np.float32) for size in (latent, units, units)]
    assert compare(memory, 3.2, first, np.float32, 1e-4, 20) == 0


@pytest.mark.parametrize("name", ["vae", "vaegan"])
def test_a_picture_is_that_of_keras_to_a_byte(name):
    directory = ModelDirectory(PUBLISHED / name)
    decoder = vae.load(directory).decoder
    z = np.load(PUBLISHED / name / "starts.npz")["z"][::300]
    [frames] = session(graphs.decoder(decoder)).run(None, {"z": z})
    assert frames.shape == (len(z), 64, 64, 3)
    assert np.abs(frames - decoder(z).numpy()).max() < 1 / 255


def test_c_does_what_it_does_here():
    directory = ModelDirectory(PUBLISHED / "vae")
    parameters = arch.load(directory, 288)
    rng = np.random.default_rng(2)
    z, h = (rng.normal(size=(5, n)).astype(np.float32) for n in (32, 256))
    [action] = session(graphs.controller(parameters, 32)).run(None, {"z": z, "h": h})
    kernels, biases = arch.unpack(np.tile(parameters, (5, 1)))
    wanted = arch.act(np.concatenate([z, h], 1), kernels, biases)
    np.testing.assert_allclose(action, wanted, atol=1e-5)
