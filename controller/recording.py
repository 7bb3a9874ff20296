"""Record episodes driven by a trained agent, with noise so that M sees more than one habit."""

from pathlib import Path

from controller import arch, rollout
from envs import rollouts
from envs.recording import EpisodeLog
from runs import executor, progress
from runs.directory import ModelDirectory

import numpy as np

# Tracks recorded together, whoever records them: a batch's size touches the last digits of what
# the agent computes, so the same group gives the same files whatever the number of workers.
GROUP = 16


def record_with_agent(folder: Path, asked: list[int], directory: ModelDirectory, options) -> int:
    """Record the episodes of `asked` that are not in `folder`; return the number of steps."""
    groups = [asked[i : i + GROUP] for i in range(0, len(asked), GROUP)]
    unfinished = [
        (folder, group, directory, options.steps, options.weight_noise, options.action_noise)
        for group in groups
        if not all(rollouts.path_of(folder, track).exists() for track in group)
    ]
    steps = 0
    workers = executor.Workers(
        lambda: executor.processes(options.workers, rollout.prepare, (directory, "float32"))
    )
    with workers, progress.bar(len(unfinished) * GROUP, "episodes") as bar:
        for _, lengths in workers.each(_record_group, unfinished):
            steps += sum(lengths)
            bar.update(len(lengths))
    return steps


def _record_group(
    folder: Path,
    group: list[int],
    directory: ModelDirectory,
    steps: int,
    weight_noise: float,
    action_noise: float,
) -> list[int]:
    agent = rollout.agent_here()
    mean = arch.load(directory, agent.features)
    rngs = [np.random.default_rng((track, 2)) for track in group]
    logs = [EpisodeLog() for _ in group]
    jobs = [
        rollout.Job(mean + weight_noise * rng.standard_normal(len(mean)), track)
        for rng, track in zip(rngs, group, strict=True)
    ]
    low, high = np.array([-1, 0, 0]), np.array([1, 1, 1])

    def perturb(job: int, action: np.ndarray) -> np.ndarray:
        noisy = action + action_noise * rngs[job].standard_normal(3)
        return noisy.clip(low, high).astype(np.float32)

    def watch(job, frame, action, reward, done, env) -> None:
        logs[job].add(frame, action, reward, done)

    rollout.drive(agent, jobs, GROUP, most_steps=steps, perturb=perturb, watch=watch)
    for track, log in zip(group, logs, strict=True):
        path = rollouts.path_of(folder, track)
        if not path.exists():
            rollouts.write(path, log.episode())
    return [len(log) for log in logs]
