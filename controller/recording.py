"""Record episodes driven by a trained agent, with noise so that M sees more than one habit."""

from pathlib import Path

from controller import arch, rollout
from controller.agent import Agent
from envs import rollouts
from envs.recording import EpisodeLog
from runs import executor, progress
from runs.directory import ModelDirectory

import numpy as np

GROUP = 16  # episodes recorded together; their frames, 200 MB at most, wait in memory till then


def record_with_agent(folder: Path, missing: list[int], directory: ModelDirectory, options) -> int:
    """Record an episode on each missing track; return the number of steps.

    Raises `BadInput` when the model directory holds no whole agent.
    """
    # Here, where what is wrong with it becomes a sentence: a worker could only die of it.
    arch.load(directory, Agent(directory).features)
    groups = [missing[i : i + GROUP] for i in range(0, len(missing), GROUP)]
    noise = options.weight_noise, options.action_noise, options.noise_steps
    length = options.steps, options.patience
    tasks = [(folder, group, directory, *length, *noise) for group in groups]
    steps = 0
    workers = executor.Workers(
        lambda: executor.processes(options.workers, rollout.prepare, (directory, "float32"))
    )
    with workers, progress.bar(len(missing), "episodes") as bar:
        for _, lengths in workers.each(_record_group, tasks):
            steps += sum(lengths)
            bar.update(len(lengths))
    return steps


class LastingNoise:
    """Normal noise on the actions of numbered jobs, drawn anew every `steps` steps on average.

    Noise that lasts takes the car off its line, so that M sees where that leads and how it is
    mended; compare Eberhard et al. 2023, Pink Noise Is All You Need.
    """

    LOW, HIGH = np.array([-1, 0, 0]), np.array([1, 1, 1])

    def __init__(self, deviation: float, steps: int, rngs: list[np.random.Generator]):
        self.deviation, self.steps, self.rngs = deviation, steps, rngs
        self._noise: list[np.ndarray | None] = [None] * len(rngs)

    def __call__(self, job: int, action: np.ndarray) -> np.ndarray:
        """The action (3,) of a job with its noise, within the bounds of CarRacing's actions."""
        rng = self.rngs[job]
        first = self._noise[job] is None
        if first or self.steps == 1 or rng.random() < 1 / self.steps:
            self._noise[job] = self.deviation * rng.standard_normal(3)
        return (action + self._noise[job]).clip(self.LOW, self.HIGH).astype(np.float32)


def _record_group(
    folder: Path,
    group: list[int],
    directory: ModelDirectory,
    steps: int,
    patience: int,
    weight_noise: float,
    action_noise: float,
    noise_steps: int,
) -> list[int]:
    """Record an episode on each track of a group; return their lengths."""
    agent = rollout.agent_here()
    mean = arch.load(directory, agent.features)
    rngs = [np.random.default_rng((track, 2)) for track in group]
    logs = [EpisodeLog() for _ in group]
    jobs = [
        rollout.Job(mean + weight_noise * rng.standard_normal(len(mean)), track)
        for rng, track in zip(rngs, group, strict=True)
    ]
    perturb = LastingNoise(action_noise, noise_steps, rngs)

    def watch(job, frame, action, reward, done, env) -> None:
        logs[job].add(frame, action, reward, done)

    driven = rollout.drive(
        agent, enumerate(jobs), GROUP, patience, steps, perturb=perturb, watch=watch
    )
    for job, _ in driven:
        rollouts.write(rollouts.path_of(folder, group[job]), logs[job].episode())
    return [len(log) for log in logs]
