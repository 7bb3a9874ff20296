import json

import rnn
import vae
from rnn import arch
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from vae import arch as vae_arch

import keras
import numpy as np
import pytest

FACTS = {"latent": 4, "units": 8, "mixtures": 2, "heads": ["done"]}


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return arch.network(4, 8, 2, ("done",))


@pytest.fixture(scope="module")
def vision() -> tuple[keras.Model, keras.Model]:
    return vae_arch.encoder(4), vae_arch.decoder(4)


@pytest.fixture
def directory(tmp_path, network, vision) -> ModelDirectory:
    made = ModelDirectory(tmp_path)
    vae.save(made, *vision, {"architecture": "vae", "latent": 4})
    rnn.save(made, network, {**FACTS, "vision": made.facts("vision")["digest"]})
    return made


def test_a_saved_m_comes_back(directory, network):
    memory = rnn.load(directory)
    assert (memory.latent, memory.units, memory.heads) == (4, 8, ("done",))
    assert memory.digest == directory.facts("rnn")["digest"]
    for one, other in zip(memory.network.get_weights(), network.get_weights(), strict=True):
        assert np.array_equal(one, other)


def test_an_m_of_another_v_is_refused(directory):
    vae.save(
        directory,
        vae_arch.encoder(4),
        vae_arch.decoder(4),
        {"architecture": "vae", "latent": 4},
    )
    with pytest.raises(BadInput, match="trained on the latents of another V"):
        rnn.load(directory)


def test_a_missing_m_is_named(tmp_path, vision):
    directory = ModelDirectory(tmp_path)
    vae.save(directory, *vision, {"architecture": "vae", "latent": 4})
    with pytest.raises(BadInput, match="no trained rnn"):
        rnn.load(directory)


@pytest.mark.parametrize(
    "name, value", [("units", 9), ("units", "many"), ("mixtures", 3), ("heads", []), ("latent", 5)]
)
def test_facts_that_do_not_fit_the_weights_are_refused(directory, name, value):
    parts = json.loads(directory.model_json.read_text())
    parts["rnn"][name] = value
    directory.model_json.write_text(json.dumps(parts))
    with pytest.raises(BadInput, match="rnn.weights.h5|model.json"):
        rnn.load(directory)


def test_a_fact_that_is_missing_is_named(directory):
    parts = json.loads(directory.model_json.read_text())
    del parts["rnn"]["mixtures"]
    directory.model_json.write_text(json.dumps(parts))
    with pytest.raises(BadInput, match="model.json does not say the mixtures of its rnn"):
        rnn.load(directory)


@pytest.mark.parametrize("name, value", [("units", 30_000), ("latent", 10**7), ("units", 10**30)])
def test_a_description_of_more_than_its_file_holds_is_refused_before_it_is_built(
    directory, name, value
):
    parts = json.loads(directory.model_json.read_text())
    parts["rnn"][name] = value
    directory.model_json.write_text(json.dumps(parts))
    with pytest.raises(
        BadInput, match="rnn.weights.h5 is too small for the network|units of its rnn cannot be"
    ):
        rnn.load(directory)
