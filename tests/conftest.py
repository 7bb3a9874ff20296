"""What the tests share: tiny episodes, scripts run for real, and one small chain of all of them."""

import dataclasses
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

from envs import rollouts
from runs import config
from runs.arguments import run as run_script
from runs.directory import ModelDirectory, read_json, write_json
from settings import MAKERS, STEPS
from tests.forked import Script, Server

import filelock
import numpy as np
import pytest

TOP = Path(__file__).parent.parent

# Read when TensorFlow is first used. As workers do, and two test processes on two cores are fast.
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
os.environ.update(ONE_THREAD)


# What runs scripts or starts processes takes seconds; `make test-fast` leaves it out. Other tests
# that take a second or more are marked where they stand.
SLOW_FIXTURES = {"scripts", "chain", "figures", "refuse", "ready_workers"}
FAST_AT_THE_TOP = {"test_docs.py", "test_makefile.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        at_the_top = item.path.parent == TOP / "tests" and item.path.name not in FAST_AT_THE_TOP
        if at_the_top or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


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


@pytest.fixture(scope="session")
def exchange() -> Callable[[Path, Path], None]:
    """`exchange(one, other)`: exchange two files under their names; each keeps its date."""

    def swap(one: Path, other: Path) -> None:
        aside = one.with_name("aside")
        one.rename(aside)
        other.rename(one)
        aside.rename(other)

    return swap


@dataclasses.dataclass
class Scripts:
    """Runs the project's scripts as a user does, from another directory."""

    folder: Path
    server: Server
    top: Path = TOP  # where the scripts lie

    def command(self, script: str, *arguments) -> list[str]:
        return [sys.executable, str(self.top / script), *map(str, arguments)]

    def start(self, script: str, *arguments) -> Script:
        """Start a script in a process group of its own, which a test may kill."""
        command = [str(self.top / script), *map(str, arguments)]
        return Script(self.server, command, self.folder, self._environment())

    def run(self, script: str, *arguments) -> subprocess.CompletedProcess:
        process = self.start(script, *arguments)
        written = process.communicate()
        return subprocess.CompletedProcess(process, process.returncode, *written)

    def succeed(self, script: str, *arguments) -> str:
        """Run a script that must succeed; return what it printed."""
        done = self.run(script, *arguments)
        assert done.returncode == 0, f"{script} {arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def succeed_and_keep(
        self, moment: Callable[[], bool], folder: Path, kept: Path, script: str, *arguments
    ) -> str:
        """The same, with a copy of a folder as a kill would leave it, soon after `moment()`."""
        process = self.start(script, *arguments)
        while not moment():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(0.1)  # till all its threads stand
        shutil.copytree(folder, kept)
        os.killpg(process.pid, signal.SIGCONT)
        printed, said = process.communicate()
        assert process.returncode == 0, f"{script} {arguments}:\n{printed}\n{said}"
        return printed

    def _environment(self) -> dict[str, str]:
        users = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
        return {**users, "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="session")
def scripts(tmp_path_factory) -> Iterator[Scripts]:
    server = Server()
    yield Scripts(tmp_path_factory.mktemp("elsewhere"), server)
    server.close()


@pytest.fixture
def load(monkeypatch) -> Callable[[str], types.ModuleType]:
    """`load("benchmarks/vision.py")`: a script of the project as a module."""
    monkeypatch.syspath_prepend(TOP / "benchmarks")

    def load(script: str) -> types.ModuleType:
        path = TOP / script
        specification = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
        module = importlib.util.module_from_spec(specification)
        # Where a data class looks for the module that it is made in.
        monkeypatch.setitem(sys.modules, specification.name, module)
        specification.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def refuse(load, monkeypatch, capfd) -> Callable[..., str]:
    """`refuse(script, *arguments)`: what a script says that must refuse its input in one line.

    Calls the script in this process, which has TensorFlow loaded.
    """

    def run(script: str, *arguments, ignore_progress: bool = False) -> str:
        module = load(script)
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ending:
            run_script(module.main, config.parse(STEPS[script], module.__doc__), makers=MAKERS)
        lines = capfd.readouterr().err.splitlines()
        assert ending.value.code == 2, lines
        if ignore_progress:
            lines = lines[-1:]
        assert len(lines) == 1 and lines[0].startswith(f"{script}: "), lines
        return lines[0]

    return run


@pytest.fixture
def said(load, monkeypatch, capfd) -> Callable[..., tuple[str, str]]:
    """`said(script, *arguments)`: run a script in this process; what it wrote to stdout, stderr."""

    def run(script: str, *arguments) -> tuple[str, str]:
        module = load(script)
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        capfd.readouterr()
        module.main(config.parse(STEPS[script], module.__doc__))
        written = capfd.readouterr()
        return written.out, written.err

    return run


@pytest.fixture
def printed(said) -> Callable[..., str]:
    """`printed(script, *arguments)`: run a script in this process; what it printed."""
    return lambda *command: said(*command)[0]


@pytest.fixture
def perform(said) -> Callable[..., list[str]]:
    """`perform(script, *arguments)`: run a script in this process; the warnings that it wrote."""

    def run(*command) -> list[str]:
        lines = said(*command)[1].splitlines()
        return [line for line in lines if line.startswith("Warning: ")]

    return run


@dataclasses.dataclass(frozen=True)
class Chain:
    """A data directory that the five scripts filled, never interrupted, and what they printed."""

    data: Path
    res: Path
    printed: dict[str, str]

    @property
    def model(self) -> Path:
        return self.data / "models" / "vae"

    def copy(self, folder: Path, *parts: str) -> Path:
        """A data directory of its own with some parts of this one: `rollout`, `series`, …"""
        for part in parts:
            shutil.copytree(self.data / part, folder / part)
        return folder


TINY = {
    "01_generate_data.py": "--episodes 5 --steps 40 --workers 2",
    "02_train_vae.py": "--epochs 3 --batch-size 40 --depth 8",
    "03_generate_rnn_data.py": "--batch-size 32 --precision float32",
    "04_train_rnn.py": "--steps 200 --batch-size 2 --sequence 12 --units 16",
    # So near to zero C drives straight on, and leaves the field long before its 1000 steps.
    "05_train_controller.py": "--population 4 --rollouts 2 --generations 2 --patience 15 "
    "--sigma 0.02 --evaluate-every 2 --validation-tracks 1 --worlds 4 --workers 1",
}
WITHOUT_RES = ("01_generate_data.py", "03_generate_rnn_data.py")


def tiny(script: str, data: Path, res: Path) -> list[str]:
    """The arguments of a script's small run."""
    pictures = [] if script in WITHOUT_RES else ["--res", str(res)]
    return ["--data-dir", str(data), *pictures, *TINY[script].split()]


@pytest.fixture(scope="session")
def small() -> Callable[[str, Path, Path], list[str]]:
    return tiny


@pytest.fixture(scope="session")
def chain(scripts, tmp_path_factory) -> Chain:
    """The five scripts in their order, for real, on the smallest scale.

    Whichever test process asks first runs them, and all read what they left: who would change it
    takes a copy.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    data, res, told = folder / "chain", folder / "chain-res", folder / "chain.json"
    with filelock.FileLock(folder / "chain.lock"):
        if not told.exists():
            printed = {script: scripts.succeed(script, *tiny(script, data, res)) for script in TINY}
            write_json(told, printed)
    return Chain(data, res, read_json(told))


@pytest.fixture(scope="session")
def racer(chain, tmp_path_factory) -> Path:
    """The model directory of an agent whose episodes are short.

    With the chain's V and M, and a policy that drives straight on, hardly looking, until it has
    left the field after 260 steps.
    """
    # Imported here: only some tests need TensorFlow.
    from controller import arch

    folder = chain.copy(tmp_path_factory.mktemp("racer"), "models")
    made = ModelDirectory(folder / "models" / "vae")
    parameters = np.random.default_rng(0).normal(0, 0.003, arch.size(32 + 16))
    parameters[-arch.ACTIONS :] = [0, 0.3, -1]
    arch.save(made, parameters, arch.evolved_on(made, "zh"))
    return made.path


def save_dreamer(folder: Path, heads: tuple[str, ...] = ("tile", "done")) -> ModelDirectory:
    """V and M, small and untrained; three starts and a later moment; tiles worth 4 points.

    4 latent numbers, 6 units, 3 mixture components.
    """
    # Imported here: only some tests need TensorFlow.
    import rnn
    import vae
    from rnn import arch as rnn_arch
    from rnn.dream import starts
    from vae import arch as vae_arch

    import keras

    latent, depth, units, mixtures = 4, 4, 6, 3
    keras.utils.set_random_seed(4)
    made = ModelDirectory(folder)
    facts = {"architecture": "vae", "latent": latent, "depth": depth}
    vae.save(made, vae_arch.encoder(latent, depth), vae_arch.decoder(latent, depth), facts)
    vision = made.facts("vision")["digest"]
    network = rnn_arch.network(latent, units, mixtures, heads)
    facts = {"latent": latent, "units": units, "mixtures": mixtures, "heads": list(heads)}
    if "done" in heads:
        # Few dreams end in a test's few steps, but some do.
        network.get_layer("done").set_weights([np.zeros((units, 1)), np.array([-4.0])])
    rnn.save(made, network, {**facts, "vision": vision})
    rnn_digest = made.facts("rnn")["digest"]
    rng = np.random.default_rng(0)
    z, later = rng.normal(size=(4, latent)), np.array([[0], [1], [0], [0]])
    h, c = later * rng.uniform(-1, 1, (2, 4, units))
    starts.save(made, z, h, c, [0, 50, 0, 0], np.full(4, 2.0), np.full(4, 8.0), vision, rnn_digest)
    return made


@pytest.fixture(scope="session")
def dreamer(tmp_path_factory) -> ModelDirectory:
    return save_dreamer(tmp_path_factory.mktemp("dreamer"))


@pytest.fixture
def own_dreamer(dreamer, tmp_path) -> ModelDirectory:
    """A model directory that the test may change."""
    return ModelDirectory(shutil.copytree(dreamer.path, tmp_path / "dreamer"))


@pytest.fixture
def dreamer_without(tmp_path):
    """`dreamer_without(head)`: a model directory whose M lacks that head."""

    def make(head: str) -> ModelDirectory:
        heads = tuple(other for other in ("tile", "done") if other != head)
        return save_dreamer(tmp_path / f"no-{head}", heads)

    return make
