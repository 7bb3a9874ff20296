import contextlib
import json
import os

from runs import directory as model_directory
from runs.arguments import BadInput
from runs.directory import (
    ModelDirectory,
    digest,
    read_json,
    write_json,
)
from settings import MAKERS

import pytest


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def model(tmp_path) -> ModelDirectory:
    directory = ModelDirectory(tmp_path)
    directory.put("vision", lambda path: path.write_bytes(b"weights"), {"latent": 32})
    return directory


def test_a_part_is_described_with_the_digest_of_its_weights(model):
    assert model.has("vision") and not model.has("rnn")
    facts = model.facts("vision")
    assert facts == {"latent": 32, "digest": digest(model.weights("vision"))}


def test_describing_one_part_keeps_the_others(model):
    model.put("rnn", lambda path: path.write_bytes(b"more weights"), {"units": 256})
    assert model.facts("vision")["latent"] == 32
    assert model.facts("rnn")["units"] == 256


def test_what_an_earlier_version_said_has_today_s_names(model):
    parts = read_json(model.model_json)
    write_json(model.model_json, {"vision": parts["vision"] | {"refine": True, "rate": 0.5}})
    for facts in (model.facts("vision"), model.described("vision")):
        assert (facts["finetune"], facts["step_size"], facts["latent"]) == (True, 0.5, 32)
        assert "refine" not in facts
    assert model.described("rnn") == {}


class Killed(BaseException):
    """What ends a process here in place of a kill."""


@pytest.mark.parametrize("described", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_a_part_that_a_kill_left_between_weights_and_description_is_whole(
    model, monkeypatch, described, first
):
    part, before = ("rnn", None) if first else ("vision", model.facts("vision"))
    write = model_directory.write_json

    def write_and_die(path, content):
        if described:
            write(path, content)
        raise Killed

    monkeypatch.setattr(model_directory, "write_json", write_and_die)
    with pytest.raises(Killed):
        model.put(part, lambda path: path.write_bytes(b"new"), {"units": 256})
    monkeypatch.undo()
    if described:
        assert model.has(part) and model.weights(part).read_bytes() == b"new"
        assert model.facts(part)["units"] == 256
        assert not list(model.path.glob("*.next.*"))
    elif first:
        assert not model.has(part)
    else:
        assert model.facts(part) == before and model.weights(part).read_bytes() == b"weights"
    model.put(part, lambda path: path.write_bytes(b"again"), {"units": 256})
    assert model.facts(part)["digest"] == digest(model.weights(part))
    assert not list(model.path.glob("*.next.*"))


def test_a_part_is_taken_from_another_model_directory(model, tmp_path):
    other = ModelDirectory(tmp_path / "other")
    other.take(["vision"], model)
    assert other.facts("vision") == model.facts("vision")
    assert other.weights("vision").read_bytes() == b"weights"


def whole(model) -> ModelDirectory:
    """A model directory with M and where its dreams begin."""
    for part in ("rnn", "starts"):
        model.put(part, lambda path, part=part: path.write_text(part), {"made": part})
    return model


@pytest.mark.parametrize("writes", range(1, 9))
def test_parts_are_taken_all_or_none_whenever_the_process_is_killed(
    model, tmp_path, monkeypatch, writes
):
    source, target = whole(model), ModelDirectory(tmp_path / "other")
    for part in ("vision", "rnn", "starts"):
        target.put(part, lambda path: path.write_text("before"), {})
    before = [target.facts(part) for part in ("vision", "rnn", "starts")]
    replace, left = os.replace, [writes]

    def replace_or_die(*names):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        replace(*names)

    monkeypatch.setattr(os, "replace", replace_or_die)
    with contextlib.suppress(Killed):
        target.take(("vision", "rnn", "starts"), source)
    monkeypatch.undo()
    found = [target.facts(part) for part in ("vision", "rnn", "starts")]
    assert found in (before, [source.facts(part) for part in ("vision", "rnn", "starts")])
    target.take(("vision", "rnn", "starts"), source)
    assert [target.facts(part) for part in source.PARTS[:3]] == [
        source.facts(part) for part in source.PARTS[:3]
    ]
    assert not list(target.path.glob("*.next.*"))


def test_starts_of_earlier_versions_are_taken_though_nobody_describes_them(model, tmp_path):
    (model.path / "starts.npz").write_text("starts")
    other = ModelDirectory(tmp_path / "other")
    other.take(["vision", "starts"], model)
    assert other.file("starts").read_text() == "starts" and other.has("starts")


def test_weights_that_nothing_describes_are_not_replaced(model, tmp_path):
    other = ModelDirectory(tmp_path / "other")
    other.path.mkdir()
    other.weights("vision").write_bytes(b"of somebody")
    with pytest.raises(BadInput, match="vision.weights.h5 is there, and .*; move it away"):
        other.take(["vision"], model)
    assert names(other.path) == {"vision.weights.h5"}
    assert other.weights("vision").read_bytes() == b"of somebody"


def test_a_missing_part_is_named_and_who_makes_it(model):
    with pytest.raises(BadInput, match="has no trained rnn") as refusal:
        model.facts("rnn")
    assert refusal.value.message(MAKERS).endswith("has no trained rnn; run 04_train_rnn.py.")


def test_a_mistyped_directory_is_told_from_an_empty_one(model, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "trained").mkdir()
    for name, words in {
        "empty": "empty has no trained vision.",
        "trainde": f"no such directory (do you mean {tmp_path / 'trained'}?).",
        "xyz": "xyz has no trained vision: there is no such directory.",
    }.items():
        with pytest.raises(BadInput) as refusal:
            ModelDirectory(tmp_path / name).facts("vision")
        assert str(refusal.value).endswith(words)


def test_a_part_without_its_weights_is_missing(model):
    model.weights("vision").unlink()
    assert not model.has("vision")
    with pytest.raises(BadInput, match="no trained vision"):
        model.facts("vision")


def test_changed_weights_are_refused(model):
    model.weights("vision").write_bytes(b"Weights")
    with pytest.raises(BadInput, match="is not the file that .*model.json describes"):
        model.facts("vision")


def test_a_fact_that_model_json_lacks_is_named(model):
    with pytest.raises(BadInput, match="model.json does not say the units of its vision"):
        model.facts("vision")["units"]


@pytest.mark.parametrize("content", ["[]", '"text"', "3"])
def test_a_model_json_that_is_no_dictionary_is_refused(model, content):
    model.model_json.write_text(content)
    with pytest.raises(BadInput, match="model.json holds no JSON object"):
        model.has("vision")


def test_a_part_that_is_no_dictionary_is_refused(model):
    model.model_json.write_text(json.dumps({"vision": 3}))
    with pytest.raises(BadInput, match="says nothing of its vision"):
        model.facts("vision")
