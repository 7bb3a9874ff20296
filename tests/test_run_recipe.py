"""run_recipe.py as a user runs it: for real, tiny, killed in its midst and resumed."""

import json
import os
import signal
import time

import numpy as np

RECIPE = """
title = "tiny"

[[stage]]
step = "01_generate_data.py"
episodes = 4
steps = 30

[[stage]]
step = "02_train_vae.py"
epochs = 2
depth = 8
batch_size = 40

[[stage]]
step = "03_generate_rnn_data.py"
"""


def series(data) -> dict[str, np.ndarray]:
    found = sorted((data / "series" / "vae").glob("*.npz"))
    return {path.name: np.load(path)["mean"] for path in found}


def times(data) -> dict:
    return {path: path.stat().st_mtime_ns for path in data.rglob("[!.]*.*")}


def test_a_recipe_that_was_killed_ends_as_one_that_was_not(scripts, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    printed = scripts.succeed("run_recipe.py", recipe, "--data-dir", whole, "--res", tmp_path)
    assert "Stage 2 of 3: 02_train_vae.py" in printed and "--epochs 2" in printed

    arguments = ("run_recipe.py", recipe, "--data-dir", killed, "--res", tmp_path)

    def kill_when_there_is(name: str, kill) -> str:
        process = scripts.start(*arguments)
        while not (killed / "models" / "vae" / name).exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        kill(process.pid, signal.SIGKILL)
        return process.communicate()[1]  # waits for the stage that was under way

    # The recipe alone, as its second stage has begun; and with all that it started.
    assert "Stopped. What is done is kept" in kill_when_there_is(".lock", os.kill)
    kill_when_there_is("vision.training.json", os.killpg)
    printed = scripts.succeed(*arguments)
    assert "Stage 1" not in printed and "Stage 3 of 3" in printed
    expected, found = series(whole), series(killed)
    assert len(expected) == 4 and expected.keys() == found.keys()
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    before = times(killed)
    printed = scripts.succeed(*arguments)
    assert "Stage" not in printed and "All 3 stages of" in printed and "are done in" in printed
    assert times(killed) == before
    assert len(json.loads((killed / "recipe.json").read_text())["done"]) == 3


def test_a_stage_that_fails_ends_the_recipe_with_its_sentence(scripts, tmp_path):
    recipe = tmp_path / "wrong.toml"
    recipe.write_text("[[stage]]\nstep = '03_generate_rnn_data.py'\n")
    done = scripts.run("run_recipe.py", recipe, "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr.startswith("03_generate_rnn_data.py: ") and done.stderr.count("\n") == 1
