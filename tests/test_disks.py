"""Disks that refuse: full, read-only, or a rename that is not allowed. A sentence, nothing lost."""

import contextlib
import os
import shutil
import subprocess
import sys
import textwrap

import rnn
import vae
from envs import rollouts
from rnn import series
from runs.directory import ModelDirectory, read_json, write_json

import numpy as np
import pytest


@pytest.fixture
def protect():
    """`protect(path)`: nobody can write to a folder, or to a file, until the test is over."""
    with contextlib.ExitStack() as undo:

        def make(path) -> None:
            if os.geteuid():
                undo.callback(path.chmod, path.stat().st_mode)
                path.chmod(0o555)
                return
            # Root may write to whatever is not immutable.
            command = shutil.which("chattr") or pytest.skip("runs as root, without chattr")
            if subprocess.run([command, "+i", str(path)], capture_output=True).returncode:
                pytest.skip("runs as root, and nothing can be made immutable here")
            undo.callback(subprocess.run, [command, "-i", str(path)], check=True)

        yield make


def contents(folder) -> dict:
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


TINY = ["--epochs", 1, "--batch-size", 10, "--depth", 8, "--precision", "float32"]


@pytest.fixture
def recorded(record, tmp_path):
    """A data directory with episodes, and the arguments that train V there."""
    data = tmp_path / "data"
    record(data / "rollout", [10, 10])
    return data, ["--data-dir", data, "--res", tmp_path / "res", *TINY]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="has other rights")
@pytest.mark.parametrize("where, words", [(".", "may not be written to"), ("models/vae", ".lock")])
def test_a_directory_that_is_read_only_is_told_before_the_training(
    recorded, refuse, protect, where, words
):
    data, arguments = recorded
    (data / where).mkdir(parents=True, exist_ok=True)
    before = contents(data)
    protect(data / where)
    sentence = refuse("02_train_vae.py", *arguments)
    assert words in sentence and str(data) in sentence
    assert contents(data) == before


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="has other rights")
def test_an_agent_in_a_directory_that_is_read_only_is_loaded(own_dreamer, protect):
    beside = own_dreamer.path / "rnn.next.weights.h5"
    shutil.move(own_dreamer.weights("rnn"), beside)
    shutil.copy(beside, own_dreamer.weights("rnn"))  # as a kill leaves it, and a copy of that
    protect(own_dreamer.path)
    assert rnn.load(own_dreamer).units == 6
    assert beside.exists()


def test_a_rename_that_a_directory_refuses_is_a_sentence_and_the_training_goes_on(
    recorded, refuse, perform, tmp_path
):
    data, arguments = recorded
    in_the_way = tmp_path / "res" / "vae_curve.png"
    (in_the_way / "of somebody").mkdir(parents=True)
    sentence = refuse("02_train_vae.py", *arguments, ignore_progress=True)
    assert "directory" in sentence and str(in_the_way) in sentence
    assert [path.name for path in in_the_way.parent.iterdir()] == ["vae_curve.png"]
    trained = ModelDirectory(data / "models" / "vae")
    before = vae.load(trained).encoder.get_weights()
    shutil.rmtree(in_the_way)
    perform("02_train_vae.py", *arguments)
    assert in_the_way.is_file()
    for one, other in zip(before, vae.load(trained).encoder.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root's chattr")
def test_a_file_that_may_not_be_replaced_stays_and_nothing_is_left_beside(tmp_path, protect):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    protect(path)
    with pytest.raises(PermissionError, match=r"a\.json"):
        write_json(path, {"new": 1})
    assert read_json(path) == {"old": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def disk_with(monkeypatch, free: int) -> None:
    """Let every disk say that it has so many bytes left."""
    usage = shutil._ntuple_diskusage(10**12, 10**12 - free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def test_01_asks_for_the_room_of_its_episodes_before_it_records(refuse, tmp_path, monkeypatch):
    disk_with(monkeypatch, 3 * 40 * rollouts.BYTES_PER_STEP - 1)
    arguments = ["--data-dir", tmp_path, "--episodes", 3, "--steps", 40, "--workers", 1]
    sentence = refuse("01_generate_data.py", *arguments)
    assert "3 episodes of at most 40 steps may take" in sentence and "make room" in sentence
    assert contents(tmp_path) == {}


def test_03_asks_for_the_room_of_its_latents_before_it_encodes(
    dreamer, refuse, record, monkeypatch, tmp_path
):
    shutil.copytree(dreamer.path, tmp_path / "models" / "vae")
    recorded = record(tmp_path / "rollout", [30, 20])
    latent = vae.load(dreamer).latent
    disk_with(monkeypatch, series.bytes_of(recorded, latent) - 1)
    arguments = ["--data-dir", tmp_path, "--precision", "float32"]
    sentence = refuse("03_generate_rnn_data.py", *arguments)
    assert "2 latent episodes may take" in sentence and "make room" in sentence
    assert not list((tmp_path / "series").rglob("*.npz"))


FILL = """
    import sys
    from pathlib import Path
    from runs.arguments import run
    from runs.directory import require_space, write_text

    folder = Path(sys.argv[1])
    write_text(folder / "a.txt", "old")

    def main():
        if sys.argv[2] == "ask":
            require_space(folder, 10**6, "9 episodes")
        write_text(folder / "a.txt", "new" * 10**6)

    try:
        run(main)
    finally:
        print(*[(path.name, path.read_text()) for path in folder.iterdir()])
"""


@pytest.mark.parametrize(
    "asked, words",
    [("ask", r"9 episodes may take 1 MB, and 0 MB are left"), ("", "No space left on device")],
)
def test_a_disk_that_is_full_is_told_and_what_was_there_stays(tmp_path, asked, words):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f'mount -t tmpfs -o size=100k none "{disk}" && exec "$@"'
    alone = ["unshare", "--mount", "sh", "-c", mounted, "sh"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"]).returncode:
        pytest.skip("may not mount a small disk")
    done = subprocess.run(
        [*alone, sys.executable, "-c", textwrap.dedent(FILL), str(disk), asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.splitlines()
    assert words in line and str(disk) in line
    assert done.stdout == "('a.txt', 'old')\n"
