from controller.report import coverage
from envs import recording, rollouts

import gymnasium
import numpy as np
import pytest

STEPS = 80


def test_driving_again_reaches_the_tiles_of_the_recording(tmp_path):
    recording.record(tmp_path, 7, "random", STEPS)
    path = rollouts.path_of(tmp_path, 7)
    world = gymnasium.make("WorldModels/CarRacing-v0")
    world.reset(seed=7)
    tiles = len(world.unwrapped.track)
    reward = rollouts.read(path).reward
    reached = round((reward[reward > 0] + 0.1).sum() * tiles / 1000)
    found = coverage.of([path])
    assert found.tiles == pytest.approx(reached / tiles)
    # It began with 20 steps of full gas: not all steps are at the lowest speed.
    assert found.speeds.sum() == STEPS and found.speeds[0] < STEPS


def test_a_speed_is_seen_after_a_second_of_it():
    steps = np.array([49, 50, 0, 2000])
    assert coverage.share_of_speeds(steps) == 0.5
