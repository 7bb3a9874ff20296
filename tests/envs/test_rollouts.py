import dataclasses
import hashlib
import os
import subprocess
import sys
import textwrap
import zipfile

from envs import rollouts, tracks
from runs.arguments import BadInput

import numpy as np
import pytest


def test_an_episode_comes_back_as_it_was(tmp_path, episode):
    written = episode(7)
    rollouts.write(tmp_path / "0000000001.npz", written)
    read = rollouts.read(tmp_path / "0000000001.npz")
    assert len(read) == 7
    for name in rollouts.LAYOUT:
        one, other = getattr(written, name), getattr(read, name)
        assert one.dtype == other.dtype and np.array_equal(one, other), name


def test_numpy_alone_reads_it(tmp_path, episode):
    path = tmp_path / "0000000001.npz"
    rollouts.write(path, episode(3))
    with np.load(path) as arrays:
        assert {name: (a.shape, a.dtype.name) for name, a in arrays.items()} == {
            "obs": ((3, 64, 64, 3), "uint8"),
            "action": ((3, 3), "float32"),
            "reward": ((3,), "float32"),
            "done": ((3,), "bool"),
        }


def test_the_same_episode_gives_the_same_bytes(tmp_path, episode):
    digests = set()
    for name in ("a.npz", "b.npz"):
        rollouts.write(tmp_path / name, episode(5, 3))
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_length_reads_no_frames(tmp_path, episode):
    path = tmp_path / "0000000001.npz"
    rollouts.write(path, episode(9))
    assert rollouts.length(path) == 9
    damage_frames(path)
    assert rollouts.length(path) == 9
    with pytest.raises(BadInput, match="0000000001.npz cannot be read.*remove it"):
        rollouts.read(path)


@pytest.mark.parametrize(
    "steps, patience, ended, cut",
    [
        (6, 1000, False, False),  # as long as asked for
        (7, 1000, False, True),
        (7, 1000, True, False),  # by the world
        (7, 4, False, False),  # no tile in the last four steps
        (7, 5, False, True),
    ],
)
def test_an_episode_was_cut_where_nothing_else_ended_it(
    tmp_path, episode, steps, patience, ended, cut
):
    reward = np.array([-0.1, 3.2, -0.1, -0.1, -0.1, -0.1], np.float32)
    done = np.array([False] * 5 + [ended])
    path = tmp_path / "0.npz"
    rollouts.write(path, dataclasses.replace(episode(6), reward=reward, done=done))
    assert rollouts.was_cut(path, steps, patience) == cut


def damage_frames(path) -> None:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("obs.npy")
        middle = info.header_offset + 200 + info.compress_size // 2
    with open(path, "r+b") as file:
        file.seek(middle)
        file.write(bytes(8))


def changed(name: str, value: np.ndarray) -> dict:
    arrays = dataclasses.asdict(make())
    arrays[name] = value
    return arrays


def make(steps: int = 4) -> rollouts.Episode:
    return rollouts.Episode(
        np.zeros((steps, 64, 64, 3), np.uint8),
        np.zeros((steps, 3), np.float32),
        np.zeros(steps, np.float32),
        np.zeros(steps, np.bool_),
    )


BAD_ARRAYS = {
    "frames of another size": ("obs", np.zeros((4, 96, 96, 3), np.uint8)),
    "float frames": ("obs", np.zeros((4, 64, 64, 3), np.float32)),
    "one frame": ("obs", np.zeros((64, 64, 3), np.uint8)),
    "two numbers per action": ("action", np.zeros((4, 2), np.float32)),
    "double actions": ("action", np.zeros((4, 3), np.float64)),
    "a scalar reward": ("reward", np.float32(1)),
    "whole numbers for done": ("done", np.zeros(4, np.int64)),
    "rewards of another length": ("reward", np.zeros(5, np.float32)),
}


@pytest.mark.parametrize("name, value", BAD_ARRAYS.values(), ids=BAD_ARRAYS)
@pytest.mark.parametrize("reader", [rollouts.read, rollouts.length])
def test_wrong_arrays_are_refused(tmp_path, reader, name, value):
    path = tmp_path / "0000000001.npz"
    np.savez(path, **changed(name, value))
    refused(reader, path)


def refused(reader, path) -> None:
    with pytest.raises(BadInput) as problem:
        reader(path)
    sentence = str(problem.value)
    assert str(path) in sentence and "remove it" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("reader", [rollouts.read, rollouts.length])
def test_a_missing_array_is_named(tmp_path, reader):
    path = tmp_path / "0000000001.npz"
    arrays = dataclasses.asdict(make())
    del arrays["reward"]
    np.savez(path, **arrays)
    with pytest.raises(BadInput, match="0000000001.npz lacks an array .*reward"):
        reader(path)


@pytest.mark.parametrize("reader", [rollouts.read, rollouts.length])
def test_an_episode_without_steps_is_refused(tmp_path, reader):
    path = tmp_path / "0000000001.npz"
    np.savez(path, **dataclasses.asdict(make(0)))
    refused(reader, path)


@pytest.mark.parametrize("reader", [rollouts.read, rollouts.length])
def test_pickled_objects_are_refused_and_not_loaded(tmp_path, reader):
    path = tmp_path / "0000000001.npz"
    bomb = np.array([Bomb()] * 4, dtype=object)
    np.savez(path, **changed("reward", bomb))
    refused(reader, path)
    assert "WENT_OFF" not in os.environ


