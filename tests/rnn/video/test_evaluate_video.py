"""evaluate_video.py as a user runs it: for real, tiny, and its files opened."""

import rnn.video
import vae
from rnn.saved import load as load_memory
from rnn.video import contest, measures
from rnn.video.arch_cvae import Networks
from rnn.video.sequences import Video
from rnn.video.sequences import load as load_videos
from runs.directory import ModelDirectory, read_json

import keras
import numpy as np
import pytest
from imageio import v3 as imageio

SCRIPT = "evaluate_video.py"


@pytest.fixture(scope="module")
def model(tmp_path_factory, squares):
    """A CVAE as it was initialised, said to be trained on the squares."""
    keras.utils.set_random_seed(1)
    directory = ModelDirectory(tmp_path_factory.mktemp("model"))
    data = load_videos("carracing", squares / "rollout").fingerprint
    facts = {"condition": 3, "width": 1 / 64, "past": 2, "prior": "fixed", "data": data}
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


@pytest.mark.slow
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
        (["--frames", "1"], "'1' is not a whole number from 2"),
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


def test_everything_is_refused_where_the_cvae_was_trained_on_it(model, squares, refuse, tmp_path):
    said = refuse(SCRIPT, *arguments(model, squares, tmp_path, "--everything"))
    assert "was trained on these videos" in said


def test_what_is_held_out_of_other_recordings_may_have_been_trained_on(squares, refuse, tmp_path):
    directory = ModelDirectory(tmp_path / "before")
    facts = {"condition": 3, "width": 1 / 64, "past": 2, "prior": "fixed", "data": "fewer"}
    rnn.video.save(directory, Networks(3, 1 / 64), facts)
    said = refuse(SCRIPT, *arguments(directory, squares, tmp_path))
    assert "not known which of them it never saw" in said


@pytest.mark.slow
def test_a_cvae_that_sees_more_than_m_is_measured_beside_it(dreamer, square):
    frames, action = square(20, 1)
    agent = vae.load(dreamer), load_memory(dreamer)
    who = contest.Contest(Networks(3, 1 / 64, past=15, prior="learned"), 1, 1, agent)
    stretch = measures.Stretch(frames[None], action[None])
    found, other = who.predictions(stretch, 0), who.predictions(stretch, 1)
    assert {len(predicted[0]) for predicted in found.values()} == {5}
    assert contest.PRIOR_MEAN in found and contest.ZERO not in found
    # Other videos have other noise, M's samples too.
    for name in (contest.ONE, contest.M_DRAWN):
        assert not np.array_equal(found[name], other[name]), name
    np.testing.assert_array_equal(found[contest.M_MEAN], other[contest.M_MEAN])


@pytest.mark.slow
def test_many_stretches_are_measured_a_few_at_a_time(model, square, monkeypatch):
    frames, action = square(12, 1)
    [stretch] = measures.stretches([Video("square", 12, lambda: (frames, action))], 2, 3, 1)
    who = contest.Contest(rnn.video.load(model), 1, 1)
    at_once = who.measured(stretch, 0)
    monkeypatch.setattr(contest, "TOGETHER", 3)
    in_parts = who.measured(stretch, 0)
    assert at_once[contest.ONE]["psnr"].shape == (8, 3)
    for name in (contest.COPY, contest.ZERO):
        for measure, values in at_once[name].items():
            np.testing.assert_allclose(in_parts[name][measure], values, rtol=1e-4)
