import shutil

import rnn
from controller import arch, carry
from rnn import arch as rnn_arch
from rnn import series
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import numpy as np
import pytest

LATENT, UNITS = 32, 16


@pytest.fixture
def episodes(tmp_path, episode) -> list:
    """Latent episodes of unlike lengths, made up."""
    rng = np.random.default_rng(3)
    paths = []
    for number, steps in enumerate((150, 40, 260, 90)):
        paths.append(tmp_path / f"{number}.npz")
        z = rng.normal(size=(steps, LATENT)).astype(np.float32)
        series.write(paths[-1], episode(steps, number), z, np.zeros_like(z))
    return paths


def turned(model: ModelDirectory, folder, order: np.ndarray) -> ModelDirectory:
    """The same agent, the units of its M in another order."""
    shutil.copytree(model.path, folder)
    made = ModelDirectory(folder)
    network = rnn_arch.network(LATENT, UNITS, 2, ("tile",))
    rnn.restore(made, network)
    gates = np.concatenate([order + gate * UNITS for gate in range(4)])
    lstm = network.get_layer("lstm")
    kernel, recurrent, bias = lstm.get_weights()
    lstm.set_weights([kernel[:, gates], recurrent[order][:, gates], bias[gates]])
    rnn.save(made, network, dict(made.facts("rnn")))
    return made


def test_units_in_another_order_get_their_weights(own_model, episodes, policies, tmp_path):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    order = np.random.default_rng(0).permutation(UNITS)
    new = turned(own_model, tmp_path / "turned", order)
    found = carry.carried(own_model, new, episodes).reshape(-1, arch.ACTIONS)
    layer = policies[0].reshape(-1, arch.ACTIONS)
    expected = np.concatenate([layer[:LATENT], layer[LATENT:-1][order], layer[-1:]])
    assert np.abs(expected - layer).max() > 0.5
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_how_many_are_read_at_once_does_not_matter(own_model, episodes, policies, monkeypatch):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    whole = carry.carried(own_model, own_model, episodes)
    monkeypatch.setattr(carry, "TOGETHER", 3)
    np.testing.assert_allclose(carry.carried(own_model, own_model, episodes), whole, atol=1e-6)


def test_another_v_is_refused(own_model, episodes, tmp_path):
    other = ModelDirectory(tmp_path / "other")
    shutil.copytree(own_model.path, other.path)
    with open(other.weights("vision"), "ab") as file:
        file.write(b"other")
    other.describe("vision", dict(own_model.facts("vision")))
    with pytest.raises(BadInput, match="different V's"):
        carry.carried(own_model, other, episodes)


def test_a_c_that_sees_z_alone_is_refused(own_model, episodes):
    facts = arch.evolved_on(own_model, "z")
    arch.save(own_model, np.zeros(arch.size(LATENT)), facts)
    with pytest.raises(BadInput, match="z alone"):
        carry.carried(own_model, own_model, episodes)
