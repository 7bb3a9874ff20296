"""The sweep of crashes and the random kills notice what a kill could spoil."""

import os

from runs.directory import write_json

import numpy as np
import pytest


@pytest.fixture
def states(load):
    return load("benchmarks/crash_states.py")


@pytest.fixture
def whole(tmp_path):
    """What a command leaves: an episode, weights, a training that was committed three times."""
    folder = tmp_path / "whole"
    (folder / "rollout").mkdir(parents=True)
    np.savez(folder / "rollout" / "0000000001.npz", reward=np.arange(3))
    (folder / "rnn.weights.h5").write_bytes(bytes(200_000))
    write_json(folder / "rnn.training.json", {"saves": 3, "core_seconds": 1.5, "stage": 1})
    return folder


@pytest.fixture
def other(states, whole, tmp_path):
    states.copy(whole, tmp_path / "other")
    return tmp_path / "other"


def test_times_are_no_difference(states, whole, other):
    write_json(other / "rnn.training.json", {"saves": 3, "core_seconds": 9.0, "stage": 1})
    (other / "logs").mkdir()
    assert states.differences(whole, other) == []


def test_what_is_missing_too_much_or_another_is_named(states, whole, other):
    (other / "rnn.weights.h5").unlink()
    (other / "rnn.weights.h5").write_bytes(bytes(199_999) + b"1")
    np.savez(other / "rollout" / "0000000001.npz", reward=np.arange(3.0))
    (other / "round-2").mkdir()
    (whole / "model.json").write_text("{}")
    assert states.differences(whole, other) == [
        ("model.json", "missing"),
        ("round-2", "stray"),
        ("rnn.weights.h5", "other"),
        ("rollout/0000000001.npz", "other"),
    ]


def test_what_was_over_and_is_done_once_more_is_named(states, whole, other):
    over = states.over(whole, other)
    assert list(over) == ["rollout/0000000001.npz"]
    assert states.redone(whole, other, over) == []
    os.utime(other / "rollout" / "0000000001.npz", ns=(1, 1))
    write_json(other / "rnn.training.json", {"saves": 4, "stage": 1})
    assert states.differences(whole, other) == []
    again = ["rollout/0000000001.npz", "rnn.training.json"]
    assert states.redone(whole, other, over) == again


def test_an_episode_of_something_else_was_not_over(states, whole, other):
    np.savez(other / "rollout" / "0000000001.npz", reward=np.zeros(3))
    assert states.over(whole, other) == {}


def test_a_large_file_that_is_written_in_place_under_another_link_is_noticed(
    load, states, whole, other
):
    sweep = load("benchmarks/crash_sweep.py")
    before = {whole: states.stamps(whole)}
    sweep.require_untouched(before)
    with open(other / "rnn.weights.h5", "r+b") as file:
        file.write(b"1")
    assert states.differences(whole, other) == []
    with pytest.raises(SystemExit, match=r"was written to .*rnn\.weights\.h5"):
        sweep.require_untouched(before)


def test_a_command_that_fails_and_wrote_to_what_one_before_it_left_is_noticed(
    load, states, whole, tmp_path
):
    sweep = load("benchmarks/crash_sweep.py")
    script = tmp_path / "spoil.py"
    script.write_text(
        "with open('rnn.weights.h5', 'r+b') as file:\n    file.write(b'1')\nraise SystemExit(1)\n"
    )
    command = sweep.Command(str(script), "", after="01")
    before, place = tmp_path / "01" / "whole", tmp_path / "own"
    before.parent.mkdir()
    whole.rename(before)
    (place / "whole").mkdir(parents=True)
    states.copy(before, place / "resumed")
    with pytest.raises(SystemExit, match=r"01.whole was written to .*rnn\.weights\.h5"):
        sweep.once_more(command, place, place / "resumed")
