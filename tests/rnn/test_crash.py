"""A kill at every moment of a fine-tuning of M: `benchmarks/crash_sweep.py`, the smallest."""

import shutil

import rnn
import vae
from envs import rollouts
from rnn import arch, series
from rnn.dream import starts
from runs import fitting
from runs.directory import DataDirectory, locked
from tests.killing import kept_states

import numpy as np
import pytest
import tensorflow as tf

EPOCHS, BATCHES = 2, 3
SETTINGS = {"units": 6, "mixtures": 3, "finetune": True}
FACTS = {**SETTINGS, "latent": 4, "heads": ["tile", "done"]}


@pytest.fixture
def step_by_step():
    """Steps are done one by one: to make a graph of them takes much longer than they do."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def whole(dreamer, record, tmp_path):
    """A data directory with V and M, and latents of two episodes."""
    data = DataDirectory(tmp_path / "whole")
    shutil.copytree(dreamer.path, data.model("vae").path)
    for path in record(data.rollout, [30, 30]):
        mean, log_variance = np.random.default_rng(1).normal(size=(2, 30, 4)).astype(np.float32)
        series.write(data.series("vae") / path.name, rollouts.read(path), mean, log_variance)
    return data.root


@pytest.fixture
def finetune(dreamer):
    """`finetune(folder)`: M goes on in a data directory as in 04_train_rnn.py, without pictures."""
    vision = vae.load(dreamer)

    def run(folder) -> None:
        data = DataDirectory(folder)
        directory, latents = data.model("vae"), sorted(data.series("vae").glob("*.npz"))
        with locked(directory.path):
            fitting.seed(1)
            model = arch.MDNRNN(4, 6, 3, {"tile": 1.0, "done": 1.0}, 1, 1.0)
            model.compile(fitting.adam(0.01, EPOCHS * BATCHES, clip=1.0))
            training = fitting.NetworkTraining(directory, "rnn", SETTINGS)
            if training.is_over:
                return
            if not training.resume(model):
                rnn.restore(directory, model.network)

            def batches(*epoch):
                return series.batches(latents, 4, 2, 4, BATCHES, (1, *epoch))

            fitting.fit(model, training, EPOCHS, batches, BATCHES, batches())
            facts = {**FACTS, "vision": vision.digest, "losses": training.history[-1]}
            rnn.save(directory, model.network, facts)
            starts.write(directory, latents, vision, rnn.load(directory))
            training.finish()

    return run


@pytest.mark.slow
@pytest.mark.usefixtures("step_by_step")
def test_whenever_it_is_killed_the_same_command_ends_as_if_nothing_had_been(
    whole, finetune, load, tmp_path
):
    compare, hook = load("benchmarks/crash_states.py"), load("benchmarks/crash/sitecustomize.py")
    before = rnn.load(DataDirectory(whole).model("vae")).digest
    states = kept_states(hook, whole, tmp_path / "states", finetune)
    assert rnn.load(DataDirectory(whole).model("vae")).digest != before and len(states) > 10
    for state in states:
        resumed = tmp_path / f"resumed-{state.name}"
        compare.copy(state, resumed)
        over = compare.over(whole, resumed)
        finetune(resumed)
        assert compare.differences(whole, resumed) == [], state
        assert len(over) == 4 and compare.redone(whole, resumed, over) == [], state
