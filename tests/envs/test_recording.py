import envs
from envs import policies, recording, rollouts

import gymnasium
import numpy as np
from gymnasium.envs.box2d import car_racing


def test_a_recording_is_the_episode_that_its_actions_drive(tmp_path):
    track, steps = 4, 25
    assert recording.record(tmp_path, track, "random", steps) == steps
    recorded = rollouts.read(rollouts.path_of(tmp_path, track))
    actions = policies.random(np.random.default_rng((track, 1)))

    env = gymnasium.make("WorldModels/CarRacing-v0")
    frame, _ = env.reset(seed=track)
    for step in range(steps):
        assert np.array_equal(recorded.obs[step], frame), step
        assert np.array_equal(recorded.action[step], next(actions)), step
        frame, reward, terminated, _, _ = env.step(recorded.action[step])
        assert recorded.reward[step] == np.float32(reward), step
        assert recorded.done[step] == terminated, step
    env.close()
    assert recorded.reward.max() > 0, "a car at full gas reaches a tile"


def test_the_same_track_gives_the_same_file(tmp_path):
    for name in ("a", "b"):
        recording.record(tmp_path / name, 5, "brownian", 6)
    one, other = (rollouts.path_of(tmp_path / name, 5).read_bytes() for name in ("a", "b"))
    assert one == other


def test_a_recording_ends_where_the_world_ends_the_episode(tmp_path, monkeypatch):
    def flat_out(rng):
        while True:
            yield np.array([0, 1, 0], np.float32)

    # A smaller playfield, which a car that never turns leaves before its time is up.
    monkeypatch.setattr(car_racing, "PLAYFIELD", 220)
    monkeypatch.setitem(policies.POLICIES, "flat out", flat_out)
    length = recording.record(tmp_path, 1, "flat out", 1000)
    episode = rollouts.read(rollouts.path_of(tmp_path, 1))
    assert length == len(episode) < 1000
    assert episode.done[-1] and not episode.done[:-1].any()
    assert episode.reward[-1] < -90


def test_a_recording_cut_short_by_the_clock_is_not_done(tmp_path, monkeypatch):
    def stay(rng):
        while True:
            yield np.array([0, 0, 1], np.float32)

    monkeypatch.setitem(policies.POLICIES, "stay", stay)
    assert recording.record(tmp_path, 1, "stay", 2000) == envs.MAX_STEPS == 1000
    assert not rollouts.read(rollouts.path_of(tmp_path, 1)).done.any()
