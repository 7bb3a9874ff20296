import shutil
from multiprocessing import forkserver
from pathlib import Path

import rnn
import vae
from controller import arch
from rnn import arch as rnn_arch
from runs import processes
from runs.directory import ModelDirectory
from vae import arch as vae_arch
from vae.arch import decoder, encoder

import keras
import numpy as np
import pytest

# Multiples of 8: to the last bit, a row does not depend on the others.
LATENT, UNITS, DEPTH = 32, 16, 8
SIZE = arch.size(LATENT + UNITS)


def save_agent(folder: Path, units: int = UNITS, depth: int = DEPTH) -> ModelDirectory:
    """A whole agent, small and untrained, whose policy is half gas straight on."""
    keras.utils.set_random_seed(4)
    made = ModelDirectory(folder)
    facts = {"architecture": "vae", "latent": LATENT, "depth": depth}
    vae.save(made, encoder(LATENT, depth), decoder(LATENT, depth), facts)
    facts = {"latent": LATENT, "units": units, "mixtures": 2, "heads": ["tile"]}
    network = rnn_arch.network(LATENT, units, 2, ("tile",))
    rnn.save(made, network, {**facts, "vision": made.facts("vision")["digest"]})
    facts = {"rnn": made.facts("rnn")["digest"]}
    arch.save(made, np.zeros(arch.size(LATENT + units)), facts)
    return made


@pytest.fixture(scope="session")
def ready_workers() -> None:
    """Let the server that workers are forked from import TensorFlow, once for all of them.

    A script's does. Here there may be one already, of tests whose workers need no TensorFlow.
    """
    if processes.FORKING:
        forkserver._forkserver._stop()


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> ModelDirectory:
    return save_agent(tmp_path_factory.mktemp("agent"))


@pytest.fixture(scope="session")
def full_model(tmp_path_factory) -> ModelDirectory:
    """An untrained agent of the full size."""
    return save_agent(tmp_path_factory.mktemp("full agent"), rnn_arch.UNITS, vae_arch.DEPTH)


@pytest.fixture
def own_model(model, tmp_path) -> ModelDirectory:
    """A model directory that the test may change."""
    return ModelDirectory(shutil.copytree(model.path, tmp_path / "agent"))


@pytest.fixture(scope="session")
def policies() -> np.ndarray:
    """Five policies (5, P) that drive differently: half gas and some steering."""
    return np.random.default_rng(0).normal(0, 0.5, (5, SIZE))
