"""Files in a chain of real ones that lack their record, or lie under each other's names."""

import rnn
from envs import rollouts
from rnn import series
from rnn.dream import starts
from runs.arguments import BadInput
from runs.directory import DataDirectory, read_json

import numpy as np
import pytest


@pytest.fixture
def data(chain, tmp_path) -> DataDirectory:
    """A data directory of its own, filled by the five scripts."""
    return DataDirectory(chain.copy(tmp_path / "data", "rollout", "series", "models"))


@pytest.mark.parametrize(
    "script, part",
    [
        ("02_train_vae.py", "vision"),
        ("04_train_rnn.py", "rnn"),
        ("05_train_controller.py", "controller"),
    ],
)
def test_a_result_whose_training_is_not_on_record_is_not_overwritten(
    data, refuse, small, tmp_path, script, part
):
    model = data.model("vae")
    record = model.path / f"{part}.training.json"
    record.unlink()
    kept = {path: path.read_bytes() for path in model.path.glob("[a-z]*.*")}
    sentence = refuse(script, *small(script, data.root, tmp_path / "res"))
    assert f"a trained {part} and no record of its training ({record.name})" in sentence
    assert "--finetune" in sentence and "--from-scratch" in sentence
    assert {path: path.read_bytes() for path in model.path.glob("[a-z]*.*")} == kept


def test_recordings_under_each_other_s_names_are_noticed_and_encoded_again(
    data, exchange, refuse, perform, small, tmp_path
):
    _, second, *_, last = rollouts.paths(data.rollout)
    latents = data.series("vae")
    before = {path.name: path.read_bytes() for path in latents.glob("*.npz")}
    means = [series.read(latents / path.name, 32)["mean"] for path in (second, last)]
    exchange(second, last)
    for script, first in (
        ("04_train_rnn.py", [*small("04_train_rnn.py", data.root, tmp_path), "--from-scratch"]),
        ("evaluate_dream.py", [data.model("vae").path, "--data-dir", data.root]),
    ):
        sentence = refuse(script, *first, "--res", tmp_path / "res")
        assert f"{second.name} is not the recording that" in sentence
        assert "run 03_generate_rnn_data.py" in sentence
    perform("03_generate_rnn_data.py", *small("03_generate_rnn_data.py", data.root, tmp_path))
    series.refuse_exchanged(latents, data.rollout)
    for path, mean in zip((last, second), means, strict=True):
        encoded = series.read(latents / path.name, 32)["mean"]
        np.testing.assert_allclose(encoded, mean, rtol=1e-3, atol=1e-4)
    others = before.keys() - {second.name, last.name}
    assert {name: (latents / name).read_bytes() for name in others} == {
        name: before[name] for name in others
    }


def test_m_killed_between_its_weights_and_its_starts_gets_those_of_today(
    data, perform, small, tmp_path, monkeypatch
):
    model = data.model("vae")
    earlier = rnn.load(model).digest
    arguments = [*small("04_train_rnn.py", data.root, tmp_path / "res"), "--finetune"]
    arguments += ["--steps", 100]

    def kill(*_):
        raise InterruptedError

    with monkeypatch.context() as context:
        context.setattr(starts, "write", kill)
        with pytest.raises(InterruptedError):
            perform("04_train_rnn.py", *arguments)
    killed = rnn.load(model)
    assert killed.digest != earlier
    with pytest.raises(BadInput, match="was made by another M"):
        starts.read(model, killed)
    perform("04_train_rnn.py", *arguments)
    memory = rnn.load(model)
    assert memory.digest == killed.digest and starts.read(model, memory).beginnings == 5
    assert model.facts("rnn")["finetuned_from"] == [earlier]
    assert read_json(model.path / "rnn.training.json")["finished"]
