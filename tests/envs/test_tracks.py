import itertools

from envs import tracks
from runs.arguments import LARGEST_SEED, BadInput

import pytest


def test_recording_takes_tracks_in_a_row():
    assert tracks.recording(1, "random", 3) == [1_000_000, 1_000_001, 1_000_002]
    assert tracks.recording(1, "brownian", 2, first=5) == [1_100_005, 1_100_006]


def test_more_episodes_begin_with_the_same_tracks():
    assert tracks.recording(2, "agent", 9)[:4] == tracks.recording(2, "agent", 4)


def test_no_two_uses_share_a_track():
    blocks = [
        tracks.recording(seed, policy, tracks.RECORDING_BLOCK)
        for seed in (0, 1, LARGEST_SEED)
        for policy in tracks.RECORDING
    ]
    blocks += [[t for g in range(50) for t in tracks.evolution(s, g, 16)] for s in (0, 999)]
    blocks += [tracks.validation(1000), tracks.evaluation(tracks.MOST_EVALUATION_TRACKS)]
    spans = sorted((min(block), max(block)) for block in blocks)
    assert all(one[1] < next_one[0] for one, next_one in itertools.pairwise(spans))
    assert spans[-1][1] < 2**31


def test_a_policy_has_only_so_many_tracks():
    with pytest.raises(BadInput, match="100000 tracks"):
        tracks.recording(1, "random", tracks.RECORDING_BLOCK + 1)


def test_each_generation_has_its_own_tracks():
    first, second = tracks.evolution(1, 0, 4), tracks.evolution(1, 1, 4)
    assert first == [1_500_000, 1_500_001, 1_500_002, 1_500_003]
    assert second == [1_500_004, 1_500_005, 1_500_006, 1_500_007]


@pytest.mark.parametrize("generation", [0, 124_999, 125_000, 10**6])
def test_evolution_never_leaves_its_block(generation):
    for track in tracks.evolution(1, generation, 4):
        assert 1_500_000 <= track < 2_000_000


def test_evaluation_tracks_are_refused_for_training():
    tracks.refuse_evaluation([0, tracks.EVALUATION - 1])
    for track in (tracks.EVALUATION, tracks.EVALUATION + 99):
        with pytest.raises(BadInput, match=f"Track {track} is kept for evaluation"):
            tracks.refuse_evaluation([1, track])


def test_there_are_only_so_many_evaluation_tracks():
    with pytest.raises(BadInput, match="100000 evaluation tracks"):
        tracks.evaluation(tracks.MOST_EVALUATION_TRACKS + 1)


def test_scores_may_begin_at_another_evaluation_track():
    first = tracks.EVALUATION + 100
    assert tracks.evaluation(3, first) == [first, first + 1, first + 2]
    with pytest.raises(BadInput, match="100000 evaluation tracks"):
        tracks.evaluation(2, tracks.EVALUATION + tracks.MOST_EVALUATION_TRACKS - 1)
    with pytest.raises(BadInput):
        tracks.evaluation(1, tracks.EVALUATION - 1)
