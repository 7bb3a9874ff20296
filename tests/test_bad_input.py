"""Bad input to each script: exit code 2, one sentence that names it, nothing overwritten."""

import hashlib
import json
import shutil

import vae
from controller import arch
from envs import rollouts, tracks
from rnn import series
from runs.directory import ModelDirectory, read_json, write_json
from vae import arch as vae_arch

import numpy as np
import pytest

SCRIPTS = [
    "01_generate_data.py",
    "02_train_vae.py",
    "03_generate_rnn_data.py",
    "04_train_rnn.py",
    "05_train_controller.py",
    "evaluate.py",
    "06_finetune_controller.py",
]


@pytest.fixture
def data(chain, tmp_path):
    """A data directory of its own, to be spoiled."""
    return chain.copy(tmp_path / "data", "rollout", "series", "models")


def files(folder) -> dict:
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def refused(refuse, data, script, *arguments) -> str:
    """The sentence of a script that refuses a data directory and leaves it as it is."""
    before = files(data)
    sentence = refuse(script, "--data-dir", data, *arguments)
    assert files(data) == before
    return sentence


ABSURD = {
    "01_generate_data.py": [
        *(["--episodes", "0"], ["--episodes", "-5"], ["--steps", "1"], ["--steps", "1001"]),
        *(["--policy", "sleepy"], ["--workers", "0"], ["--seed", "-1"], ["--seed", "1000"]),
        *(["--weight-noise", "-1"], ["--action-noise", "nan"], ["--vision", "eyes"]),
        *(["--action-bursts", "-1"], ["--action-bursts", "1001"], ["--noise-hold", "0"]),
        *(["--action-bursts", "80"], ["--policy", "brownian", "--noise-hold", "8"]),
    ],
    "02_train_vae.py": [
        *(["--epochs", "0"], ["--batch-size", "0"], ["--batch-size", "9" * 30]),
        *(["--learning-rate", "0"], ["--learning-rate", "-1e-3"], ["--learning-rate", "inf"]),
        *(["--kl-tolerance", "-0.5"], ["--kl-tolerance", "1e300"], ["--epochs", "1.5"]),
    ],
    "03_generate_rnn_data.py": [["--batch-size", "0"], ["--vision", "vae2"]],
    "04_train_rnn.py": [
        *(["--steps", "-1"], ["--sequence", "1"], ["--units", "0"], ["--mixtures", "0"]),
        *(["--units", "9" * 12], ["--reward-weight", "-1"], ["--done-weight", "nan"]),
    ],
    "05_train_controller.py": [
        *(["--generations", "0"], ["--population", "3"], ["--rollouts", "0"], ["--sigma", "0"]),
        *(["--sigma", "nan"], ["--patience", "0"], ["--evaluate-every", "0"], ["--worlds", "0"]),
        *(["--rollouts", "9" * 9], ["--precision", "float8"], ["--workers", "-1"]),
        ["--sees", "h"],
    ],
    "evaluate.py": [[], ["there", "--tracks", "0"], ["there", "--tracks", "-3"]],
    "06_finetune_controller.py": [
        *(["--generations", "0"], ["--episodes", "0"], ["--noise", "0.1"], ["--noise", "nan"]),
        *(["--correlation", "1"], ["--step-size", "0"], ["--grass-penalty", "-1"]),
        *(["--missed-tile-penalty", "inf"], ["--gamma", "1.1"], ["--gae-lambda", "-0.1"]),
        *(["--decay", "1"], ["--damping", "0"]),
    ],
}


@pytest.mark.parametrize(
    "script, arguments", [(script, absurd) for script in SCRIPTS for absurd in ABSURD[script]]
)
def test_absurd_arguments(refuse, tmp_path, monkeypatch, script, arguments):
    monkeypatch.chdir(tmp_path)
    sentence = refuse(script, *arguments)
    assert not arguments or arguments[-2] in sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS[:5])
def test_a_data_directory_that_is_a_file(refuse, tmp_path, script):
    taken = tmp_path / "data"
    taken.write_text("mine")
    assert "is a file; give a directory" in refuse(script, "--data-dir", taken)
    assert taken.read_text() == "mine"


@pytest.mark.parametrize("script", SCRIPTS[1:2] + SCRIPTS[3:5])
def test_a_res_that_is_a_file(refuse, data, tmp_path, script):
    taken = tmp_path / "res"
    taken.write_text("mine")
    assert "is a file; give a directory" in refused(refuse, data, script, "--res", taken)


@pytest.mark.parametrize(
    "script, maker",
    [
        ("02_train_vae.py", "01_generate_data.py"),
        ("03_generate_rnn_data.py", "02_train_vae.py"),
        ("04_train_rnn.py", "02_train_vae.py"),
        ("05_train_controller.py", "02_train_vae.py"),
    ],
)
def test_an_empty_data_directory_names_the_script_to_run_first(refuse, tmp_path, script, maker):
    sentence = refused(refuse, tmp_path, script)
    assert f"run {maker}" in sentence
    assert not list(tmp_path.rglob("*.*"))


