from envs import recording, rollouts, truth
from vae import scenes

import numpy as np


def state(**given) -> truth.Truth:
    """100 steps on the middle of a straight road, but for what is given."""
    still = {name: np.zeros(100) for name in truth.NAMES}
    return truth.Truth(**still | {name: np.full(100, value) for name, value in given.items()})


def test_the_first_second_is_the_start_whatever_it_shows():
    kinds = scenes.kinds(state())
    assert kinds["start"].sum() == 50 and kinds["start"][:50].all()
    assert kinds["straight"][50:].all() and not kinds["straight"][:50].any()


def test_kinds_follow_from_the_truth():
    assert scenes.kinds(state(curvature=-0.02))["curve"][50:].all()
    assert scenes.kinds(state(offset=30.0))["grass"][50:].all()
    backwards = scenes.kinds(state(heading=3.0))
    assert not backwards["straight"].any() and not backwards["curve"].any()


def test_no_frame_has_two_kinds():
    rng = np.random.default_rng(0)
    spread = {"offset": 20, "heading": 2, "curvature": 0.03, "speed": 30}
    mixed = truth.Truth(**{name: rng.normal(0, size, 500) for name, size in spread.items()})
    assert sum(mask.astype(int) for mask in scenes.kinds(mixed).values()).max() == 1


def test_fixed_frames_are_the_same_each_time(tmp_path):
    for track in (5, 6):
        recording.record(tmp_path, track, "random", 120)
    paths = rollouts.paths(tmp_path)
    frames = scenes.fixed(paths)
    assert frames.dtype == np.uint8 and frames.shape[1:] == (64, 64, 3)
    assert 2 <= len(frames) <= 10
    assert np.array_equal(frames, scenes.fixed(paths))
