from envs import rollouts
from rnn.video import sequences
from runs.arguments import BadInput

import numpy as np
import pytest


@pytest.fixture(scope="module")
def videos(squares) -> sequences.Videos:
    return sequences.load("carracing", squares / "rollout")


def test_a_recording_begins_where_the_camera_has_come_down(videos, squares):
    assert (len(videos.learned), len(videos.held_out), videos.condition) == (9, 1, 3)
    frames, condition = videos.held_out[0].read()
    episode = rollouts.read(rollouts.path_of(squares / "rollout", 10))
    assert videos.held_out[0].length == len(frames) == 40
    np.testing.assert_array_equal(frames, episode.obs[50:])
    np.testing.assert_array_equal(condition, episode.action[50:])


def batch_list(videos, seed):
    made = sequences.batches(videos.learned, frames=5, batch_size=4, count=3, seed=(seed, 0))
    return [{name: part.numpy() for name, part in batch.items()} for batch in made]


@pytest.mark.slow
def test_batches_are_stretches_of_videos_and_follow_from_the_seed(videos):
    found, again, other = batch_list(videos, 1), batch_list(videos, 1), batch_list(videos, 2)
    assert len(found) == 3
    everything = [video.read() for video in videos.learned]
    for batch, same in zip(found, again, strict=True):
        assert batch["frames"].shape == (4, 5, 64, 64, 3)
        for name in ("frames", "condition"):
            np.testing.assert_array_equal(batch[name], same[name])
        for frames, condition in zip(batch["frames"], batch["condition"], strict=True):
            assert any(
                np.array_equal(frames, obs[t : t + 5])
                and np.array_equal(condition, action[t : t + 5])
                for obs, action in everything
                for t in range(36)
            )
    assert not np.array_equal(found[0]["frames"], other[0]["frames"])


def test_videos_that_are_too_short_are_left_out_and_none_left_is_refused(videos, record, tmp_path):
    record(tmp_path, [80, 60])
    mixed = sequences.load("carracing", tmp_path)
    lengths = [video.length for video in mixed.learned + mixed.held_out]
    assert sorted(lengths) == [10, 30]
    kept = sequences.long_enough(mixed.learned + mixed.held_out, 20)
    assert [video.length for video in kept] == [30]
    with pytest.raises(BadInput, match="31 frames are needed.*the longest has 30"):
        sequences.long_enough(mixed.learned + mixed.held_out, 31)
