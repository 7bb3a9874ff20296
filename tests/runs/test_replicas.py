"""A batch among two devices gives what it gives on one; a training goes on with another number.

M alone is trained here: V, VAE-GAN and CVAE take TensorFlow minutes to build for two devices, and
are compared by hand: `python -m tests.two_devices FOLDER vision hinge wgan-gp video`.
"""

import json
import subprocess
import sys
from pathlib import Path

from runs import replicas
from runs.arguments import BadInput

import numpy as np
import pytest
import tensorflow as tf

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """What came of trainings on two devices, which need a process of their own."""
    folder = tmp_path_factory.mktemp("devices")
    command = [sys.executable, "-m", "tests.two_devices", str(folder), "memory"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("devices", ["2, 1", "1, 2"])
def test_losses_and_weights_do_not_depend_on_the_number_of_devices(found, devices):
    (whole, weights), (other, its_weights) = (
        found["trained"]["memory"][key] for key in ("1", devices)
    )
    assert [sorted(epoch) for epoch in other] == [sorted(epoch) for epoch in whole]
    for name, loss in whole[0].items():
        assert other[0][name] == pytest.approx(loss, rel=1e-5), name
    # Adam takes a whole step by a gradient that is nothing but rounding: a few weights differ.
    differences = [
        np.abs(np.subtract(one, another)).ravel()
        for one, another in zip(weights, its_weights, strict=True)
    ]
    assert np.concatenate(differences).mean() < 1e-6


@pytest.mark.slow
def test_more_devices_than_there_are_or_unequal_parts_are_refused(found):
    assert found["refusals"] == [
        "3 devices are asked for, and there are 2, no GPU; ask for fewer (--devices).",
        "2 devices cannot have equal parts of a batch of 5; choose one of 6 (--batch-size, "
        "--devices).",
    ]


class Two:
    """A strategy of two devices, as far as it is asked for their number."""

    num_replicas_in_sync = 2


def test_frames_that_are_one_small_batch_must_have_equal_parts():
    replicas.require_parts(Two(), frames=4, batch_size=100)
    replicas.require_parts(Two(), frames=101, batch_size=100)
    with pytest.raises(BadInput, match="^2 devices cannot have equal parts of the only batch, wh"):
        replicas.require_parts(Two(), frames=3, batch_size=100)


without_gpu = pytest.mark.skipif("tf.config.list_physical_devices('GPU')", reason="has a GPU")


@without_gpu
def test_processors_are_one_device():
    for devices in (0, 1):
        assert replicas.strategy(devices, 7).num_replicas_in_sync == 1
    with pytest.raises(BadInput, match="^2 devices are asked for, and there is 1, no GPU"):
        replicas.strategy(2, 4)


def test_a_batch_that_devices_cannot_divide_is_given_to_each_whole():
    rows = tf.data.Dataset.range(5).batch(4)
    evened = [batch.numpy().tolist() for batch in replicas.even(rows, 2)]
    assert evened == [[0, 1, 2, 3], [4, 4]]
    pairs = tf.data.Dataset.from_tensors({"a": tf.constant([[1, 2]]), "b": tf.constant([3])})
    [batch] = replicas.even(pairs, 3)
    assert batch["a"].numpy().tolist() == 3 * [[1, 2]] and batch["b"].numpy().tolist() == 3 * [3]


def test_on_one_device_all_of_it_is_plain():
    values = tf.constant([[1.0, 2.0], [3.0, 6.0]])
    assert replicas.mean(values) == 3 and replicas.mean(values, 0).numpy().tolist() == [2, 4]
    assert replicas.norm(tf.constant([3.0, 4.0])) == 5 and replicas.part(values) is values
    drawn = tf.random.stateless_normal([3], [1, 2])
    assert np.array_equal(replicas.normal(tf.constant([3]), tf.constant([1, 2])), drawn)
