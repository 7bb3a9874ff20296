import dataclasses
import os
import shutil
from pathlib import Path

import rnn
import vae
from controller import arch
from controller.policy_gradient.transfer import transferred
from envs import rollouts
from rnn import arch as rnn_arch
from rnn import encode, predict, series
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from vae import arch as vae_arch

import numpy as np
import pytest

LATENT, UNITS, DEPTH = 32, 16, 8
NOWHERE = Path("recordings are needed for another V only")


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
    """An agent whose h is that of the same agent, in another order."""
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


def widened(model: ModelDirectory, folder, units: int) -> ModelDirectory:
    """An agent whose h is that of the same agent, and units that are always 0."""
    shutil.copytree(model.path, folder)
    made = ModelDirectory(folder)
    network = rnn_arch.network(LATENT, UNITS, 2, ("tile",))
    rnn.restore(made, network)
    more = units - UNITS
    wide = rnn_arch.network(LATENT, units, 2, ("tile",))
    kernel, recurrent, bias = (
        np.concatenate(
            [np.pad(gate, [*[(0, 0)] * (gate.ndim - 1), (0, more)]) for gate in gates], -1
        )
        for gates in (np.split(part, 4, -1) for part in network.get_layer("lstm").get_weights())
    )
    wide.get_layer("lstm").set_weights([kernel, np.pad(recurrent, [(0, more), (0, 0)]), bias])
    os.remove(made.weights("controller"))
    rnn.save(made, wide, {**made.facts("rnn"), "units": units})
    return made


@pytest.mark.slow
def test_units_in_another_order_get_their_weights(own_model, episodes, policies, tmp_path):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    order = np.random.default_rng(0).permutation(UNITS)
    new = turned(own_model, tmp_path / "turned", order)
    found = transferred(own_model, new, episodes, NOWHERE).reshape(-1, arch.ACTIONS)
    layer = policies[0].reshape(-1, arch.ACTIONS)
    expected = np.concatenate([layer[:LATENT], layer[LATENT:-1][order], layer[-1:]])
    assert np.abs(expected - layer).max() > 0.5
    np.testing.assert_allclose(found, expected, atol=0.05)


@pytest.mark.slow
def test_how_many_are_read_at_once_does_not_matter(
    own_model, episodes, policies, monkeypatch, tmp_path
):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    new = turned(own_model, tmp_path / "turned", np.arange(UNITS)[::-1])
    whole = transferred(own_model, new, episodes, NOWHERE)
    monkeypatch.setattr("controller.policy_gradient.transfer.TOGETHER", 3)
    np.testing.assert_allclose(transferred(own_model, new, episodes, NOWHERE), whole, atol=1e-6)


@pytest.mark.slow
def test_an_m_of_more_units_gets_a_c_that_acts_alike(own_model, episodes, policies, tmp_path):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    bigger = widened(own_model, tmp_path / "bigger", 24)
    found = transferred(own_model, bigger, episodes, NOWHERE).reshape(-1, arch.ACTIONS)
    layer = policies[0].reshape(-1, arch.ACTIONS)
    of_h = slice(LATENT, LATENT + UNITS)
    np.testing.assert_allclose(found[:LATENT], layer[:LATENT], atol=0.05)
    np.testing.assert_allclose(found[of_h], layer[of_h], atol=0.05)
    # What never varies decides nothing.
    assert np.abs(found[LATENT + UNITS : -1]).max() < 1e-3


def reversed_vision(model: ModelDirectory, folder) -> ModelDirectory:
    """An agent whose z is that of the same agent backwards, and so is what its M reads."""
    shutil.copytree(model.path, folder)
    made = ModelDirectory(folder)
    encoder, decoder = vae_arch.encoder(LATENT, DEPTH), vae_arch.decoder(LATENT, DEPTH)
    vae.restore(made, encoder, decoder)
    for layer in (encoder.get_layer("mean"), encoder.get_layer("log_variance")):
        layer.set_weights([part[..., ::-1] for part in layer.get_weights()])
    vae.save(made, encoder, decoder, dict(made.facts("vision")))
    network = rnn_arch.network(LATENT, UNITS, 2, ("tile",))
    rnn.restore(model, network)
    lstm = network.get_layer("lstm")
    kernel, *others = lstm.get_weights()
    kernel[:LATENT] = kernel[:LATENT][::-1]
    lstm.set_weights([kernel, *others])
    vision = made.facts("vision")["digest"]
    rnn.save(made, network, {**model.facts("rnn"), "vision": vision})
    return made


