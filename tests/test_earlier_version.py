"""What an earlier version left goes on today: it loads, is trained further and scores the same.

That version is the last one before the settings had the field's terms. Its own scripts, from git's
history, make a model directory here, for a score depends on the machine in its last digits.
"""

import dataclasses
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

from controller import arch
from controller.report import history
from rnn.dream.dynamics import Dream
from runs.directory import DataDirectory, ModelDirectory, read_json
from tests.conftest import TOP, Scripts
from tests.forked import Server

import filelock
import numpy as np
import pytest

VERSION = "308096bfe1ad48418ad3e3db6153ca67cf05ef60"
PARTS = [":(glob)*.py", "controller", "envs", "rnn", "runs", "settings", "vae"]

EPISODES = "--episodes 3 --steps 40 --workers 1"
VISION = "--epochs 1 --batch-size 40 --precision float32"
LATENTS = "--batch-size 32 --precision float32"
MEMORY = "--steps 100 --batch-size 2 --sequence 12 --units 16"
DRIVING = "--patience 15 --evaluate-every 1 --validation-tracks 1 --worlds 4 --workers 1"
DRIVING += " --precision float32"
# So near to zero C drives straight on, and leaves the field long before its 1000 steps.
EVOLUTION = f"--population 4 --rollouts 1 --sigma 0.02 {DRIVING}"
GRADIENT = f"--episodes 2 {DRIVING}"
SCORE = "--tracks 1 --scores-only --workers 1"


@dataclasses.dataclass(frozen=True)
class Earlier:
    """What that version left: its data directory after a run of C, or as a kill leaves it."""

    folder: Path

    def model(self, after: str) -> ModelDirectory:
        return DataDirectory(self.folder / after).model("vae")

    def copy(self, after: str, target: Path) -> ModelDirectory:
        """The model directory as it was then, in a data directory that may be changed."""
        shutil.copytree(self.folder / after, target)
        return DataDirectory(target).model("vae")


def checkout(folder: Path) -> Path:
    """That version's scripts and packages, with what starts scripts in tests. Skips where git's
    history does not have it."""
    archive = folder.with_suffix(".zip")
    command = ["git", "archive", "--format=zip", f"--output={archive}", VERSION, *PARTS]
    try:
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    except OSError:
        pytest.skip("there is no git")
    if done.returncode:
        pytest.skip(f"the earlier version is not in git's history here ({done.stderr.strip()})")
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder)
    (folder / "tests").mkdir()
    shutil.copy(TOP / "tests" / "forked.py", folder / "tests")
    return folder


def make(version: Scripts, folder: Path) -> None:
    """Let that version's scripts fill a data directory; keep copies of it."""
    data = folder / "data"
    pictures = ("--res", folder / "res")

    def run(script: str, words: str, *more) -> None:
        version.succeed(script, "--data-dir", data, *words.split(), *more)

    def run_and_keep(script: str, words: str, name: str) -> None:
        """Keep what a kill after the first of two generations would leave, and what is there in
        the end."""
        table = data / "models" / "vae" / "controller.csv"
        before = len(history.read(table))

        def first_is_over() -> bool:
            # The state of a generation is saved after its row.
            states = [path.stat().st_mtime_ns for path in table.parent.glob("controller.*.npz")]
            return len(history.read(table)) > before and max(states) > table.stat().st_mtime_ns

        killed = folder / f"{name}, killed"
        command = [script, "--data-dir", data, *words.split(), "--generations", 2, *pictures]
        version.succeed_and_keep(first_is_over, data, killed, *command)
        shutil.copytree(data, folder / name)

    run("01_generate_data.py", EPISODES)
    run("02_train_vae.py", VISION, *pictures)
    run("03_generate_rnn_data.py", LATENTS)
    run("04_train_rnn.py", MEMORY, *pictures)
    run_and_keep("05_train_controller.py", EVOLUTION, "evolution")
    score = [data / "models" / "vae", *SCORE.split(), "--drawing", "fast", *pictures]
    version.succeed("evaluate.py", *score)
    run_and_keep("practice.py", GRADIENT, "gradient")


@pytest.fixture(scope="session")
def earlier(tmp_path_factory) -> Iterator[Earlier]:
    """Made once for all test processes; who would change it takes a copy."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "earlier"
    with filelock.FileLock(folder.with_suffix(".lock")):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            top = checkout(folder / "version")
            server = Server(top)
            try:
                make(Scripts(folder, server, top), folder)
            finally:
                server.close()
            (folder / "made").touch()
    yield Earlier(folder)


def outcomes(model: ModelDirectory) -> list[dict]:
    """The generations of a controller's history, but for how long they took."""
    rows = history.read(model.path / "controller.csv")
    return [dataclasses.asdict(row) | {"seconds": 0, "learned": 0} for row in rows]


def test_its_parts_load_and_dream(earlier):
    model = earlier.model("evolution")
    dream = Dream(model, 1.0, "anywhere")
    assert (dream.memory.latent, dream.memory.units) == (32, 16)
    assert np.isfinite(arch.load(model, 32 + 16)).all()


def test_its_agent_scores_to_the_last_digit_as_it_did(earlier, scripts, tmp_path):
    where = [earlier.model("evolution").path, "--res", tmp_path, "--rendering", "fast"]
    scripts.succeed("evaluate.py", *where, *SCORE.split())
    [before], [now] = (
        read_json(folder / "scores_fast.json").values()
        for folder in (earlier.folder / "res", tmp_path)
    )
    assert before["tracks"] == 1 and {name: now[name] for name in before} == before


def test_its_m_is_trained_further(earlier, scripts, tmp_path):
    model = earlier.copy("evolution", tmp_path / "data")
    before = model.facts("rnn")["digest"]
    where = ["--data-dir", tmp_path / "data", "--res", tmp_path]
    assert "nothing to do" in scripts.succeed("04_train_rnn.py", *where, *MEMORY.split())
    scripts.succeed("04_train_rnn.py", *where, *MEMORY.split(), "--finetune")
    assert model.facts("rnn")["finetuned_from"] == [before]
    assert model.facts("rnn")["digest"] != before


@pytest.mark.parametrize(
    "script, settings, run",
    [
        ("05_train_controller.py", EVOLUTION, "evolution"),
        ("06_finetune_controller.py", GRADIENT, "gradient"),
    ],
)
def test_its_run_goes_on_as_it_would_have_itself(earlier, scripts, tmp_path, script, settings, run):
    model = earlier.copy(f"{run}, killed", tmp_path / "data")
    where = ["--data-dir", tmp_path / "data", "--res", tmp_path]
    printed = scripts.succeed(script, *where, *settings.split(), "--generations", 2)
    assert "generation    2" in printed and "generation    1" not in printed
    whole = earlier.model(run)
    assert outcomes(model) == outcomes(whole)
    assert np.array_equal(arch.load(model, 32 + 16), arch.load(whole, 32 + 16))
