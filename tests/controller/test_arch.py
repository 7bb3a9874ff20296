import json

import vae
from controller import arch
from rnn import arch as rnn_arch
from rnn import saved as rnn_saved
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from vae.arch import decoder, encoder

import numpy as np
import pytest


def test_c_has_867_parameters():
    assert arch.size(32 + 256) == 867 == arch.policy(32 + 256).count_params()


def test_a_parameter_vector_lies_as_in_a_dense_layer():
    features, rng = 5, np.random.default_rng(0)
    vectors = rng.normal(size=(3, arch.size(features)))
    kernel, bias = arch.unpack(vectors)
    assert kernel.shape == (3, 5, 3) and bias.shape == (3, 3) and kernel.dtype == np.float32
    x = rng.normal(size=(3, features)).astype(np.float32)
    for row in range(3):
        dense = arch.policy(features)
        dense.get_layer("action").set_weights([kernel[row], bias[row]])
        by_hand = x[row] @ vectors[row, :15].reshape(5, 3) + vectors[row, 15:]
        np.testing.assert_allclose(dense(x[row : row + 1])[0], by_hand, rtol=1e-4, atol=1e-5)
        acted = arch.act(x[row : row + 1], kernel[row : row + 1], bias[row : row + 1])
        np.testing.assert_allclose(acted[0], arch.squash(by_hand[None])[0], rtol=1e-4, atol=1e-5)


def test_each_row_acts_by_its_own_policy():
    rng = np.random.default_rng(1)
    kernel, bias = arch.unpack(rng.normal(size=(4, arch.size(6))))
    x = rng.normal(size=(4, 6)).astype(np.float32)
    together = arch.act(x, kernel, bias)
    for row in range(4):
        alone = arch.act(x[row : row + 1], kernel[row : row + 1], bias[row : row + 1])
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-5, atol=1e-6)


def test_no_rows():
    kernel, bias = arch.unpack(np.zeros((0, arch.size(6))))
    assert kernel.shape == (0, 6, 3) and bias.shape == (0, 3)


@pytest.mark.parametrize(
    "raw, action",
    [
        ([0, 0, 0], [0, 0.5, 0]),
        ([50, 50, 50], [1, 1, 1]),
        ([-50, -50, -50], [-1, 0, 0]),
        ([0.5, 0.5, 0.5], [np.tanh(0.5), (np.tanh(0.5) + 1) / 2, np.tanh(0.5)]),
        ([-0.5, -0.5, -0.5], [-np.tanh(0.5), (1 - np.tanh(0.5)) / 2, 0]),
    ],
)
def test_squash_by_hand(raw, action):
    np.testing.assert_allclose(arch.squash(np.array([raw], np.float32))[0], action, atol=1e-6)


def test_a_released_brake_presses_where_the_gas_ends():
    rng = np.random.default_rng(0)
    held = rng.normal(size=(7, 3))
    held[-1, 2] = -50
    released = arch.release_brake(held.ravel()).reshape(7, 3)
    assert np.array_equal(released[:, :2], held[:, :2])
    x = np.column_stack([rng.normal(size=(100, 6)), np.ones(100)])
    gas, brake = (x @ released)[:, 1:].T
    np.testing.assert_allclose(brake, -0.1 * (gas + 1.9))


@pytest.fixture
def directory(tmp_path) -> ModelDirectory:
    made = ModelDirectory(tmp_path)
    facts = {"architecture": "vae", "latent": 4}
    vae.save(made, encoder(4), decoder(4), facts)
    facts = {"latent": 4, "units": 2, "mixtures": 1, "heads": []}
    network = rnn_arch.network(4, 2, 1, ())
    rnn_saved.save(made, network, {**facts, "vision": made.facts("vision")["digest"]})
    return made


def save(directory, parameters) -> None:
    arch.save(directory, parameters, {"rnn": directory.facts("rnn")["digest"]})


def test_a_saved_c_comes_back(directory):
    parameters = np.random.default_rng(0).normal(size=arch.size(6))
    save(directory, parameters)
    assert np.array_equal(arch.load(directory, 6), parameters.astype(np.float32))


def test_a_c_for_other_features_or_of_another_m_is_refused(directory):
    save(directory, np.zeros(arch.size(6)))
    with pytest.raises(BadInput, match="acts on 6 numbers, not on 7"):
        arch.load(directory, 7)
    parts = json.loads(directory.model_json.read_text())
    parts["controller"]["rnn"] = "0" * 16
    directory.model_json.write_text(json.dumps(parts))
    with pytest.raises(BadInput, match="evolved on another M"):
        arch.load(directory, 6)


def test_a_c_that_sees_z_alone_is_bound_to_v_and_no_m(directory):
    arch.save(directory, np.ones(arch.size(4)), arch.evolved_on(directory, "z"))
    directory.weights("rnn").unlink()
    assert arch.policy_inputs(directory) == "z"
    assert np.array_equal(arch.load(directory, 4), np.ones(15))
    parts = json.loads(directory.model_json.read_text())
    parts["controller"]["vision"] = "0" * 16
    directory.model_json.write_text(json.dumps(parts))
    with pytest.raises(BadInput, match="evolved on another V"):
        arch.load(directory, 4)


def test_what_c_sees_is_z_and_h_where_nothing_is_said(directory):
    assert arch.policy_inputs(directory) == "zh"
    save(directory, np.zeros(arch.size(6)))
    assert arch.policy_inputs(directory) == "zh"
    assert arch.evolved_on(directory, "zh") == {
        "sees": "zh",
        "rnn": directory.facts("rnn")["digest"],
    }


def test_a_c_that_sees_something_unknown_is_refused(directory):
    save(directory, np.zeros(arch.size(6)))
    facts = read_json(directory.model_json)
    facts["controller"]["sees"] = "h"
    write_json(directory.model_json, facts)
    with pytest.raises(BadInput, match="C sees 'h', which is neither of zh, z"):
        arch.policy_inputs(directory)


def test_a_missing_c_is_named(directory):
    with pytest.raises(BadInput, match="no trained controller"):
        arch.load(directory, 6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, -1])  # of the kernel and of the bias
def test_a_c_of_what_is_no_number_is_refused(own_model, value, place):
    parameters = np.zeros(arch.size(32 + 16))
    parameters[place] = value
    arch.save(own_model, parameters, arch.evolved_on(own_model, "zh"))
    with pytest.raises(BadInput, match="controller.weights.h5: .* is not all finite numbers"):
        arch.load(own_model, 32 + 16)
