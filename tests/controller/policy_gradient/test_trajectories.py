import dataclasses

from controller import arch, rollout
from controller.agent import Agent
from controller.policy_gradient.trajectories import (
    ActionNoise,
    Trajectory,
    TrajectoryFleet,
    TrajectoryRecorder,
)
from controller.rollout import Job, World
from runs.workplace import Workplace

import numpy as np
import pytest

TRACKS = [11, 12, 13]
NONE = ActionNoise((0.0, 0.0, 0.0), 0.9)
SOME = ActionNoise((0.3, 0.2, 0.05), 0.9)


@pytest.fixture(scope="module")
def agent(model) -> Agent:
    return Agent(model)


def collect(agent, parameters, tracks, noise, patience) -> list[Trajectory]:
    """Drive all tracks together."""
    recorder = TrajectoryRecorder(noise)
    jobs = enumerate(Job(parameters, track) for track in tracks)
    driven = rollout.drive(agent, jobs, len(tracks), patience, recorder=recorder)
    kept = {number: recorder.take(number) for number, _ in driven}
    return [kept[number] for number in range(len(tracks))]


def same(one: Trajectory, other: Trajectory) -> bool:
    pairs = zip(dataclasses.astuple(one), dataclasses.astuple(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_noise_is_correlated_and_keeps_its_sd():
    rngs = [np.random.default_rng(seed) for seed in range(4000)]
    noise = ActionNoise((0.5, 1.0, 2.0), 0.8)

    def following(before) -> np.ndarray:
        pairs = zip(before, rngs, strict=True)
        return np.stack([noise.next(pushed, rng) for pushed, rng in pairs])

    first = following([None] * len(rngs))
    later = first
    for _ in range(5):
        before, later = later, following(later)
    for drawn in (first, later):
        np.testing.assert_allclose(drawn.std(0), [0.5, 1, 2], rtol=0.05)
    assert np.corrcoef(before[:, 0], later[:, 0])[0, 1] == pytest.approx(0.8, abs=0.03)
    assert np.corrcoef(later[:, 0], later[:, 1])[0, 1] == pytest.approx(0, abs=0.05)


@pytest.mark.slow
def test_without_noise_it_drives_as_everybody_does(agent, policies):
    trajectories = collect(agent, policies[0], TRACKS, NONE, 15)
    jobs = [Job(policies[0], track) for track in TRACKS]
    outcomes = dict(rollout.drive(agent, enumerate(jobs), 3, 15))
    for number, trajectory in enumerate(trajectories):
        assert len(trajectory.rewards) == outcomes[number].steps
        assert trajectory.score == pytest.approx(outcomes[number].score, rel=1e-5)
        assert trajectory.features.shape == (len(trajectory.rewards), agent.features)
        # C's memory is empty at the start, and not after.
        assert not trajectory.features[0, 32:].any() and trajectory.features[1, 32:].any()


@pytest.mark.slow
def test_a_trajectory_says_what_gave_its_actions(agent, policies):
    """Raw actions from features, policy and noise, driven again: the same rewards."""
    [trajectory] = collect(agent, policies[0], TRACKS[:1], SOME, 15)
    kernel, bias = arch.unpack(policies[:1])
    actions = arch.squash(trajectory.features @ kernel[0] + bias[0] + trajectory.noise).numpy()
    world = World.begin(0, rollout.training_env(), TRACKS[0])
    for step, action in enumerate(actions):
        assert trajectory.progress[step, 0] == pytest.approx(world.tiles)
        assert trajectory.progress[step, 1] == pytest.approx(step / 1000)
        world.step(action)
        assert trajectory.rewards[step] == pytest.approx(world.reward, rel=1e-5)
        assert trajectory.wheels_in_grass[step] == world.wheels_in_grass
        assert trajectory.missed_tiles[: step + 1].sum() == world.missed
    world.env.close()
    assert np.abs(np.diff(trajectory.noise[:, 0])).mean() < 0.3


@pytest.mark.usefixtures("ready_workers")
def test_what_a_track_gives_does_not_depend_on_the_others_nor_on_who_drives(agent, model, policies):
    together = collect(agent, policies[1], TRACKS, SOME, 10)
    for track, trajectory in zip(TRACKS, together, strict=True):
        [alone] = collect(agent, policies[1], [track], SOME, 10)
        assert same(alone, trajectory)
    with TrajectoryFleet(model, "float32", Workplace(2), worlds=2) as fleet:
        spread = fleet.collect(policies[1], TRACKS, SOME, 10)
    assert all(map(same, spread, together))


def test_a_car_in_the_grass_has_its_wheels_there_and_has_missed_the_tiles_it_passed():
    world = World.begin(0, rollout.training_env(), 12)
    assert world.missed == 0
    for _ in range(10):
        world.step(np.array([0, 0, 0], np.float32))
    assert world.wheels_in_grass == 0 and world.missed == 0
    track = world.env.unwrapped
    x, y = track.track[10][2:4]
    # Beside the road, ten tiles ahead, and then on it.
    across = np.array([np.cos(track.track[10][1]), np.sin(track.track[10][1])])
    moved = np.array([x, y]) + 20 * across - np.array(track.car.hull.position)
    _put(track.car, moved)
    world.step(np.zeros(3, np.float32))
    world.step(np.zeros(3, np.float32))
    assert world.wheels_in_grass == 4
    visited = track.tile_visited_count
    _put(track.car, np.array([x, y]) - np.array(track.car.hull.position))
    for _ in range(3):
        world.step(np.zeros(3, np.float32))
    assert world.wheels_in_grass < 4
    foremost = world.info["foremost_tile"]
    assert foremost >= 9 and world.missed == foremost + 1 - track.tile_visited_count
    assert track.tile_visited_count > visited and world.missed > 3
    world.env.close()


def _put(car, by: np.ndarray) -> None:
    """Move a car, and let it stand."""
    for body in [car.hull, *car.wheels]:
        body.position = (body.position[0] + by[0], body.position[1] + by[1])
        body.linearVelocity = (0, 0)
        body.angularVelocity = 0
