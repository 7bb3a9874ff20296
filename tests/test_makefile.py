"""What make runs: every stage gives the scripts arguments they know, and is begun once.

And what it installs, on which machine.
"""

import os
import shlex
import subprocess
from pathlib import Path

from runs import config
from settings import STEPS

import pytest
from packaging.requirements import Requirement

TOP = Path(__file__).parents[1]
CHECK = "runs/platform_check.py"
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


def test_a_machine_that_cannot_run_the_project_is_told_before_anything_is_made(tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$*" != {CHECK} ] || {{ echo "No AVX." >&2; exit 2; }}\n')
    python.chmod(0o755)
    given = make("dependencies", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    assert given.returncode == 2 and given.stdout == ""
    assert given.stderr.startswith("No AVX.\nmake: ***")
    assert not (tmp_path / "venv").exists()


def test_box2d_is_compiled_only_on_linux_for_arm(tmp_path):
    arguments = ("--dry-run", "dependencies", f"VENV={tmp_path / 'venv'}")
    for machine in ("Linux x86_64", "Darwin arm64"):
        assert "box2d-py" not in make(*arguments, f"MACHINE={machine}").stdout
    given = make(*arguments, "MACHINE=Linux aarch64").stdout
    steps = (CHECK, "-m venv", "wheel swig", "box2d-py", "--requirement requirements.lock")
    places = [given.index(step) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    "system, machine, names",
    [
        ("linux", "x86_64", {"box2d"}),
        ("linux", "aarch64", {"box2d-py", "swig"}),
        ("darwin", "arm64", {"box2d"}),
        ("win32", "AMD64", {"box2d"}),
    ],
)
def test_the_lock_has_the_box2d_of_every_system(python, system, machine, names):
    place = {"sys_platform": system, "platform_machine": machine}
    place |= {"python_version": python, "python_full_version": f"{python}.1"}
    lines = (TOP / "requirements.lock").read_text().splitlines()
    locked = [Requirement(line) for line in lines if not line.startswith("#")]
    named = {one.name for one in locked if one.marker is None or one.marker.evaluate(place)}
    assert named & {"box2d", "box2d-py", "swig"} == names
    assert {"tensorflow", "gymnasium", "pygame-ce", "filelock"} <= named
