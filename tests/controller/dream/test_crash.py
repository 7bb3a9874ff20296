"""A kill at every moment of an evolution in dreams: `benchmarks/crash_sweep.py`, the smallest."""

import os

from controller import arch
from controller.agent import Agent
from controller.dream.rollout import DreamRollout
from controller.dream.run import DreamRun, adopt
from controller.rollout import drive
from rnn.dream.dynamics import Dream
from runs.directory import ModelDirectory, locked
from settings.driving import TrainController

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


@pytest.fixture
def kept_states(load, monkeypatch, tmp_path):
    """`kept_states(folder, work)`: do the work; copies of the folder, of every moment of it."""
    hook = load("benchmarks/crash/sitecustomize.py")

    def watch(folder, work) -> list:
        states = tmp_path / "states"
        states.mkdir()
        monkeypatch.setattr(hook, "FOLDER", str(folder))
        monkeypatch.setattr(hook, "STATES", str(states))
        with monkeypatch.context() as patched:
            for name in ("replace", "unlink"):
                patched.setattr(os, name, before(name, getattr(os, name)))
            work(folder)
        return sorted(path for path in states.iterdir() if path.is_dir())

    def before(name, change):
        def keep_and_change(path, *others, **more):
            hook.keep_state(name, str(path))
            return change(path, *others, **more)

        return keep_and_change

    return watch


@pytest.mark.slow
def test_whenever_it_is_killed_the_same_command_ends_as_if_nothing_had_been(
    evolve, kept_states, load, tmp_path
):
    compare = load("benchmarks/crash_states.py")
    (tmp_path / "whole").mkdir()
    states = kept_states(tmp_path / "whole", evolve)
    assert len(states) > 20
    for state in states:
        resumed = tmp_path / f"resumed-{state.name}"
        compare.copy(state, resumed)
        evolve(resumed)
        assert compare.differences(tmp_path / "whole", resumed) == [], state
