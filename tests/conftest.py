"""What the tests share: tiny episodes, scripts run for real, and one small chain of all of them."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from envs import rollouts

import numpy as np
import pytest

TOP = Path(__file__).parent.parent


def make_episode(steps: int, seed: int = 0) -> rollouts.Episode:
    """Frames of flat colour, different in every step and of every seed."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (steps, 1, 1, 3), dtype=np.uint8)
    return rollouts.Episode(
        obs=np.broadcast_to(colours, (steps, 64, 64, 3)).copy(),
        action=rng.uniform(-1, 1, (steps, 3)).astype(np.float32),
        reward=rng.choice([-0.1, 3.2], steps).astype(np.float32),
        done=np.arange(steps) == steps - 1,
    )


@pytest.fixture(scope="session")
def episode() -> Callable[..., rollouts.Episode]:
    """`episode(steps, seed)`: an episode made up."""
    return make_episode


@pytest.fixture(scope="session")
def record() -> Callable[..., list[Path]]:
    """`record(folder, lengths)`: made-up episodes of these lengths written to a folder."""

    def write(folder: Path, lengths: list[int], first: int = 0) -> list[Path]:
        written = []
        for number, steps in enumerate(lengths, first):
            written.append(rollouts.path_of(folder, number))
            rollouts.write(written[-1], make_episode(steps, number))
        return written

    return write


@dataclasses.dataclass
class Scripts:
    """Runs the project's scripts as a user does, from another directory."""

    folder: Path

    def command(self, script: str, *arguments) -> list[str]:
        return [sys.executable, str(TOP / script), *map(str, arguments)]

    def start(self, script: str, *arguments) -> subprocess.Popen:
        """Start a script in a process group of its own, which a test may kill."""
        return subprocess.Popen(
            self.command(script, *arguments),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, script: str, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(script, *arguments),
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
        )

    def succeed(self, script: str, *arguments) -> str:
        """Run a script that must succeed; return what it printed."""
        done = self.run(script, *arguments)
        assert done.returncode == 0, f"{script} {arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def refuse(self, script: str, *arguments) -> str:
        """Run a script that must refuse its input in one line; return that line."""
        done = self.run(script, *arguments)
        assert done.returncode == 2, f"{script} {arguments}:\n{done.stdout}\n{done.stderr}"
        lines = done.stderr.splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith(f"{script}: "), lines[0]
        return lines[0]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="session")
def scripts(tmp_path_factory) -> Scripts:
    return Scripts(tmp_path_factory.mktemp("elsewhere"))
