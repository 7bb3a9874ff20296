"""evaluate_video.py as a user runs it: for real, tiny, and its files opened."""

import rnn.video
import vae
from rnn.saved import load as load_memory
from rnn.video import contest, measures
from rnn.video.arch_cvae import Networks
from rnn.video.sequences import load as load_videos
from runs.directory import ModelDirectory, read_json

import keras
import numpy as np
import pytest
from imageio import v3 as imageio

SCRIPT = "evaluate_video.py"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A CVAE as it was initialised."""
    keras.utils.set_random_seed(1)
    directory = ModelDirectory(tmp_path_factory.mktemp("model"))
    facts = {"condition": 3, "width": 1 / 64, "past": 2, "prior": "fixed", "data": "others"}
    rnn.video.save(directory, Networks(3, 1 / 64), facts)
    return directory


def arguments(model, squares, res, *more) -> list:
    line = [model.path, "--path", squares / "rollout", "--res", res]
    return [*line, "--frames", 6, "--samples", 2, "--stride", 10, *more]


def test_all_predict_the_same_stretches(model, squares, dreamer, scripts, tmp_path):
    printed = scripts.succeed(
        SCRIPT, *arguments(model, squares, tmp_path, "--dreamer", dreamer.path)
    )
    content = read_json(tmp_path / "video.json")
    # One video of 40 frames is held out: stretches of 10 + 6 begin at 0, 10 and 20.
    assert (content["videos"], content["stretches"]) == (1, 3)
    names = [contest.COPY, contest.ONE, contest.ZERO, contest.M_MEAN, contest.M_DRAWN]
    assert list(content["estimates"]) == [*names, contest.CEILING, "CVAE, best of 2"]
    for found in content["estimates"].values():
        assert len(found["psnr"]["mean"]) == 6 + 1  # and the mean of all
    best, one = (content["estimates"][n]["psnr"]["mean"][-1] for n in ("CVAE, best of 2", names[1]))
    assert best >= one
    assert (tmp_path / "video.md").read_text() in printed
    for name in ("video.png", "video_strip.png"):
        assert imageio.imread(tmp_path / name).std() > 0
    assert len(imageio.imread(tmp_path / "video.gif", index=None)) == 16


def test_the_copy_is_of_the_frame_before_and_the_ceiling_of_the_frame_itself(
    model, dreamer, square
):
    frames, action = square(16, 1)
    stretch = measures.Stretch(frames[None], action[None])
    vision = vae.load(dreamer)
    who = contest.Contest(rnn.video.load(model), 2, 1, (vision, load_memory(dreamer)))
    found = who.predictions(stretch, 0)
    for t in range(6):
        np.testing.assert_array_equal(found[contest.COPY][0, t], frames[9] / np.float32(255))
    ceiling = vision.decoder(vision.encoder(frames[10:])[0])
    np.testing.assert_allclose(found[contest.CEILING][0], ceiling, atol=1e-5)
    # Only the past and the actions decide: with another future, all but the ceiling is as before.
    other = frames.copy()
    other[10:] = 0
    again = who.predictions(measures.Stretch(other[None], action[None]), 0)
    for name in found.keys() - {contest.CEILING}:
        np.testing.assert_array_equal(again[name], found[name], err_msg=name)


@pytest.mark.parametrize(
    "more, words",
    [
        (["--frames", "60"], "frames are needed"),
        (["--dreamer", "nowhere"], "nowhere has no trained vision"),
    ],
)
def test_bad_input_is_one_sentence(model, squares, refuse, tmp_path, more, words):
    assert words in refuse(SCRIPT, *arguments(model, squares, tmp_path, *more))


def test_a_condition_of_another_width_is_refused(squares, refuse, tmp_path):
    facts = {"condition": 7, "width": 1 / 64, "past": 2, "prior": "fixed"}
    directory = ModelDirectory(tmp_path / "seven")
    rnn.video.save(directory, Networks(7, 1 / 64), facts)
    said = refuse(SCRIPT, *arguments(directory, squares, tmp_path))
    assert "a condition of 3 numbers, and the CVAE was trained with one of 7" in said


def test_weights_of_another_width_are_refused(model, squares, refuse, tmp_path):
    directory = ModelDirectory(tmp_path / "wide")
    facts = {"condition": 3, "width": 1 / 32, "past": 2, "prior": "fixed"}
    rnn.video.save(directory, Networks(3, 1 / 64), facts)
    assert "does not fit the model" in refuse(SCRIPT, *arguments(directory, squares, tmp_path))


def test_everything_is_refused_where_the_cvae_was_trained_on_it(squares, refuse, tmp_path):
    directory = ModelDirectory(tmp_path / "trained")
    data = load_videos("carracing", squares / "rollout").fingerprint
    facts = {"condition": 3, "width": 1 / 64, "past": 2, "prior": "fixed", "data": data}
    rnn.video.save(directory, Networks(3, 1 / 64), facts)
    said = refuse(SCRIPT, *arguments(directory, squares, tmp_path, "--everything"))
    assert "was trained on these videos" in said
