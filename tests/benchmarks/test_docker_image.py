"""benchmarks/docker_image.py: what it says without an engine, and what it tells from files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from runs.processors import cores

import pytest

TOP = Path(__file__).parents[2]

with_client = pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker here")
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")


@pytest.fixture
def docker_image(load):
    return load("benchmarks/docker_image.py")


def refusal(folder: Path, **environment) -> str:
    """What the script says, which must be one sentence."""
    done = subprocess.run(
        [sys.executable, str(TOP / "benchmarks" / "docker_image.py")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TOP), **environment},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert not list(folder.iterdir())
    return done.stderr


def test_without_docker_it_says_so(tmp_path):
    assert "no docker on the path" in refusal(tmp_path, PATH=str(tmp_path))


@with_client
def test_without_an_engine_it_says_so(tmp_path):
    said = refusal(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert "No Docker engine answers" in said


@with_client
def test_a_command_that_fails_is_told_with_its_last_words(docker_image, capfd):
    with pytest.raises(docker_image.Failed, match="`no-such-command 'of two words'` ended with 1:"):
        docker_image.docker("no-such-command", "of two words")
    assert "no-such-command" in capfd.readouterr().err


def leave(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def test_files_of_one_owner_are_counted(docker_image, tmp_path):
    leave(tmp_path, "data/models/vae/model.json", "data/rollout/1.npz", "res/vae.gif")
    assert docker_image.owned_alike(tmp_path) == (f"{os.getuid()}:{os.getgid()}", 3)


@as_root
def test_a_file_of_another_owner_is_named(docker_image, tmp_path):
    *_, picture = leave(tmp_path, "data/rollout/1.npz", "res/vae.gif")
    os.chown(picture, 12345, 54321)
    with pytest.raises(docker_image.Failed, match="^res/vae.gif belongs to 12345:54321, not to "):
        docker_image.owned_alike(tmp_path)


def test_the_default_of_workers_is_read_from_a_scripts_help(docker_image, scripts):
    text = scripts.succeed("01_generate_data.py", "--help")
    assert docker_image.default_workers(text) == cores()


def test_scores_and_the_table_by_hand(docker_image, tmp_path):
    (tmp_path / "scores.json").write_text('{"vae": {"mean": 903.6}, "dream": {"mean": -59.2}}')
    told = docker_image.scores(tmp_path / "scores.json")
    assert told == "vae 904, dream -59"
    rows = [{"what": "docker build", "seconds": 61.7, "result": told}]
    assert docker_image.table(rows).splitlines() == [
        "| what | seconds | result |",
        "|---|---|---|",
        "| `docker build` | 62 | vae 904, dream -59 |",
    ]
