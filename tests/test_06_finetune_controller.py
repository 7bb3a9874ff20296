"""06_finetune_controller.py as a user runs it: for real, tiny, and its files opened."""

import os
import shutil

import rnn
import vae
from controller import arch
from controller.report import history
from rnn import arch as rnn_arch
from runs.directory import ModelDirectory, read_json
from vae.arch import LATENT, decoder, encoder

import keras
import numpy as np
import pytest
from imageio import v3 as imageio

SCRIPT = "06_finetune_controller.py"


def arguments(folder) -> list:
    """Two generations of two episodes on copies of the chain's models."""
    tiny = "--episodes 2 --generations 2 --patience 15 --evaluate-every 2 --validation-tracks 1"
    tiny += " --workers 1 --worlds 4"
    return ["--data-dir", folder, "--res", folder / "res", *tiny.split()]


@pytest.fixture(scope="module")
def finetuned(chain, scripts, tmp_path_factory):
    """The data of a run, what it printed, and the data as a kill after a generation leaves it."""
    folder, killed = (tmp_path_factory.mktemp("finetuned") / name for name in ("data", "killed"))
    chain.copy(folder, "models")
    table = model_of(folder).path / "controller.csv"
    evolved = table.read_bytes()
    command = [SCRIPT, *arguments(folder), "--release-brake"]
    printed = scripts.succeed_and_keep(
        lambda: table.read_bytes() != evolved, folder, killed, *command
    )
    return folder, printed, killed


def model_of(folder) -> ModelDirectory:
    return ModelDirectory(folder / "models" / "vae")


def test_it_leaves_a_c_its_history_a_curve_and_a_lap(finetuned, chain):
    folder, printed, _ = finetuned
    evolved = history.read(chain.model / "controller.csv")
    rows = history.read(model_of(folder).path / "controller.csv")
    assert rows[:-2] == evolved
    assert [(row.stage, row.generation) for row in rows[-2:]] == [(2, 1), (2, 2)]
    assert rows[-1].validation is not None and rows[-2].validation is None
    lineage = read_json(model_of(folder).path / "controller.training.json")["lineage"]
    assert len(lineage) == 2 and lineage[-1]["noise"] == [0.12, 0.25, 0.05]
    assert "generation    2" in printed and "a lap of" in printed
    assert imageio.imread(folder / "res" / "vae_controller_curve.png").std() > 0
    assert imageio.imread(folder / "res" / "vae.gif", index=None).shape[1:] == (192, 384, 3)


def test_run_again_it_has_nothing_to_add(finetuned, scripts):
    folder, *_ = finetuned

    def contents() -> dict:
        return {path.name: path.read_bytes() for path in model_of(folder).path.glob("[!.]*.*")}

    before = contents()
    printed = scripts.succeed(SCRIPT, *arguments(folder), "--release-brake")
    assert "All 2 generations are done; more of them go on here." in printed
    assert contents() == before and {"controller.csv", "controller.weights.h5"} < before.keys()


def test_killed_and_resumed_it_is_the_run_that_was_never_killed(finetuned, scripts):
    whole, _, killed = finetuned
    printed = scripts.succeed(SCRIPT, *arguments(killed), "--release-brake")
    assert "All 2 generations are done" not in printed

    def results(folder) -> list:
        rows = history.read(model_of(folder).path / "controller.csv")
        return [(row.generation, row.best, row.mean, row.steps, row.validation) for row in rows]

    assert results(killed) == results(whole)
    one, other = (arch.load(model_of(folder), 48) for folder in (whole, killed))
    assert np.array_equal(one, other)


def others(model: ModelDirectory, units: int) -> None:
    """Put another V and M there, which have learned nothing yet."""
    keras.utils.set_random_seed(2)
    vae.save(model, encoder(), decoder(), {"architecture": "vae", "latent": LATENT})
    facts = {"latent": LATENT, "units": units, "mixtures": 2, "heads": ["tile"]}
    network = rnn_arch.network(LATENT, units, 2, ("tile",))
    rnn.save(model, network, {**facts, "vision": model.facts("vision")["digest"]})


def test_it_can_begin_at_a_c_transferred_to_another_v_and_m(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout", "models")
    model = model_of(tmp_path)
    before = shutil.copytree(model.path, tmp_path / "before")
    evolved = model.facts("controller")["digest"]
    others(model, units=8)
    scripts.succeed("03_generate_rnn_data.py", *small("03_generate_rnn_data.py", tmp_path, None))
    transfer = [*arguments(tmp_path), "--generations", "1", "--init-from", before]
    assert "begins at a transferred C" in scripts.succeed(SCRIPT, *transfer)
    [*_, last] = read_json(model.path / "controller.training.json")["lineage"]
    assert last["transferred_from"] == evolved
    assert arch.load(model, LATENT + 8).any()
    shutil.rmtree(tmp_path / "series")
    assert "All 1 generations are done" in scripts.succeed(SCRIPT, *transfer)


def test_without_a_c_it_says_what_to_do(chain, refuse, tmp_path):
    chain.copy(tmp_path, "models")
    model = model_of(tmp_path)
    for path in model.path.glob("controller.*"):
        os.remove(path)
    assert "run 05_train_controller.py" in refuse(SCRIPT, *arguments(tmp_path))
    shutil.rmtree(tmp_path / "models")
    assert "run 02_train_vae.py" in refuse(SCRIPT, *arguments(tmp_path))


def test_it_refuses_to_begin_at_what_is_not_there(chain, refuse, tmp_path):
    chain.copy(tmp_path, "models")
    said = refuse(SCRIPT, *arguments(tmp_path), "--init-from", tmp_path / "nowhere")
    assert "nowhere has no trained controller" in said
