from controller import arch, rollout
from controller.agent import Agent
from controller.rollout import Job, Recorder

import gymnasium
import numpy as np
import pytest

TRACKS = [11, 12, 13, 14, 15]


@pytest.fixture(scope="module")
def agent(model) -> Agent:
    return Agent(model)


@pytest.fixture(scope="module")
def jobs(policies) -> list[Job]:
    return [Job(policy, track) for policy, track in zip(policies, TRACKS, strict=True)]


def drive(agent, jobs, worlds=3, **options) -> list[rollout.Outcome]:
    outcomes = dict(rollout.drive(agent, enumerate(jobs), worlds, **options))
    return [outcomes[number] for number in range(len(jobs))]


class FrameRecorder(Recorder):
    """Keeps the frames, actions and rewards of every job's steps."""

    def __init__(self):
        self.steps = {}

    def step(self, world, frame, action, done):
        self.steps.setdefault(world.number, []).append((frame, action, world.reward))


def standing(agent) -> np.ndarray:
    """A policy that only brakes."""
    parameters = np.zeros(arch.size(agent.features))
    parameters[-3:] = [0, -50, 50]
    return parameters


@pytest.fixture(scope="module")
def one_at_a_time(agent, jobs):
    return drive(agent, jobs, worlds=1, patience=20, most_steps=60)


@pytest.mark.slow
def test_episodes_differ(one_at_a_time):
    assert len({outcome.score for outcome in one_at_a_time}) > 1
    assert len({outcome.steps for outcome in one_at_a_time}) > 1


@pytest.mark.slow
@pytest.mark.parametrize("worlds", [2, 3, 5, 64])
def test_many_worlds_and_refilled_ones_give_what_one_at_a_time_gives(
    agent, jobs, one_at_a_time, worlds
):
    assert drive(agent, jobs, worlds, patience=20, most_steps=60) == one_at_a_time


def test_no_jobs(agent):
    assert drive(agent, []) == []


@pytest.mark.slow
def test_an_episode_is_what_stock_car_racing_gives_for_its_actions(agent, policies):
    """The same track, the same actions: the same rewards, to the last bit."""
    seen = FrameRecorder()
    [outcome] = drive(agent, [Job(policies[0], 12)], most_steps=60, recorder=seen)
    _, actions, rewards = map(list, zip(*seen.steps[0], strict=True))
    stock = gymnasium.make("CarRacing-v3")
    stock.reset(seed=12)
    again = [stock.step(action)[1] for action in actions]
    assert rewards == again
    assert outcome.score == sum(rewards) and outcome.steps == 60
    visited = stock.unwrapped.tile_visited_count / len(stock.unwrapped.track)
    assert outcome.tiles == visited > 0 and not outcome.lap
    stock.close()


def test_stock_frames_are_those_of_the_world_it_is_trained_in(agent):
    stock, fast = rollout.stock_env(), rollout.training_env()
    one, other = stock.reset(seed=3)[0], fast.reset(seed=3)[0]
    assert one.shape == other.shape == (64, 64, 3) and one.dtype == other.dtype == np.uint8
    assert np.abs(one.astype(int) - other).mean() < 3
    stock.close()
    fast.close()


@pytest.mark.parametrize("patience", [3, 10])
def test_patience_ends_an_episode_so_many_steps_after_its_last_new_tile(agent, patience):
    seen = FrameRecorder()
    [outcome] = drive(agent, [Job(standing(agent), 1)], patience=patience, recorder=seen)
    rewards = [reward for _, _, reward in seen.steps[0]]
    last_tile = max(step for step, reward in enumerate([1, *rewards]) if reward > 0)
    assert outcome.steps == len(rewards) == last_tile + patience


@pytest.mark.slow
def test_without_patience_a_standing_car_stands_for_1000_steps(agent):
    [outcome] = drive(agent, [Job(standing(agent), 1)])
    assert outcome.steps == 1000 and not outcome.lap


def test_most_steps_end_an_episode(agent, jobs):
    assert [outcome.steps for outcome in drive(agent, jobs[:2], most_steps=4)] == [4, 4]


def test_a_recorder_may_act_in_place_of_the_agent(agent, jobs):
    class Own(FrameRecorder):
        def act(self, world, features, action):
            return np.array([0, world.number, 0], np.float32)

    own = Own()
    drive(agent, jobs[:2], most_steps=2, recorder=own)
    done = {job: [action.tolist() for _, action, _ in steps] for job, steps in own.steps.items()}
    assert done == {0: [[0, 0, 0]] * 2, 1: [[0, 1, 0]] * 2}


def test_a_recorder_may_add_noise_before_actions_are_squashed(agent, policies):
    class Pushed(FrameRecorder):
        def noise(self, worlds):
            return np.full((len(worlds), 3), 50.0)

    pushed = Pushed()
    drive(agent, [Job(policies[0], 12)], most_steps=1, recorder=pushed)
    assert pushed.steps[0][0][1].tolist() == [1, 1, 1]


def test_a_frame_is_watched_with_the_action_done_on_seeing_it(agent, jobs):
    seen = FrameRecorder()
    drive(agent, jobs[:1], most_steps=3, recorder=seen)
    env = rollout.training_env()
    assert np.array_equal(seen.steps[0][0][0], env.reset(seed=jobs[0].track)[0])
    env.close()
