"""What make runs: every stage gives the scripts arguments they know, and is begun once."""

import os
import shlex
import subprocess
from pathlib import Path

from runs import config
from settings import STEPS

import pytest

TOP = Path(__file__).parents[1]
STAGES = ("first", "second", "third", "fourth")


def make(*arguments: str) -> subprocess.CompletedProcess:
    """As if everything were installed, and whatever the make that tests was told."""
    command = ["make", "--old-file=install", *arguments]
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)


def commands(stage: str) -> list[list[str]]:
    """The script and arguments of each command of a stage."""
    said = make("--dry-run", "DATA=data", stage)
    assert said.returncode == 0, said.stderr
    split = map(shlex.split, said.stdout.replace("\\\n", "").splitlines())
    return [line[1:] for line in split if line[0].endswith("python")]


@pytest.mark.parametrize("stage", STAGES)
def test_the_scripts_know_their_arguments(stage):
    given = commands(stage)
    assert given
    for script, *arguments in given:
        assert config.parse(STEPS[script], None, arguments).data_dir == Path("data")


def test_a_stage_that_fails_ends_it(tmp_path):
    given = make("best", "PY=false", f"DATA={tmp_path}")
    assert given.returncode == 2
    assert given.stdout.count("false 0") == 1 and "false 01_generate_data.py" in given.stdout
    assert list(tmp_path.iterdir()) == []


def stamp(data: Path, stages: tuple) -> None:
    model = data / "models" / "vae"
    model.mkdir(parents=True)
    for stage in stages:
        (model / f".{stage}").touch()


def test_a_stage_that_is_over_is_not_begun_again(tmp_path):
    stamp(tmp_path, STAGES[:2])
    given = make("best", "PY=false", f"DATA={tmp_path}")
    assert given.returncode == 2
    assert given.stdout.count("false 0") == 1 and "false 05_train_controller.py" in given.stdout


def test_when_all_are_over_only_the_score_is_left(tmp_path):
    stamp(tmp_path, STAGES)
    given = make("best", "PY=true", f"DATA={tmp_path}")
    assert given.returncode == 0
    assert given.stdout.count("true 0") == 0 and "true evaluate.py" in given.stdout