@pytest.mark.slow
def test_another_v_sees_the_recordings_itself(own_model, policies, record, tmp_path):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    new = reversed_vision(own_model, tmp_path / "reversed")
    recordings, latents = tmp_path / "rollout", tmp_path / "series"
    recorded = record(recordings, [150, 40, 260, 90])
    latents.mkdir()
    episodes = list(encode.episodes(vae.load(new), recorded, latents))
    layer = transferred(own_model, new, episodes, recordings).reshape(-1, arch.ACTIONS)
    expected = policies[0].reshape(-1, arch.ACTIONS).copy()
    expected[:LATENT] = expected[:LATENT][::-1]
    for path in episodes:
        seen = series.read(path, LATENT)
        h = predict.remembered(rnn.load(new), seen["mean"][None], seen["action"][None])[0]
        x = np.concatenate([seen["mean"], h, np.ones((len(h), 1))], -1)
        assert np.abs(x @ (expected - policies[0].reshape(-1, arch.ACTIONS))).max() > 0.2
        np.testing.assert_allclose(x @ layer, x @ expected, atol=0.02)


@pytest.mark.slow
def test_what_was_recorded_since_is_refused(own_model, policies, episode, record, tmp_path):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    new = reversed_vision(own_model, tmp_path / "reversed")
    recordings, latents = tmp_path / "rollout", tmp_path / "series"
    recorded = record(recordings, [40, 30])
    latents.mkdir()
    episodes = list(encode.episodes(vae.load(new), recorded, latents))
    rollouts.write(recorded[1], episode(30, 7))
    with pytest.raises(BadInput, match=f"{episodes[1]} was not made of what {recorded[1]} is now"):
        transferred(own_model, new, episodes, recordings)
    os.remove(recorded[1])
    with pytest.raises(BadInput, match=f"{recorded[1]} cannot be read"):
        transferred(own_model, new, episodes, recordings)


def test_recordings_that_were_exchanged_are_refused_though_they_did_the_same(
    own_model, policies, episode, tmp_path
):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    new = vae.load(reversed_vision(own_model, tmp_path / "reversed"))
    recordings, latents = tmp_path / "rollout", tmp_path / "series"
    recorded = [rollouts.path_of(recordings, number) for number in (1, 2)]
    for path, colours in zip(recorded, (3, 4), strict=True):
        alike = episode(30, 7)
        rollouts.write(path, dataclasses.replace(alike, obs=alike.obs // colours))
    missing = series.prepare(latents, recorded, {"vision": new.digest, "precision": "float32"})
    episodes = list(encode.episodes(new, missing, latents))
    now = ModelDirectory(tmp_path / "reversed")
    assert len(transferred(own_model, now, episodes, recordings)) == arch.size(LATENT + UNITS)
    one, other = (path.read_bytes() for path in recorded)
    recorded[0].write_bytes(other)
    recorded[1].write_bytes(one)
    with pytest.raises(BadInput, match=f"{recorded[0]} is not the recording that {episodes[0]} "):
        transferred(own_model, now, episodes, recordings)


@pytest.mark.parametrize("which", ["before", "now"])
def test_a_c_that_sees_z_alone_is_refused(which, own_model, episodes, tmp_path):
    other = turned(own_model, tmp_path / "turned", np.arange(UNITS)[::-1])
    blind = {"before": own_model, "now": other}[which]
    arch.save(blind, np.zeros(arch.size(LATENT)), arch.evolved_on(blind, "z"))
    with pytest.raises(BadInput, match=f"{blind.path} sees z alone"):
        transferred(own_model, other, episodes, NOWHERE)


def test_the_same_m_is_refused(own_model, episodes):
    with pytest.raises(BadInput, match="the same M"):
        transferred(own_model, own_model, episodes, NOWHERE)
