import os
import subprocess
import sys
import textwrap

from runs.arguments import BadInput
from runs.fitting import readable_errors
from vae import frames

import numpy as np
import pytest

LENGTHS = [5, 3, 8, 1, 9]


@pytest.fixture(scope="module")
def paths(tmp_path_factory, record):
    return record(tmp_path_factory.mktemp("episodes"), LENGTHS)


def keys(batch) -> list[bytes]:
    """Each made-up frame is one colour, which tells it from all others."""
    return [bytes(frame[0, 0]) for frame in np.asarray(batch)]


def all_frames(paths, episode) -> list[bytes]:
    return [k for i, steps in enumerate(LENGTHS) for k in keys(episode(steps, i).obs)]


def test_each_frame_comes_exactly_once(paths, episode):
    expected = all_frames(paths, episode)
    assert len(set(expected)) == sum(LENGTHS) == frames.count(paths)
    seen = [key for batch in frames.batches(paths, 2, (1, 0)) for key in keys(batch)]
    assert len(seen) == len(set(seen)) == 26
    assert set(seen) == set(expected)


def test_batches_are_bytes_of_the_asked_size_and_the_last_is_left_out(paths):
    batches = list(frames.batches(paths, 4, (1, 0)))
    assert [batch.shape for batch in batches] == [(4, 64, 64, 3)] * 6
    assert all(batch.dtype == "uint8" for batch in batches)


def test_fewer_frames_than_a_batch_make_one_batch(paths):
    [batch] = frames.batches(paths, 1000, (1, 0))
    assert batch.shape == (26, 64, 64, 3)


def test_a_stride_visits_one_of_so_many_frames_other_ones_each_time(paths, episode):
    def seen(epoch):
        return [key for batch in frames.batches(paths, 1, (1, epoch), 4) for key in keys(batch)]

    assert frames.count(paths, 4) == 1 + 1 + 2 + 1 + 2 == len(set(seen(0))) == len(seen(0))
    nine = keys(episode(9, 4).obs)
    places = {tuple(sorted(nine.index(key) for key in seen(n) if key in nine)) for n in range(20)}
    assert places == {(first, first + 4) for first in range(5)}
    assert set().union(*map(seen, range(40))) == set(all_frames(paths, episode))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_batches_another_does_not(paths):
    def order(*seed):
        return [key for batch in frames.batches(paths, 5, seed) for key in keys(batch)]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_episodes_are_mixed(paths, episode):
    first = keys(next(iter(frames.batches(paths, 13, (1, 0)))))
    own = [set(keys(episode(steps, i).obs)) for i, steps in enumerate(LENGTHS)]
    assert sum(any(key in frames_of for key in first) for frames_of in own) >= 3


@pytest.mark.parametrize("skipped", [1, 3, 5])
def test_skipping_batches_equals_going_on(paths, skipped):
    whole = [keys(batch) for batch in frames.batches(paths, 5, (1, 2))]
    rest = [keys(batch) for batch in frames.batches(paths, 5, (1, 2)).skip(skipped)]
    assert rest == whole[skipped:]


def test_in_order_gives_all_frames_in_their_order(paths, episode):
    batches = frames.in_order(paths, 4)
    assert len(batches) == 7
    assert [k for batch in batches for k in keys(batch)] == all_frames(paths, episode)


def test_an_episode_that_cannot_be_read_is_named(tmp_path, record):
    written = record(tmp_path, [3, 3])
    batches = frames.batches(written, 2, (1, 0))
    written[1].write_bytes(b"torn")
    with pytest.raises(BadInput, match=f"{written[1].name} cannot be read"), readable_errors():
        list(batches)


MEASURE = """
    import sys
    from pathlib import Path
    from vae import frames

    for folder in sys.argv[1:]:
        paths = sorted(Path(folder).glob("*.npz"))
        seen = sum(len(batch) for batch in frames.batches(paths, 50, (1, 0)))
        # Not ru_maxrss, which begins at the memory of the process that started this one.
        status = Path("/proc/self/status").read_text()
        print(seen, int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_episodes(tmp_path, record):
    """A process streams few, then many: its peak stays, for 120 MB of frames are on the disk.

    Both fill the shuffle buffer.
    """
    few, many = 32, 72
    steps = 250
    assert few * steps >= frames.SHUFFLED_FRAMES
    record(tmp_path / "one", [steps])
    folders = {tmp_path / "few": few, tmp_path / "many": many}
    for folder, count in folders.items():
        folder.mkdir()
        for number in range(count):
            os.link(tmp_path / "one" / "0000000000.npz", folder / f"{number:010d}.npz")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), *map(str, folders)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    (seen_few, memory_few), (seen_many, memory_many) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (seen_few, seen_many) == (few * steps, many * steps)
    more_frames = (many - few) * steps * 64 * 64 * 3
    assert memory_many - memory_few < more_frames / 4
