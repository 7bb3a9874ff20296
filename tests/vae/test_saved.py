import json

import vae
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from vae import arch

import keras
import numpy as np
import pytest

LATENT = 4


@pytest.fixture
def saved(tmp_path):
    keras.utils.set_random_seed(3)
    encoder, decoder = arch.encoder(LATENT), arch.decoder(LATENT)
    directory = ModelDirectory(tmp_path / "vae")
    vae.save(directory, encoder, decoder, {"architecture": "vae", "latent": LATENT})
    return directory, encoder, decoder


def test_a_saved_v_comes_back(saved):
    directory, encoder, decoder = saved
    vision = vae.load(directory)
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert vision.latent == LATENT
    assert vision.digest == directory.facts("vision")["digest"]
    assert np.array_equal(vision.encoder(frames)[0], encoder(frames)[0])
    assert np.array_equal(vision.encoder(frames)[1], encoder(frames)[1])
    z = encoder(frames)[0]
    assert np.array_equal(vision.decoder(z), decoder(z))


def test_a_v_of_another_depth_comes_back_and_tables_tell(saved, tmp_path):
    encoder, decoder = arch.encoder(LATENT, 4), arch.decoder(LATENT, 4)
    facts = {"architecture": "vae", "latent": LATENT, "depth": 4}
    shallow = ModelDirectory(tmp_path / "shallow")
    vae.save(shallow, encoder, decoder, facts)
    vision = vae.load(shallow)
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert np.array_equal(vision.encoder(frames)[0], encoder(frames)[0])
    assert vae.name(facts) == "VAE 4"
    # The paper's is not told, as none was when there was no other.
    directory, _, _ = saved
    assert "depth" not in directory.facts("vision")
    assert vae.name(directory.facts("vision")) == "VAE"
    assert vae.name({"architecture": "flow", "latent": LATENT}) == "flow"
    # Weights of one depth are not those of another.
    tell(directory, depth=4)
    with pytest.raises(BadInput, match="vision.weights.h5 does not fit the model"):
        vae.load(directory)


def test_the_same_weights_have_the_same_digest(saved, tmp_path):
    directory, encoder, decoder = saved
    other = ModelDirectory(tmp_path / "other")
    vae.save(other, encoder, decoder, {"architecture": "vae", "latent": LATENT})
    assert other.facts("vision")["digest"] == directory.facts("vision")["digest"]


def test_an_empty_directory_is_refused(tmp_path):
    with pytest.raises(BadInput, match="has no trained vision"):
        vae.load(ModelDirectory(tmp_path))


def tell(directory: ModelDirectory, **facts) -> None:
    """Change what model.json says of V, as a hand would."""
    parts = json.loads(directory.model_json.read_text())
    parts["vision"].update(facts)
    directory.model_json.write_text(json.dumps(parts))


def test_an_unknown_architecture_is_named(saved):
    directory, _, _ = saved
    tell(directory, architecture="cubist")
    with pytest.raises(BadInput, match="unknown architecture 'cubist'"):
        vae.load(directory)


@pytest.mark.parametrize("latent", [5, -1, "four", None, 0])
def test_a_latent_size_that_does_not_fit_is_refused(saved, latent):
    directory, _, _ = saved
    tell(directory, latent=latent)
    with pytest.raises(BadInput):
        vae.load(directory)


def test_weights_of_another_network_are_refused(saved):
    directory, _, _ = saved
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    directory.put("vision", other.save_weights, {"architecture": "vae", "latent": LATENT})
    with pytest.raises(BadInput, match="vision.weights.h5 does not fit the model"):
        vae.load(directory)


def test_torn_weights_are_refused(saved):
    directory, _, _ = saved
    whole = directory.weights("vision").read_bytes()
    directory.put(
        "vision",
        lambda path: path.write_bytes(whole[: len(whole) // 2]),
        {"architecture": "vae", "latent": LATENT},
    )
    with pytest.raises(BadInput, match="vision.weights.h5 does not fit the model"):
        vae.load(directory)


@pytest.mark.parametrize(
    "facts",
    [
        {"architecture": "vae", "latent": 10**6},
        {"architecture": "vae", "latent": 4, "depth": 10_000},
        {"architecture": "vaegan", "latent": 4, "depth": 10_000},
    ],
)
def test_a_description_of_more_than_its_file_holds_is_refused_before_it_is_built(saved, facts):
    directory, _, _ = saved
    parts = json.loads(directory.model_json.read_text())
    directory.model_json.write_text(json.dumps({"vision": parts["vision"] | facts}))
    with pytest.raises(BadInput, match="vision.weights.h5 is too small for the network"):
        vae.load(directory)