def test_too_many_episodes_or_tracks(refuse, tmp_path, chain):
    assert "100000 tracks" in refused(
        refuse, tmp_path, "01_generate_data.py", "--episodes", 100_001
    )
    sentence = refuse("evaluate.py", chain.model, "--tracks", 10**9, "--res", tmp_path)
    assert "100000 evaluation tracks" in sentence


def spoil(path, content: bytes | None = None) -> None:
    """Cut a file in half, or replace its content."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)


def new_v(data) -> list[str]:
    """Arguments that make 02 train, not say that it has."""
    shutil.rmtree(data / "models")
    return ["--epochs", "1", "--batch-size", "40", "--depth", "8"]


def test_02_on_an_episode_that_cannot_be_read(refuse, data):
    spoil(data / "rollout" / "0001000001.npz")
    sentence = refused(refuse, data, "02_train_vae.py", *new_v(data))
    assert "0001000001.npz cannot be read" in sentence


@pytest.mark.parametrize("size", [96, 32])
def test_02_on_frames_of_another_size(refuse, data, size):
    path = data / "rollout" / "0001000001.npz"
    episode = rollouts.read(path)
    arrays = {name: getattr(episode, name) for name in ("action", "reward", "done")}
    np.savez(path, obs=np.zeros((len(episode), size, size, 3), np.uint8), **arrays)
    sentence = refused(refuse, data, "02_train_vae.py", *new_v(data))
    assert f"0001000001.npz: obs is (40, {size}, {size}, 3) uint8" in sentence


def test_02_on_an_episode_of_an_evaluation_track(refuse, data):
    recorded = rollouts.paths(data / "rollout")
    shutil.copy(recorded[0], rollouts.path_of(data / "rollout", tracks.EVALUATION))
    sentence = refused(refuse, data, "02_train_vae.py", *new_v(data))
    assert "is kept for evaluation and cannot be trained on" in sentence


@pytest.mark.parametrize(
    "changed", [["--epochs", "4"], ["--seed", "2"], ["--kl-tolerance", "1"], ["--batch-size", "7"]]
)
def test_02_with_other_settings_than_those_it_was_begun_with(refuse, data, small, changed):
    arguments = small("02_train_vae.py", data, data / "res")[2:]
    sentence = refused(refuse, data, "02_train_vae.py", *arguments, *changed)
    assert "other settings" in sentence and "--finetune" in sentence
    assert changed[0][2:].replace("-", "_") in sentence


def test_02_after_more_was_recorded(refuse, data, small, record):
    record(data / "rollout", [3])
    arguments = small("02_train_vae.py", data, data / "res")[2:]
    sentence = refused(refuse, data, "02_train_vae.py", *arguments)
    assert "other settings (data " in sentence


def test_02_finetuning_what_is_not_there(refuse, data):
    sentence = refused(refuse, data, "02_train_vae.py", *new_v(data), "--finetune")
    assert "no trained vision" in sentence


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"epoch": 3}'])
def test_02_with_a_state_that_is_torn(refuse, data, small, content):
    spoil(data / "models" / "vae" / "vision.training.json", content)
    arguments = small("02_train_vae.py", data, data / "res")[2:]
    assert "vision.training.json" in refused(refuse, data, "02_train_vae.py", *arguments)


NEEDS_V = ["03_generate_rnn_data.py", "04_train_rnn.py", "05_train_controller.py"]


@pytest.mark.parametrize("script", NEEDS_V)
def test_weights_that_were_changed(refuse, data, script):
    spoil(data / "models" / "vae" / "vision.weights.h5")
    sentence = refused(refuse, data, script)
    assert "vision.weights.h5 is not the file that" in sentence and "02_train_vae.py" in sentence


@pytest.mark.parametrize("script", NEEDS_V)
@pytest.mark.parametrize("content", [b"{", b"[]", b'{"vision": {}}'])
def test_a_model_json_that_is_torn(refuse, data, script, content):
    spoil(data / "models" / "vae" / "model.json", content)
    assert "model.json" in refused(refuse, data, script)


def test_a_model_directory_of_another_vision(refuse, data):
    (data / "models" / "vae").rename(data / "models" / "vaegan")
    for script in NEEDS_V:
        assert "models/vae has no trained vision" in refused(refuse, data, script)


def another_v(data) -> None:
    directory = ModelDirectory(data / "models" / "vae")
    facts = {"architecture": "vae", "latent": 32}
    vae.save(directory, vae_arch.encoder(), vae_arch.decoder(), facts)


def test_latents_and_an_m_of_another_v(refuse, data):
    another_v(data)
    assert "made by another V" in refused(refuse, data, "04_train_rnn.py")
    assert "trained on the latents of another V" in refused(refuse, data, "05_train_controller.py")


def test_03_on_an_episode_that_cannot_be_read(refuse, data):
    spoil(data / "rollout" / "0001000001.npz")
    shutil.rmtree(data / "series")
    sentence = refuse("03_generate_rnn_data.py", "--data-dir", data)
    assert "0001000001.npz cannot be read" in sentence
    assert not list((data / "series" / "vae").glob("*.npz"))


def test_04_finetuning_without_a_step(refuse, data):
    sentence = refused(refuse, data, "04_train_rnn.py", "--finetune", "--steps", 0)
    assert "--steps 0 cannot" in sentence


def test_04_without_latents(refuse, data):
    shutil.rmtree(data / "series")
    sentence = refused(refuse, data, "04_train_rnn.py")
    assert "holds no latent episodes; run 03_generate_rnn_data.py" in sentence


def test_04_on_latents_that_cannot_be_read(refuse, data):
    spoil(data / "series" / "vae" / "0001000003.npz")
    assert "0001000003.npz cannot be read" in refused(refuse, data, "04_train_rnn.py")


@pytest.mark.parametrize("steps, words", [(1, "one step long"), (5, "too short")])
def test_04_on_episodes_that_are_too_short(refuse, data, episode, steps, words):
    latents = np.zeros((steps, 32), np.float32)
    for path in rollouts.paths(data / "rollout"):
        rollouts.write(path, episode(steps))
        series.write(data / "series" / "vae" / path.name, episode(steps), latents, latents)
    manifest = data / "series" / "vae" / series.MANIFEST
    made = read_json(manifest)
    made["recordings"] = {p.name: rollouts.contents(p) for p in rollouts.paths(data / "rollout")}
    write_json(manifest, made)
    assert words in refused(refuse, data, "04_train_rnn.py")


def test_04_after_the_recording_it_would_show_is_gone(refuse, data):
    rollouts.paths(data / "rollout")[-1].unlink()
    assert "0001000004.npz cannot be read" in refused(refuse, data, "04_train_rnn.py")


def test_05_with_other_settings_than_those_it_was_begun_with(refuse, data, small):
    arguments = small("05_train_controller.py", data, data / "res")[2:]
    sentence = refused(refuse, data, "05_train_controller.py", *arguments, "--population", 5)
    assert "other settings (population 4, not 5)" in sentence and "--finetune" in sentence


def test_05_that_sees_less_than_the_c_that_is_there(refuse, data, small):
    arguments = small("05_train_controller.py", data, data / "res")[2:]
    sentence = refused(refuse, data, "05_train_controller.py", *arguments, "--sees", "z")
    assert "other settings (" in sentence and "sees zh, not z" in sentence


def test_05_dreaming_without_m(refuse, data):
    sentence = refused(refuse, data, "05_train_controller.py", "--dream", "--sees", "z")
    assert "leave out --sees z" in sentence


@pytest.mark.parametrize(
    "name, content",
    [
        ("controller.training.json", b"{"),
        ("controller.training.json", b'{"stage": 1}'),
        ("controller.training?.npz", None),
        ("controller.training?.npz", b""),
        ("controller.csv", b"stage,generation\r\n1,1\r\n"),
        ("controller.csv", b"\xff\x00"),
    ],
)
def test_05_with_a_state_that_is_torn(refuse, data, small, name, content):
    spoiled = list((data / "models" / "vae").glob(name))
    for path in spoiled:
        spoil(path, content)
    arguments = small("05_train_controller.py", data, data / "res")[2:]
    sentence = refused(refuse, data, "05_train_controller.py", *arguments)
    assert any(path.name in sentence for path in spoiled)


def test_01_with_an_agent_that_is_not_there(refuse, data):
    shutil.rmtree(data / "models")
    sentence = refused(refuse, data, "01_generate_data.py", "--policy", "agent")
    assert "no trained" in sentence


def test_evaluate_of_what_is_no_agent(refuse, data, tmp_path):
    model = data / "models" / "vae"
    assert "no trained vision" in refuse("evaluate.py", tmp_path / "nowhere", "--res", tmp_path)
    parameters = np.zeros(arch.size(32 + 8))
    facts = json.loads((model / "model.json").read_text())["controller"]
    arch.save(ModelDirectory(model), parameters, {"rnn": facts["rnn"]})
    assert "acts on 40 numbers, not on 48" in refuse("evaluate.py", model, "--res", tmp_path)
    (model / "controller.weights.h5").unlink()
    sentence = refuse("evaluate.py", model, "--res", tmp_path)
    assert "no trained controller; run 05_train_controller.py" in sentence
    assert not list(tmp_path.glob("scores*"))


def test_evaluate_of_agents_that_are_not_distinguishable(refuse, chain, tmp_path):
    model, other = chain.model, tmp_path / "other"
    assert "given twice" in refuse("evaluate.py", model, f"again={model}", "--res", tmp_path)
    assert "one name (a, a)" in refuse("evaluate.py", f"a={model}", f"a={other}", "--res", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_script_of_its_own_process_ends_so_too(scripts, tmp_path):
    done = scripts.run("02_train_vae.py", "--data-dir", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("02_train_vae.py: ") and "run 01_generate_data.py." in line
