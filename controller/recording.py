"""Record episodes driven by a trained agent, with exploration: M sees more than one habit."""

from collections.abc import Callable
from pathlib import Path

from controller import arch, rollout, sharing
from controller.agent import Agent
from controller.exploration import ActionBursts, HeldNoise
from envs import rollouts
from envs.recording import EpisodeLog
from runs import delivery, preparation, progress
from runs.directory import ModelDirectory
from settings.recording import AgentRecording

import numpy as np

GROUP = 16  # episodes recorded together; their frames, 200 MB at most, wait in memory till then


def record_with_agent(
    folder: Path, missing: list[int], directory: ModelDirectory, settings: AgentRecording
) -> int:
    """Record an episode on each missing track; return the number of steps.

    Raises `BadInput` when the model directory holds no whole agent.
    """
    # Here, where what is wrong with it becomes a sentence: a worker could only die of it.
    sees = arch.policy_inputs(directory)
    mean = arch.load(directory, Agent(directory).features)
    groups = [missing[i : i + GROUP] for i in range(0, len(missing), GROUP)]
    tasks = [(group, mean, settings) for group in groups]
    steps = 0
    workers = settings.place.hire(sharing.preparation_of(directory, ("float32", sees)))
    with workers, progress.bar(len(missing), "episodes") as bar:
        recorded = delivery.each(workers, _record_group, folder, tasks, settings.all_see_disk)
        for _, lengths in recorded:
            steps += sum(lengths)
            bar.update(len(lengths))
    return steps


def _record_group(
    folder: Path, group: list[int], mean: np.ndarray, settings: AgentRecording
) -> list[int]:
    """Record an episode on each track of a group; return their lengths."""
    agent = preparation.here()
    rngs = [np.random.default_rng((track, 2)) for track in group]
    jobs = [
        rollout.Job(mean + settings.weight_noise * rng.standard_normal(len(mean)), track)
        for rng, track in zip(rngs, group, strict=True)
    ]
    noise = HeldNoise(settings.action_noise, settings.noise_hold, rngs)
    bursts = ActionBursts(settings.action_bursts, rngs)
    recorder = Logs(lambda job, action: bursts(job, noise(job, action)))
    lengths = []
    driven = rollout.drive(
        agent, enumerate(jobs), GROUP, settings.patience, settings.steps, recorder=recorder
    )
    for job, _ in driven:
        episode = recorder.take(job)
        rollouts.write(rollouts.path_of(folder, group[job]), episode)
        lengths.append(len(episode))
    return lengths


class Logs(rollout.Recorder):
    """Keeps episodes as they are recorded; `change(job, action)` may change what is done."""

    def __init__(self, change: Callable[[int, np.ndarray], np.ndarray] = lambda _, action: action):
        self._change = change
        self._logs: dict[int, EpisodeLog] = {}

    def act(self, world: rollout.World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        return self._change(world.number, action)

    def step(self, world: rollout.World, frame, action: np.ndarray, done: bool) -> None:
        log = self._logs.setdefault(world.number, EpisodeLog())
        log.add(frame, action, world.reward, done)

    def take(self, job: int) -> rollouts.Episode:
        """The episode of a job that is over, which is forgotten here."""
        return self._logs.pop(job).episode()
