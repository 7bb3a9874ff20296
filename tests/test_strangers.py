"""Files that mean harm: nothing is executed, nothing else is read, memory stays in bounds."""

import copy
import functools
import io
import os
import pickle
import signal
import sys
import zipfile

import rnn
import vae
from controller.evolution.cma_es import Evolution
from controller.policy_gradient.natural_gradient import NaturalPolicyGradient
from controller.report import history
from envs import rollouts
from rnn import series
from rnn.dream import starts
from runs import directory, recipe, records
from runs.arguments import BadInput
from runs.directory import read_json, write_json
from runs.recipe import read as read_recipe
from settings import STEPS
from settings.driving import FinetuneController, TrainController

import numpy as np
import pytest

resource = pytest.importorskip("resource", reason="memory is not measured so here")

MOST_GROWTH = 200e6  # bytes; a network of the numbers below has at least 10 GB


class ExitingPickle:
    """Executed when it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was executed')",))


@pytest.fixture
def bounded():
    """The most memory that this process ever took may not grow by much."""
    before = peak()
    yield
    assert peak() - before < MOST_GROWTH


def peak() -> int:
    """Bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@pytest.mark.parametrize(
    "part, changed",
    [
        ("rnn", {"units": 30_000}),
        ("rnn", {"mixtures": 10**9}),
        ("rnn", {"latent": 10**12}),
        ("rnn", {"heads": [f"head {number}" for number in range(100_000)]}),
        ("vision", {"latent": 10**6}),
        ("vision", {"latent": 10**12}),
    ],
)
def test_a_description_takes_no_more_memory_than_its_file_can_fill(
    own_dreamer, bounded, part, changed
):
    described = read_json(own_dreamer.model_json)
    described[part] |= changed
    write_json(own_dreamer.model_json, described)
    with pytest.raises(BadInput):
        {"rnn": rnn, "vision": vae}[part].load(own_dreamer)


def test_pickles_in_an_archive_are_not_executed(tmp_path, own_dreamer, record):
    memory = rnn.load(own_dreamer)
    [recording] = record(tmp_path, [5])
    for path, read in (
        (recording, rollouts.read),
        (starts.path_in(own_dreamer), lambda _: starts.read(own_dreamer, memory)),
    ):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        for harm in (pickle.dumps(ExitingPickle()), npy(np.array([ExitingPickle()], object))):
            with zipfile.ZipFile(path, "w") as archive:
                for name in names:
                    archive.writestr(name, harm)
            with pytest.raises(BadInput):
                read(path)


def npy(values: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.lib.format.write_array(written, values, allow_pickle=True)
    return written.getvalue()


@pytest.mark.parametrize(
    "text",
    ["step = 'rm -rf /'", "step = ['01_generate_data.py']", "step = '../01_generate_data.py'"],
)
def test_a_recipe_names_scripts_of_the_project_only(tmp_path, text):
    (tmp_path / "recipe.toml").write_text(f"[[stage]]\n{text}\n")
    run = {"data_dir": tmp_path, "res": tmp_path, "seed": 1, "workers": 1}
    with pytest.raises(BadInput, match="step is .*, not one of"):
        read_recipe(tmp_path / "recipe.toml", STEPS, run)


MOST_SECONDS = 30
ENDLESS = {"a pipe": os.mkfifo, "endless zeros": lambda path: path.symlink_to("/dev/zero")}


@pytest.fixture(scope="module")
def bomb(tmp_path_factory):
    """An archive of some kilobytes that unpacks to 2.1 GB: one array of zeros under 21 names."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("mean.npy", npy(np.zeros(25 * 10**6, np.float32)))
        [member] = archive.filelist
        for number in range(20):
            archive.filelist.append(copy.copy(member))
            archive.filelist[-1].filename = f"{number}.npy"
    assert path.stat().st_size < 200_000
    return path


@pytest.fixture
def readers(own_dreamer, tmp_path) -> dict:
    """Files of every kind, each with what reads it."""
    memory = rnn.load(own_dreamer)
    evolution, ascent = TrainController(population=4), FinetuneController()
    run = {"data_dir": tmp_path, "res": tmp_path, "seed": 1, "workers": 1}
    return {
        "1.npz": rollouts.read,
        "2.npz": functools.partial(series.read, latent=4),
        "dreamer/starts.npz": lambda _: starts.read(own_dreamer, memory),
        "3.npz": functools.partial(Evolution.resume, evolution, 33),
        "4.npz": functools.partial(NaturalPolicyGradient.resume, ascent, 33),
        "history.csv": history.read,
        "recipe.toml": lambda path: read_recipe(path, STEPS, run),
        "dreamer/rnn.weights.h5": lambda _: rnn.load(own_dreamer),
        "dreamer/model.json": lambda _: own_dreamer.facts("rnn"),
    }


def refuse_in_time(read, path) -> str:
    """What is said of a file that must be refused, soon."""

    def give_up(*_):
        raise AssertionError("it reads and reads")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(MOST_SECONDS)
    try:
        with pytest.raises(BadInput) as refusal:
            read(path)
    finally:
        signal.alarm(0)
    sentence = str(refusal.value)
    assert str(path) in sentence and "\n" not in sentence
    return sentence


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="has no pipes among files")
@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_is_refused_in_the_place_of_any_file(readers, bounded, tmp_path, kind):
    for name, read in readers.items():
        path = tmp_path / name
        path.unlink(missing_ok=True)
        ENDLESS[kind](path)
        assert "is no file" in refuse_in_time(read, path), name
        path.unlink()


def test_an_archive_that_unpacks_to_gigabytes_is_not_unpacked(
    readers, bounded, own_dreamer, tmp_path, bomb
):
    for name, read in readers.items():
        if name.endswith(".npz"):
            path = tmp_path / name
            path.write_bytes(bomb.read_bytes())
            if path == starts.path_in(own_dreamer):
                described = read_json(own_dreamer.model_json)
                described["starts"]["digest"] = directory.digest(path)
                write_json(own_dreamer.model_json, described)
            assert "would take 2.1 GB unpacked" in refuse_in_time(read, path), name


def test_a_file_larger_than_any_of_its_kind_is_not_read(readers, bounded, tmp_path):
    most = {
        ".csv": records.MOST_BYTES,
        ".toml": recipe.MOST_BYTES,
        ".json": directory.MOST_JSON,
        ".h5": directory.MOST_BYTES,
    }
    for name, read in readers.items():
        path = tmp_path / name
        if path.suffix in most:
            path.touch()
            os.truncate(path, int(most[path.suffix]) + 1)  # It takes no place on the disk.
            assert "no such file has more than" in refuse_in_time(read, path), name
