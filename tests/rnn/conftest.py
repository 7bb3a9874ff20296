from pathlib import Path

import rnn
import vae
from rnn import arch as rnn_arch
from rnn import starts
from runs.directory import ModelDirectory
from vae import arch as vae_arch

import keras
import numpy as np
import pytest

LATENT, UNITS, MIXTURES = 4, 6, 3


def save_dreamer(folder: Path, heads: tuple[str, ...] = ("tile", "done")) -> ModelDirectory:
    """V and M, small and untrained; three starts and a later moment; tiles worth 4 points."""
    keras.utils.set_random_seed(4)
    made = ModelDirectory(folder)
    facts = {"architecture": "vae", "latent": LATENT}
    vae.save(made, vae_arch.encoder(LATENT), vae_arch.decoder(LATENT), facts)
    vision = made.facts("vision")["digest"]
    network = rnn_arch.network(LATENT, UNITS, MIXTURES, heads)
    facts = {"latent": LATENT, "units": UNITS, "mixtures": MIXTURES, "heads": list(heads)}
    if "done" in heads:
        # Few dreams end in a test's few steps, but some do.
        network.get_layer("done").set_weights([np.zeros((UNITS, 1)), np.array([-4.0])])
    rnn.save(made, network, {**facts, "vision": vision})
    z = np.random.default_rng(0).normal(size=(4, LATENT))
    starts.save(made, z, [0, 50, 0, 0], np.full(4, 2.0), np.full(4, 8.0), vision)
    return made


@pytest.fixture(scope="session")
def dreamer(tmp_path_factory) -> ModelDirectory:
    return save_dreamer(tmp_path_factory.mktemp("dreamer"))


@pytest.fixture
def own_dreamer(tmp_path) -> ModelDirectory:
    """A model directory that the test may change."""
    return save_dreamer(tmp_path / "dreamer")


@pytest.fixture
def dreamer_without(tmp_path):
    """`dreamer_without(head)`: a model directory whose M lacks that head."""

    def make(head: str) -> ModelDirectory:
        heads = tuple(other for other in ("tile", "done") if other != head)
        return save_dreamer(tmp_path / f"no-{head}", heads)

    return make
