"""Which recipes make runs, and what it installs, on which machine."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from runs import config
from settings import STEPS

import pytest
from packaging.requirements import Requirement

TOP = Path(__file__).parents[1]
CHECK = "runs/platform_check.py"


def make(*arguments: str) -> subprocess.CompletedProcess:
    """As if everything were installed, and whatever the make that tests was told."""
    command = ["make", "--old-file=install", *arguments]
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "target, recipe, data", [("run", "quick", "d"), ("best", "best", "d/best")]
)
def test_a_target_runs_its_recipe(target, recipe, data):
    said = make("--dry-run", "DATA=d", target)
    assert said.returncode == 0, said.stderr
    # A leader, exec, Python, and what it runs.
    script, *given = shlex.split(said.stdout.splitlines()[-1])[3:]
    told = config.parse(STEPS[script], None, given)
    assert (TOP / told.recipe).name == f"{recipe}.toml" and told.data_dir == Path(data)


def test_a_machine_that_cannot_run_the_project_is_told_before_anything_is_made(tmp_path):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "$*" != {CHECK} ] || {{ echo "No AVX." >&2; exit 2; }}\n')
    python.chmod(0o755)
    given = make("dependencies", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}")
    assert given.returncode == 2 and given.stdout == ""
    assert given.stderr.startswith("No AVX.\nmake: ***")
    assert not (tmp_path / "venv").exists()


def test_a_machine_without_node_is_told_before_anything_is_exported(tmp_path):
    (tmp_path / "uname").symlink_to(shutil.which("uname"))
    command = [shutil.which("make"), "--old-file=install", "web"]
    environment = {"PATH": str(tmp_path)}
    given = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)
    assert given.returncode == 2 and given.stdout == ""
    assert given.stderr.startswith("make: there is no Node: install Node.js")


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