class Bomb:
    def __reduce__(self):
        return exec, ("import os; os.environ['WENT_OFF'] = '1'",)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("reader", [rollouts.read, rollouts.length])
def test_a_file_of_another_kind_is_refused(tmp_path, reader, content):
    path = tmp_path / "0000000001.npz"
    path.write_bytes(content)
    refused(reader, path)


@pytest.mark.parametrize("reader", [rollouts.read, rollouts.length])
def test_an_npy_is_no_npz(tmp_path, reader):
    path = tmp_path / "0000000001.npz"
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    refused(reader, path)


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    refused(rollouts.read, tmp_path / "0000000001.npz")
    refused(rollouts.read, tmp_path)


def test_a_file_cut_anywhere_is_refused(tmp_path, episode):
    path = tmp_path / "0000000001.npz"
    rollouts.write(path, episode(4))
    whole = path.read_bytes()
    for size in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:size])
        refused(rollouts.read, path)


@pytest.mark.slow
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path, episode):
    path = tmp_path / "0000000001.npz"
    written = episode(4)
    rollouts.write(path, written)
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    # Headers and small arrays lie at the end.
    places = [
        *rng.integers(len(whole), size=250),
        *rng.integers(len(whole) - 2000, len(whole), 250),
    ]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            read = rollouts.read(path)
        except BadInput as problem:
            assert str(path) in str(problem)
        else:
            assert all(
                np.array_equal(getattr(read, name), getattr(written, name))
                for name in rollouts.LAYOUT
            )


def test_a_kill_in_the_middle_of_writing_leaves_no_episode(tmp_path):
    program = f"""
        import os, signal, zipfile
        from envs import rollouts
        import numpy as np

        wrote = np.lib.format.write_array
        def write_and_die(file, array, **options):
            wrote(file, array, **options)
            if array.ndim == 1:
                os.kill(os.getpid(), signal.SIGKILL)
        np.lib.format.write_array = write_and_die

        rollouts.write({str(tmp_path)!r} + "/0000000001.npz", rollouts.Episode(
            np.zeros((3, 64, 64, 3), np.uint8), np.zeros((3, 3), np.float32),
            np.zeros(3, np.float32), np.zeros(3, bool)))
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], env=environment)
    assert done.returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(BadInput, match="holds no episodes"):
        rollouts.paths(tmp_path)


def test_a_track_names_its_file_and_back(tmp_path):
    path = rollouts.path_of(tmp_path, 1_000_007)
    assert path.name == "0001000007.npz"
    assert rollouts.track_of(path) == 1_000_007
    with pytest.raises(BadInput, match="not named by its track"):
        rollouts.track_of(tmp_path / "7 of mine.npz")


def test_paths_come_in_the_order_of_their_tracks(tmp_path, record):
    for number in (11, 2, 300):
        record(tmp_path, [1], number)
    (tmp_path / "notes.txt").write_text("")
    assert [rollouts.track_of(path) for path in rollouts.paths(tmp_path)] == [2, 11, 300]


def test_an_empty_or_missing_directory_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BadInput, match="holds no episodes"):
            rollouts.paths(folder)


def test_an_evaluation_track_among_the_recordings_is_refused(tmp_path, record):
    record(tmp_path, [1, 1])
    record(tmp_path, [1], tracks.EVALUATION + 4)
    with pytest.raises(BadInput, match="Track 2000000004 is kept for evaluation"):
        rollouts.paths(tmp_path)


def test_every_tenth_episode_is_held_out():
    found = list(range(35))
    training, validation = rollouts.split(found)
    assert validation == [9, 19, 29]
    assert sorted(training + validation) == found


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_of_a_few_episodes_the_last_is_held_out(count):
    training, validation = rollouts.split(list(range(count)))
    assert validation == [count - 1]
    assert training == list(range(max(1, count - 1)))


def test_the_fingerprint_follows_the_files(tmp_path, record):
    found = record(tmp_path, [2, 3])
    before = rollouts.fingerprint(found)
    assert rollouts.fingerprint(list(found)) == before
    assert rollouts.fingerprint(found[:1]) != before
    rollouts.write(found[1], make(9))
    assert rollouts.fingerprint(found) != before


@pytest.mark.slow
def test_a_file_that_unpacks_to_more_than_an_episode_is_refused_unread(tmp_path):
    path = tmp_path / "7.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("obs.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(21):
            member.write(bytes(100_000_000))
    assert path.stat().st_size < 20e6
    with pytest.raises(BadInput, match=r"would take 2\.1 GB unpacked"):
        rollouts.read(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rewards_that_are_no_numbers_are_refused(tmp_path, bad):
    path = tmp_path / "7.npz"
    steps = 3
    rollouts.write(
        path,
        rollouts.Episode(
            obs=np.zeros((steps, 64, 64, 3), np.uint8),
            action=np.zeros((steps, 3), np.float32),
            reward=np.array([0, bad, 0], np.float32),
            done=np.zeros(steps, bool),
        ),
    )
    with pytest.raises(BadInput, match="reward is not all finite numbers"):
        rollouts.read(path)
