import shutil

from controller.dream import iterate
from envs import rollouts
from runs.arguments import BadInput
from runs.directory import DataDirectory, ModelDirectory, read_json, write_json
from settings.iteration import Iterate

import pytest


@pytest.mark.parametrize(
    "content", [{}, {"rounds": 3}, {"rounds": [3]}, {"rounds": [{"round": 1, "score": 2.0}]}]
)
def test_what_is_no_list_of_rounds_is_refused(tmp_path, content):
    write_json(tmp_path / "rounds.json", content)
    with pytest.raises(BadInput, match="rounds.json is no list of rounds"):
        iterate.read(tmp_path / "rounds.json")


ROW = {
    "round": 1,
    "episodes": 2,
    "score": -3.5,
    "surprise": None,
    "loss": 0.5,
    "tiles": 0.1,
    "speeds": [0] * 20,
    "dream": 7.0,
    "real": 8.0,
    "real_sd": 0.0,
}


def test_rounds_come_back(tmp_path):
    write_json(tmp_path / "rounds.json", {"rounds": [ROW]})
    assert iterate.read(tmp_path / "rounds.json") == [iterate.Round(**ROW)]


@pytest.mark.parametrize(
    "name, value",
    [
        ("real", "8"),
        ("real", None),
        ("loss", float("nan")),
        ("speeds", [0]),
        ("speeds", 3),
        ("speeds", [0.5] * 20),
        ("dream", []),
        ("round", 2),
        ("round", 0),
        ("round", 1.5),
    ],
)
def test_a_round_of_which_a_value_cannot_be_is_refused(tmp_path, name, value):
    write_json(tmp_path / "rounds.json", {"rounds": [ROW | {name: value}]})
    with pytest.raises(BadInput, match="rounds.json is no list of rounds .*; put it back"):
        iterate.read(tmp_path / "rounds.json")


def test_rounds_of_which_one_is_missing_or_there_twice_are_refused(tmp_path):
    for numbers in ([2], [1, 3], [1, 1], [2, 1]):
        rows = [ROW | {"round": number} for number in numbers]
        write_json(tmp_path / "rounds.json", {"rounds": rows})
        with pytest.raises(BadInput, match="rounds.json is no list of rounds .not all from 1 on"):
            iterate.read(tmp_path / "rounds.json")


def test_a_round_begins_with_a_driver_of_its_own_places_only(tmp_path):
    data = DataDirectory(tmp_path)
    places = [data.model("vae-dream-1"), data.model("vae")]
    begun = tmp_path / "iterate" / "round-1-begins.json"
    assert iterate.begin(1, data, places) == {"parts": [], "driver": None}
    write_json(begun, {"parts": ["vision"], "driver": "elsewhere/models/vae"})
    assert iterate.begin(1, data, places)["driver"] == str(tmp_path / "models" / "vae")
    for other in ({"parts": [], "driver": "/etc"}, {"parts": 3, "driver": None}, {"parts": []}):
        write_json(begun, other)
        with pytest.raises(BadInput, match="round-1-begins.json names no agent of this round"):
            iterate.begin(1, data, places)


@pytest.mark.parametrize("part, name", [("controller", "mean"), ("rnn", "val_nll")])
def test_a_round_whose_agent_does_not_say_what_it_scored_is_not_written_down(
    own_model, record, tmp_path, part, name
):
    data = DataDirectory(tmp_path)
    record(data.rollout, [20])
    told = read_json(own_model.model_json)
    told["controller"]["validation"] = {"tracks": 1, "mean": 8.0, "sd": 0.0}
    told["rnn"]["losses"] = {"val_nll": 0.5}
    write_json(own_model.model_json, told)
    choice = {"tracks": [0], "score": 1.0, "surprise": None}
    assert iterate.close(1, data, choice, own_model, own_model, []).loss == 0.5
    del told[part][{"controller": "validation", "rnn": "losses"}[part]][name]
    write_json(own_model.model_json, told)
    with pytest.raises(BadInput, match=f"model.json does not say the {name} of its {part}"):
        iterate.close(1, data, choice, own_model, own_model, [])


@pytest.mark.parametrize("curiosity, episodes", [(0.0, 4), (0.5, 12)])
def test_a_round_whose_episodes_the_disk_cannot_hold_is_refused_before_it_drives(
    tmp_path, monkeypatch, curiosity, episodes
):
    needed = episodes * 1000 * rollouts.BYTES_PER_STEP
    full = shutil._ntuple_diskusage(10**9, 10**9 - needed + 1, needed - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(BadInput, match=f"{episodes} episodes of at most 1000 steps may take"):
        iterate.drive(
            DataDirectory(tmp_path),
            1,
            None,
            ModelDirectory(tmp_path / "vae"),
            Iterate(episodes=4, curiosity=curiosity),
        )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "choice",
    [{}, {"tracks": ["../x"], "score": 1.0}, {"tracks": [1], "score": "good"}],
)
def test_a_choice_of_episodes_that_cannot_be_is_refused(tmp_path, choice):
    data = DataDirectory(tmp_path)
    write_json(tmp_path / "iterate" / "round-1.json", choice)
    with pytest.raises(BadInput, match="round-1.json does not say which episodes"):
        iterate.drive(data, 1, None, ModelDirectory(tmp_path / "vae"), Iterate())
