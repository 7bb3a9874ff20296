"""BAIR's two layouts, in files that are written here as they are there."""

import os
import struct

from rnn.video import bair, sequences
from runs.arguments import BadInput

import numpy as np
import pytest
import tensorflow as tf
from imageio import v3 as imageio

STEPS = 6


@pytest.fixture(scope="module")
def made() -> list[tuple[np.ndarray, np.ndarray]]:
    """Five videos: frames, condition."""
    rng = np.random.default_rng(0)
    return [
        (
            rng.integers(0, 256, (STEPS, 64, 64, 3), dtype=np.uint8),
            rng.normal(size=(STEPS, 7)).astype(np.float32),
        )
        for _ in range(5)
    ]


def example(frames, condition) -> bytes:
    """A record as BAIR's have it: two cameras, raw bytes, action and gripper."""
    features = {}
    for t in range(len(frames)):
        for camera in ("image_main", "image_aux1"):
            image = frames[t] if camera == "image_main" else 255 - frames[t]
            value = tf.train.BytesList(value=[image.tobytes()])
            features[f"{t}/{camera}/encoded"] = tf.train.Feature(bytes_list=value)
        for name, numbers in (("action", condition[t, :4]), ("endeffector_pos", condition[t, 4:])):
            value = tf.train.FloatList(value=numbers)
            features[f"{t}/{name}"] = tf.train.Feature(float_list=value)
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def records(path, videos) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for video in videos:
            writer.write(example(*video))


def as_records(folder, made):
    records(folder / "softmotion30_44k" / "train" / "traj_0_to_1.tfrecords", made[:2])
    records(folder / "softmotion30_44k" / "train" / "traj_2_to_2.tfrecords", made[2:3])
    records(folder / "softmotion30_44k" / "test" / "traj_0_to_1.tfrecords", made[3:])
    return folder


def as_folders(folder, made):
    parts = ("train/traj_0/0", "train/traj_0/1", "train/traj_1/0", "validate/traj_0/0", "test/t/0")
    for part, (frames, condition) in zip(parts, made, strict=True):
        (folder / part).mkdir(parents=True)
        for t, frame in enumerate(frames):
            imageio.imwrite(folder / part / f"{t}.png", frame)
        np.savetxt(folder / part / "actions.csv", condition[:, :4], delimiter=",")
        positions = folder / part / "endeffector_positions.csv"
        np.savetxt(positions, condition[:, 4:], delimiter=",")
    return folder


@pytest.mark.parametrize("layout, held_out", [(as_records, [3, 4]), (as_folders, [3])])
def test_both_layouts_give_back_what_is_in_them(layout, held_out, made, tmp_path):
    videos = sequences.load("bair", layout(tmp_path, made))
    assert videos.condition == 7
    test = held_out if layout is as_records else [4]
    expected = {"learned": [0, 1, 2], "held_out": held_out, "test": test}
    for part, numbers in expected.items():
        found = getattr(videos, part)
        assert [video.length for video in found] == [STEPS] * len(numbers)
        for video, number in zip(found, numbers, strict=True):
            frames, condition = video.read()
            np.testing.assert_array_equal(frames, made[number][0])
            np.testing.assert_allclose(condition, made[number][1], rtol=1e-6)


def test_what_is_written_is_read(made, tmp_path):
    for part in ("train", "test"):
        bair.write_records(tmp_path / "a" / part / "0.tfrecords", made[:2])
        bair.write_folder(tmp_path / "b" / part / "traj" / "0", *made[0])
    for folder in ("a", "b"):
        frames, condition = sequences.load("bair", tmp_path / folder).test[0].read()
        np.testing.assert_array_equal(frames, made[0][0])
        np.testing.assert_allclose(condition, made[0][1], rtol=1e-6)


def torn(folder):
    path = folder / "softmotion30_44k" / "train" / "traj_2_to_2.tfrecords"
    path.write_bytes(path.read_bytes()[:-1000])


def torn_header(folder):
    path = folder / "softmotion30_44k" / "test" / "traj_0_to_1.tfrecords"
    path.write_bytes(path.read_bytes() + b"123")


def no_example(folder):
    path = folder / "softmotion30_44k" / "train" / "traj_0_to_1.tfrecords"
    path.write_bytes(struct.pack("<Q", 3) + b"crc." + b"abc" + b"crc.")


def compressed_frames(folder):
    path = folder / "softmotion30_44k" / "train" / "traj_0_to_1.tfrecords"
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"JPEG"]))
    features = tf.train.Features(feature={"0/image_main/encoded": feature})
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(tf.train.Example(features=features).SerializeToString())


@pytest.mark.parametrize(
    "spoil, words",
    [
        (torn, "traj_2_to_2.tfrecords ends in the middle of record 0"),
        (torn_header, "traj_0_to_1.tfrecords ends in the middle of record 2"),
        (no_example, "is no tf.train.Example"),
        (compressed_frames, "frame 0 has 4 bytes, not 64·64·3"),
    ],
)
def test_records_that_are_not_as_they_should_be_are_refused(spoil, words, made, tmp_path):
    spoil(as_records(tmp_path, made))
    with pytest.raises(BadInput, match=words):
        sequences.load("bair", tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes among files")
@pytest.mark.parametrize(
    "layout, name",
    [
        (as_records, "softmotion30_44k/train/traj_0_to_1.tfrecords"),
        (as_folders, "train/traj_0/0/3.png"),
        (as_folders, "train/traj_0/0/actions.csv"),
    ],
)
def test_pipes_are_not_waited_for(layout, name, made, tmp_path):
    path = layout(tmp_path, made) / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(BadInput, match=f"{path} is no file"):
        sequences.load("bair", tmp_path)


def too_large(folder):
    os.truncate(folder / "train" / "traj_0" / "0" / "actions.csv", int(bair.MOST_TABLE) + 1)


def without(name):
    return lambda folder: (folder / "train" / "traj_0" / "0" / name).unlink()


def written(name, content):
    def spoil(folder):
        (folder / "train" / "traj_0" / "0" / name).write_text(content)

    return spoil


def small_frame(folder):
    path = folder / "train" / "traj_0" / "0" / "3.png"
    imageio.imwrite(path, np.zeros((32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    "spoil, words",
    [
        (without("3.png"), "lacks 3.png"),
        (without("actions.csv"), "lacks actions.csv"),
        (written("actions.csv", "1,2,3,4\n" * 3), "has 3 rows of 4 numbers, not 6 of 4"),
        (written("actions.csv", "1,2,3,4,5\n" * 6), "has 6 rows of 5 numbers, not 6 of 4"),
        (written("actions.csv", "x,y,z,g\n" * 6), "actions.csv is no table of numbers"),
        (written("actions.csv", "1,2,3,nan\n" * 6), "not all finite numbers"),
        (written("3.png", "no picture"), "3.png cannot be read"),
        (too_large, "actions.csv has 10 MB, and no such file has more than 10 MB"),
        (small_frame, r"3.png is \(32, 32, 3\) uint8, not \(64, 64, 3\)"),
    ],
)
def test_folders_that_are_not_as_they_should_be_are_refused(spoil, words, made, tmp_path):
    spoil(as_folders(tmp_path, made))
    with pytest.raises(BadInput, match=words):
        sequences.load("bair", tmp_path)


def test_a_folder_in_no_layout_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds no videos in a layout of BAIR's"):
        sequences.load("bair", tmp_path)
