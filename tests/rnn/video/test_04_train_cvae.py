"""04_train_cvae.py as a user runs it: for real, tiny, killed and resumed, and refused."""

import shutil

import rnn.video
from runs.directory import ModelDirectory, read_json, write_json

import numpy as np
import pytest
from imageio import v3 as imageio

SCRIPT = "04_train_cvae.py"
# The last epoch predicts on from its own frames: both ways of training are gone.
TINY = "--width 0.02 --epochs 3 --epoch-steps 30 --batch-size 4 --future 3 --learning-rate 0.005"
TINY += " --kl-weight 0.01 --kl-anneal none --teacher-forcing-start 2 --teacher-forcing-step 0.5"


def arguments(squares, data, *more) -> list:
    places = ["--path", squares / "rollout", "--data-dir", data, "--res", data / "res"]
    return [*places, *TINY.split(), *more]


def history(data) -> list[dict]:
    return read_json(data / "models" / "cvae" / "cvae.training.json")["position"]["history"]


def has_saved(data) -> bool:
    state = data / "models" / "cvae" / "cvae.training.json"
    return state.exists() and read_json(state)["saves"] > 0


@pytest.fixture(scope="module")
def runs(squares, scripts, tmp_path_factory):
    """A trained CVAE's data, and the data as a kill after the first epoch leaves it."""
    folder = tmp_path_factory.mktemp("cvae")
    data, killed = folder / "data", folder / "killed"
    scripts.succeed_and_keep(
        lambda: has_saved(data), data, killed, SCRIPT, *arguments(squares, data)
    )
    return data, killed


@pytest.fixture
def trained(runs):
    return runs[0]


def test_it_learns_what_the_action_does(trained):
    last = history(trained)[-1]
    assert last["val_psnr"] > last["val_copy"] + 0.5


def test_it_leaves_pictures_and_a_model_that_others_load(trained):
    networks = rnn.video.load(ModelDirectory(trained / "models" / "cvae"))
    assert (networks.condition, networks.past) == (3, 2)
    facts = read_json(trained / "models" / "cvae" / "model.json")["cvae"]
    assert facts["width"] == 0.02 and facts["losses"]["kl"] > 0
    for name in ("cvae_curve.png", "cvae_strip.png"):
        assert imageio.imread(trained / "res" / name).std() > 0
    assert len(imageio.imread(trained / "res" / "cvae.gif", index=None)) == 30


def test_killed_and_resumed_it_is_what_it_would_have_been(runs, squares, scripts, tmp_path):
    trained, killed = runs
    data = shutil.copytree(killed, tmp_path / "data")
    assert not ModelDirectory(data / "models" / "cvae").has("cvae")
    scripts.succeed(SCRIPT, *arguments(squares, data))
    models = [ModelDirectory(one / "models" / "cvae") for one in (trained, data)]
    whole, resumed = map(rnn.video.load, models)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("lacking", ["loss", "val_kl", "val_copy_2"])
def test_a_history_that_lacks_a_loss_is_refused(runs, squares, refuse, tmp_path, lacking):
    data = shutil.copytree(runs[1], tmp_path / "data")
    file = data / "models" / "cvae" / "cvae.training.json"
    state = read_json(file)
    for row in state["position"]["history"]:
        del row[lacking]
    write_json(file, state)
    before = file.read_bytes()
    sentence = refuse(SCRIPT, *arguments(squares, data))
    assert f"{file} is not the state of a training; remove it." in sentence
    assert file.read_bytes() == before


def test_run_again_it_says_that_it_is_done_and_touches_nothing(trained, squares, printed):
    def times() -> dict:
        made = [*(trained / "models" / "cvae").glob("[!.]*.*"), *(trained / "res").iterdir()]
        return {path: path.stat().st_mtime_ns for path in made}

    before = times()
    assert "nothing to do" in printed(SCRIPT, *arguments(squares, trained))
    assert times() == before and len(before) > 5


@pytest.mark.parametrize(
    "more, words",
    [
        (["--kl-weight", "0.5"], "kl_weight 0.01, not 0.5"),
        (["--kl-anneal", "cyclical"], "the weight of the KL stays 0 (epochs: 3, cycles: 3)"),
        (["--future", "60"], "62 frames are needed"),
        (["--future", "1"], "'1' is not a whole number from 2"),
        (["--source", "bair"], "holds no videos in a layout of BAIR's"),
        (["--width", "0"], "'0' is not a number from 0.015625"),
    ],
)
def test_bad_input_is_one_sentence(trained, squares, refuse, more, words):
    assert words in refuse(SCRIPT, *arguments(squares, trained, *more))
