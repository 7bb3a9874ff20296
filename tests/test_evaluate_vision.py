"""evaluate_vision.py as a user runs it: for real, tiny, and its files opened."""

import shutil

import vae
from envs import recording
from runs.directory import ModelDirectory, read_json
from vae import arch, compare

import keras
import pytest
from imageio import v3 as imageio

SCRIPT = "evaluate_vision.py"


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    """Episodes long enough to see the road from its usual height."""
    data = tmp_path_factory.mktemp("driven")
    for track in range(1, 4):
        recording.record(data / "rollout", track, "random", 90)
    return data


def untrained(folder, seed: int):
    keras.utils.set_random_seed(seed)
    facts = {"architecture": "vae", "latent": 32, "seed": seed, "data": "made up"}
    vae.save(ModelDirectory(folder), arch.encoder(), arch.decoder(), facts)
    return folder


def test_models_that_differ_in_their_seed_are_one_column(driven, scripts, tmp_path):
    models = [untrained(tmp_path / str(seed), seed) for seed in (1, 2)]
    printed = scripts.succeed(
        SCRIPT, *models, "--data-dir", driven, "--res", tmp_path / "res", "--every", 5
    )
    assert "|  | VAE |" in printed
    content = read_json(tmp_path / "res" / "vision.json")
    assert list(content["groups"]) == ["VAE"] and len(content["models"]["VAE"]) == 2
    for column in compare.COLUMNS:
        found = content["groups"]["VAE"][column]
        each = [model[column] for model in content["models"]["VAE"]]
        assert found["mean"] == pytest.approx(sum(each) / 2)
    table = (tmp_path / "res" / "vision.md").read_text()
    assert table in printed
    assert imageio.imread(tmp_path / "res" / "vision.png").std() > 0


def test_episodes_of_another_place_can_be_measured_on(driven, scripts, tmp_path):
    recording.record(tmp_path / "unseen", 9, "random", 90)
    model = untrained(tmp_path / "vae", 1)
    where = ["--data-dir", driven, "--res", tmp_path, "--unseen", tmp_path / "unseen"]
    scripts.succeed(SCRIPT, model, *where, "--every", 5)
    assert read_json(tmp_path / "vision.json")["episodes"] == 1


def test_a_directory_without_a_v_is_refused(driven, refuse, tmp_path):
    said = refuse(SCRIPT, tmp_path, "--data-dir", driven, "--res", tmp_path)
    assert f"{tmp_path} has no trained vision" in said


def test_a_missing_directory_of_unseen_episodes_is_refused(driven, refuse, tmp_path):
    shutil.rmtree(tmp_path / "none", ignore_errors=True)
    model = untrained(tmp_path / "vae", 1)
    said = refuse(
        SCRIPT, model, "--data-dir", driven, "--res", tmp_path, "--unseen", tmp_path / "none"
    )
    assert "holds no episodes" in said
