"""A kill at every moment of an evolution in dreams: `benchmarks/crash_sweep.py`, the smallest."""

from controller import arch
from controller.agent import Agent
from controller.dream.rollout import DreamRollout
from controller.dream.run import DreamRun, adopt
from controller.rollout import drive
from rnn.dream.dynamics import Dream
from runs.directory import ModelDirectory, locked
from settings.driving import TrainController
from tests.killing import kept_states

import pytest

SETTINGS = TrainController(
    dream=True, generations=2, population=4, rollouts=1, dream_steps=5, precision="float32"
)
TRACKS, STEPS = [1], 10


class Here:
    """Drives in this process, and every job only once."""

    workers = 1

    def __init__(self, agent: Agent):
        self.agent = agent
        self.known: dict[tuple, object] = {}

    def drive(self, jobs, stock, progress):
        for number, job in enumerate(jobs):
            key = job.parameters.tobytes(), job.track
            if key not in self.known:
                [(_, outcome)] = drive(self.agent, [(number, job)], 1, most_steps=STEPS)
                self.known[key] = outcome
        return [self.known[job.parameters.tobytes(), job.track] for job in jobs]


@pytest.fixture
def evolve(own_dreamer):
    """Evolve C in dreams of `own_dreamer`'s M, in a folder, as 05_train_controller.py does."""
    dreams = DreamRollout(Dream(own_dreamer, 1.15), SETTINGS.dream_steps)
    fleet = Here(Agent(own_dreamer, sees="zh"))

    def run(folder) -> None:
        target = ModelDirectory(folder)
        with locked(folder):
            adopt(own_dreamer, target)
            evolution = DreamRun(target, dreams, SETTINGS, arch.evolved_on(target, "zh"))
            for _ in range(evolution.learner.generation, SETTINGS.generations):
                evolution.generation(fleet, TRACKS)

    return run


@pytest.mark.slow
def test_whenever_it_is_killed_the_same_command_ends_as_if_nothing_had_been(evolve, load, tmp_path):
    compare, hook = load("benchmarks/crash_states.py"), load("benchmarks/crash/sitecustomize.py")
    (tmp_path / "whole").mkdir()
    states = kept_states(hook, tmp_path / "whole", tmp_path / "states", evolve)
    assert len(states) >= 20
    for state in states:
        resumed = tmp_path / f"resumed-{state.name}"
        compare.copy(state, resumed)
        evolve(resumed)
        assert compare.differences(tmp_path / "whole", resumed) == [], state
        assert compare.redone(tmp_path / "whole", resumed, {}) == [], state
