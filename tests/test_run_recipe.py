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


def test_a_recipe_that_was_killed_ends_as_one_that_was_not(scripts, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    printed = scripts.succeed("run_recipe.py", recipe, "--data-dir", whole, "--res", tmp_path)
    assert "Stage 2 of 3: 02_train_vae.py" in printed and "--epochs 2" in printed

    arguments = ("run_recipe.py", recipe, "--data-dir", killed, "--res", tmp_path)
    process = scripts.start(*arguments)
    state = killed / "models" / "vae" / "vision.training.json"
    while not state.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    printed = scripts.succeed(*arguments)
    assert "Stage 1" not in printed and "Stage 3 of 3" in printed
    expected, found = series(whole), series(killed)
    assert len(expected) == 4 and expected.keys() == found.keys()
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert "Stage" not in scripts.succeed(*arguments)
    assert len(json.loads((killed / "recipe.json").read_text())["done"]) == 3


def test_a_stage_that_fails_ends_the_recipe_with_its_sentence(scripts, tmp_path):
    recipe = tmp_path / "wrong.toml"
    recipe.write_text("[[stage]]\nstep = '03_generate_rnn_data.py'\n")
    done = scripts.run("run_recipe.py", recipe, "--data-dir", tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr.startswith("03_generate_rnn_data.py: ") and done.stderr.count("\n") == 1
