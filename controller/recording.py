"""Record episodes driven by a trained agent, with mistakes so that M sees more than one habit."""

from pathlib import Path

from controller import arch, rollout
from controller.agent import Agent
from controller.mistakes import LastingNoise, Takeovers
from envs import rollouts
from envs.recording import EpisodeLog
from runs import executor, progress
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
    arch.load(directory, Agent(directory).features)
    groups = [missing[i : i + GROUP] for i in range(0, len(missing), GROUP)]
    tasks = [(folder, group, directory, settings) for group in groups]
    steps = 0
    workers = executor.Workers(
        lambda: executor.processes(settings.workers, rollout.prepare, (directory, "float32"))
    )
    with workers, progress.bar(len(missing), "episodes") as bar:
        for _, lengths in workers.each(_record_group, tasks):
            steps += sum(lengths)
            bar.update(len(lengths))
    return steps


def _record_group(
    folder: Path, group: list[int], directory: ModelDirectory, settings: AgentRecording
) -> list[int]:
    """Record an episode on each track of a group; return their lengths."""
    agent = rollout.agent_here()
    mean = arch.load(directory, agent.features)
    rngs = [np.random.default_rng((track, 2)) for track in group]
    logs = [EpisodeLog() for _ in group]
    jobs = [
        rollout.Job(mean + settings.weight_noise * rng.standard_normal(len(mean)), track)
        for rng, track in zip(rngs, group, strict=True)
    ]
    noise = LastingNoise(settings.action_noise, settings.noise_steps, rngs)
    taken_over = Takeovers(settings.takeovers, rngs)

    def perturb(job: int, action: np.ndarray) -> np.ndarray:
        return taken_over(job, noise(job, action))

    def watch(job, frame, action, reward, done, env) -> None:
        logs[job].add(frame, action, reward, done)

    driven = rollout.drive(
        agent,
        enumerate(jobs),
        GROUP,
        settings.patience,
        settings.steps,
        perturb=perturb,
        watch=watch,
    )
    for job, _ in driven:
        rollouts.write(rollouts.path_of(folder, group[job]), logs[job].episode())
    return [len(log) for log in logs]
