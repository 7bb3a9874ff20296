"""Episodes that are damaged end a command, or are named and left out where that was asked for."""

from envs import rollouts
from rnn import series
from rnn.video import sequences
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from settings.video import TrainCVAE

import pytest

TINY = {
    "02_train_vae.py": "--epochs 1 --batch-size 30 --depth 8 --precision float32",
    "03_generate_rnn_data.py": "--precision float32",
}


def cut(path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path) -> None:
    """Change a byte of the first array, which only its checksum tells."""
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)


def test_damaged_episodes_are_left_out_only_when_that_is_asked_for(
    record, perform, refuse, tmp_path
):
    data = tmp_path / "data"
    recorded = record(data / "rollout", [30] * 5)
    cut(recorded[0])
    flip(recorded[3])
    whole = [recorded[number] for number in (1, 2, 4)]

    def arguments(script: str) -> list:
        res = [] if script.startswith("03") else ["--res", tmp_path / "res"]
        return ["--data-dir", data, *res, *TINY[script].split()]

    def skip(script: str, *damaged) -> None:
        sentence = refuse(script, *arguments(script), ignore_progress=True)
        assert any(f"{path} cannot be read" in sentence for path in damaged)
        warnings = perform(script, *arguments(script), "--skip-damaged")
        assert len(warnings) == len(damaged)
        for line, path in zip(warnings, damaged, strict=True):
            assert line.startswith(f"Warning: left out: {path} cannot be read (")

    skip("02_train_vae.py", recorded[0], recorded[3])
    trained = ModelDirectory(data / "models" / "vae").facts("vision")
    assert trained["data"] == rollouts.fingerprint(whole)
    skip("03_generate_rnn_data.py", recorded[0], recorded[3])
    latents = sorted((data / "series" / "vae").glob("*.npz"))
    assert [path.name for path in latents] == [path.name for path in whole]
    flip(latents[0])
    found = series.paths(data / "series" / "vae", 32, trained["digest"], skip_damaged=True)
    assert found == latents[1:]


def test_where_all_are_damaged_nothing_is_left(record, tmp_path, capsys):
    for path in record(tmp_path, [20, 20]):
        flip(path)
    with pytest.raises(BadInput, match=f"All 2 episodes in {tmp_path} are damaged"):
        rollouts.paths(tmp_path, skip_damaged=True)
    assert capsys.readouterr().err.count("\n") == 2


def test_video_leaves_them_out_too(record, tmp_path):
    recorded = record(tmp_path, [60] * 4)
    flip(recorded[1])
    videos = sequences.load("carracing", tmp_path, skip_damaged=True)
    assert len(videos.learned) + len(videos.held_out) == 3
    assert videos.fingerprint == rollouts.fingerprint([recorded[0], *recorded[2:]])
    with pytest.raises(BadInput, match="--skip-damaged needs --source carracing"):
        TrainCVAE(source="bair", path=tmp_path, skip_damaged=True).check()
