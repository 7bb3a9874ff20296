import os

from runs import fitting
from runs.arguments import BadInput
from runs.weights import load_weights, save_weights

import h5py
import keras
import numpy as np
import pytest


def network() -> keras.Model:
    fitting.seed(1)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])


def test_weights_of_another_shape_or_with_a_layer_less_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    save_weights(network(), path)
    load_weights(network(), path)
    wide = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    deep = keras.Sequential([keras.Input((3,)), *[keras.layers.Dense(2) for _ in range(3)]])
    for other in (wide, deep):
        with pytest.raises(BadInput, match="a.weights.h5 does not fit the model"):
            load_weights(other, path)
    with pytest.raises(BadInput, match="does not exist"):
        load_weights(network(), tmp_path / "b.weights.h5")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "a.weights.h5"
    model = network()
    kernel, bias = model.layers[0].get_weights()
    kernel[1, 0] = float("nan")
    model.layers[0].set_weights([kernel, bias])
    save_weights(model, path)
    with pytest.raises(BadInput, match="kernel is not all finite numbers"):
        load_weights(network(), path)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "a.weights.h5"
    save_weights(network(), path)
    return path


def refused(path, words: str) -> None:
    with pytest.raises(BadInput, match=f"a.weights.h5 does not fit the model .*{words}"):
        load_weights(network(), path)


def kernel(file: h5py.File) -> tuple[h5py.Group, str]:
    """Where the first layer's kernel lies."""
    return file["layers/dense/vars"], "0"


def test_a_link_to_another_file_is_not_followed(saved, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["0"] = np.zeros((3, 2), np.float32)
    for link in (h5py.ExternalLink(str(tmp_path / "other.h5"), "0"), h5py.SoftLink("/1")):
        with h5py.File(saved, "r+") as file:
            group, name = kernel(file)
            del group[name]
            group[name] = link
        refused(saved, "is a link")


def test_numbers_that_lie_in_another_file_are_not_read(saved, tmp_path):
    (tmp_path / "raw").write_bytes(bytes(24))
    with h5py.File(saved, "r+") as file:
        group, name = kernel(file)
        del group[name]
        external = [(str(tmp_path / "raw"), 0, 24)]
        group.create_dataset(name, (3, 2), "f4", external=external)
    refused(saved, "lies in another file")


def test_a_few_bytes_that_unpack_to_gigabytes_are_not_unpacked(saved):
    with h5py.File(saved, "r+") as file:
        group, name = kernel(file)
        del group[name]
        group.create_dataset(name, (10**6, 10**6), "f4", chunks=(1000, 1000), compression="gzip")
    refused(saved, "would unpack to 4,000,000,000,")


def test_groups_that_hold_each_other_are_not_walked_for_ever(saved):
    with h5py.File(saved, "r+") as file:
        file["layers/dense/again"] = file["layers"]
    refused(saved, "hold each other")


@pytest.mark.slow
def test_a_flipped_bit_anywhere_is_a_sentence_or_finite_numbers(saved):
    whole = saved.read_bytes()
    model = network()
    rng = np.random.default_rng(1)
    # Superblock, headers, symbol tables and heaps lie in the first kilobytes.
    for place in rng.choice(min(len(whole), 6000), 60, replace=False):
        torn = bytearray(whole)
        torn[place] ^= 1 << int(rng.integers(8))
        saved.write_bytes(torn)
        try:
            load_weights(model, saved)
        except BadInput:
            continue
        assert all(np.isfinite(now).all() for now in model.get_weights())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes among files")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.weights.h5")
    with pytest.raises(BadInput, match="is no file"):
        load_weights(network(), tmp_path / "a.weights.h5")


@pytest.fixture
def full_disk():
    """No file of this process can grow beyond 20 kB."""
    resource = pytest.importorskip("resource", reason="files have no limits here")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_while_weights_are_written_is_one_sentence(saved, full_disk):
    before = saved.read_bytes()
    large = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(100)])
    with pytest.raises(OSError) as refusal:
        save_weights(large, saved)
    assert str(refusal.value).count("\n") == 0 and str(saved) in str(refusal.value)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["a.weights.h5"]
