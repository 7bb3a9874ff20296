import os
import signal
import sys
import textwrap

from controller import arch, rollout
from controller.agent import Agent
from controller.rollout import Job
from runs.arguments import BadInput

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


def standing(agent) -> np.ndarray:
    """A policy that only brakes."""
    parameters = np.zeros(arch.size(agent.features))
    parameters[-3:] = [0, -50, 50]
    return parameters


@pytest.fixture(scope="module")
def one_at_a_time(agent, jobs):
    return drive(agent, jobs, worlds=1, patience=20, most_steps=60)


def test_episodes_differ(one_at_a_time):
    assert len({outcome.score for outcome in one_at_a_time}) > 1
    assert len({outcome.steps for outcome in one_at_a_time}) > 1


@pytest.mark.parametrize("worlds", [2, 3, 5, 64])
def test_many_worlds_and_refilled_ones_give_what_one_at_a_time_gives(
    agent, jobs, one_at_a_time, worlds
):
    assert drive(agent, jobs, worlds, patience=20, most_steps=60) == one_at_a_time


def test_no_jobs(agent):
    assert drive(agent, []) == []


def test_an_episode_is_what_stock_car_racing_gives_for_its_actions(agent, policies):
    """The same track, the same actions: the same rewards, to the last bit."""
    actions, rewards = [], []

    def watch(number, frame, action, reward, done, env):
        actions.append(action)
        rewards.append(reward)

    [outcome] = drive(agent, [Job(policies[0], 12)], most_steps=60, watch=watch)
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
    rewards = []

    def watch(number, frame, action, reward, done, env):
        rewards.append(reward)

    [outcome] = drive(agent, [Job(standing(agent), 1)], patience=patience, watch=watch)
    last_tile = max(step for step, reward in enumerate([1, *rewards]) if reward > 0)
    assert outcome.steps == len(rewards) == last_tile + patience


def test_without_patience_a_standing_car_stands_for_1000_steps(agent):
    [outcome] = drive(agent, [Job(standing(agent), 1)])
    assert outcome.steps == 1000 and not outcome.lap


def test_most_steps_end_an_episode(agent, jobs):
    assert [outcome.steps for outcome in drive(agent, jobs[:2], most_steps=4)] == [4, 4]


def test_actions_may_be_perturbed(agent, jobs):
    done = {}

    def perturb(number, action):
        return np.array([0, number, 0], np.float32)

    def watch(number, frame, action, reward, ended, env):
        done.setdefault(number, []).append(action.tolist())

    drive(agent, jobs[:2], most_steps=2, perturb=perturb, watch=watch)
    assert done == {0: [[0, 0, 0]] * 2, 1: [[0, 1, 0]] * 2}


def test_a_frame_is_watched_with_the_action_done_on_seeing_it(agent, jobs):
    seen = []

    def watch(number, frame, action, reward, done, env):
        seen.append(frame)

    drive(agent, jobs[:1], most_steps=3, watch=watch)
    env = rollout.training_env()
    assert np.array_equal(seen[0], env.reset(seed=jobs[0].track)[0])
    env.close()


def test_a_fleet_drives_as_one_process_does_even_when_a_worker_is_killed(model, agent, policies):
    jobs = [Job(policy, track) for track in range(20, 32) for policy in policies]
    expected = drive(agent, jobs, 8, patience=40)
    killed = []

    with rollout.Fleet(model, "float32", workers=2, worlds=3) as fleet:

        def kill_one(finished: int) -> None:
            if finished and not killed:
                killed.append(next(iter(fleet._pool._executor._processes)))
                os.kill(killed[0], signal.SIGKILL)

        assert fleet.drive(jobs, patience=40, progress=kill_one) == expected
        assert killed
        assert fleet.drive(jobs[:3], patience=40) == expected[:3]


def test_episodes_that_workers_die_of_are_given_up(model, policies, tmp_path, monkeypatch):
    """A track that kills the process which looks at it, as one would that takes all memory."""
    program = """
        import os
        import signal


        class DeadlyJob:
            def __init__(self, parameters):
                self.parameters = parameters

            @property
            def track(self):
                os.kill(os.getpid(), signal.SIGKILL)
    """
    (tmp_path / "deadly_job.py").write_text(textwrap.dedent(program))
    monkeypatch.syspath_prepend(tmp_path)
    import deadly_job

    with (
        rollout.Fleet(model, "float32", workers=1, worlds=1) as fleet,
        pytest.raises(BadInput, match="Worker processes died"),
    ):
        fleet.drive([deadly_job.DeadlyJob(policies[0])])
    del sys.modules["deadly_job"]
