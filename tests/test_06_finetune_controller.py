"""06_finetune_controller.py as a user runs it: for real, tiny, and its files opened."""

import os
import shutil
import time

from controller import arch
from controller.report import history
from runs.directory import ModelDirectory, read_json

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
    folder = tmp_path_factory.mktemp("finetuned")
    chain.copy(folder, "models")
    return folder, scripts.succeed(SCRIPT, *arguments(folder), "--release-brake")


def model_of(folder) -> ModelDirectory:
    return ModelDirectory(folder / "models" / "vae")


def test_it_leaves_a_c_its_history_a_curve_and_a_lap(finetuned, chain):
    folder, printed = finetuned
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
    folder, _ = finetuned
    before = (model_of(folder).path / "controller.csv").read_bytes()
    printed = scripts.succeed(SCRIPT, *arguments(folder), "--release-brake")
    assert "All 2 generations are done" in printed
    assert (model_of(folder).path / "controller.csv").read_bytes() == before


def test_killed_and_resumed_it_is_the_run_that_was_never_killed(
    finetuned, chain, scripts, tmp_path
):
    chain.copy(tmp_path, "models")
    again = [*arguments(tmp_path), "--release-brake"]
    process = scripts.start(SCRIPT, *again)
    state = model_of(tmp_path).path / "controller.csv"
    evolved = state.read_bytes()
    while state.read_bytes() == evolved:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.kill()
    process.communicate()
    scripts.succeed(SCRIPT, *again)

    def results(folder) -> list:
        rows = history.read(model_of(folder).path / "controller.csv")
        return [(row.generation, row.best, row.mean, row.steps, row.validation) for row in rows]

    whole, _ = finetuned
    assert results(tmp_path) == results(whole)
    one, other = (arch.load(model_of(folder), 48) for folder in (whole, tmp_path))
    assert np.array_equal(one, other)


def test_it_can_begin_at_a_c_transferred_to_another_v_and_m(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout", "models", "series")
    model = model_of(tmp_path)
    before = shutil.copytree(model.path, tmp_path / "before")
    evolved = model.facts("controller")["digest"]
    other = ["--seed", "2", "--from-scratch"]
    for script, more in (
        ("02_train_vae.py", other),
        ("03_generate_rnn_data.py", []),
        ("04_train_rnn.py", other),
    ):
        scripts.succeed(script, *small(script, tmp_path, tmp_path / "res"), *more)
    printed = scripts.succeed(SCRIPT, *arguments(tmp_path), "--init-from", before)
    assert "begins at a transferred C" in printed
    [*_, last] = read_json(model.path / "controller.training.json")["lineage"]
    assert last["transferred_from"] == evolved
    shutil.rmtree(tmp_path / "series")
    again = scripts.succeed(SCRIPT, *arguments(tmp_path), "--init-from", before)
    assert "All 2 generations are done" in again


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
