"""Files that mean harm: nothing is executed, nothing else is read, memory stays in bounds."""

import io
import pickle
import sys
import zipfile

import rnn
import vae
from envs import rollouts
from rnn.dream import starts
from runs.arguments import BadInput
from runs.directory import read_json, write_json
from runs.recipe import read as read_recipe
from settings import STEPS

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
