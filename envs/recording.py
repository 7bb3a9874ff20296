"""Drive one track with a policy and keep what was seen, done and earned."""

from pathlib import Path

import envs  # noqa: F401 - registers the environment
from envs import policies, rollouts
from runs import delivery, progress
from settings.recording import Recording

import gymnasium
import numpy as np


def record_with_policy(folder: Path, missing: list[int], policy: str, settings: Recording) -> int:
    """Record an episode on each missing track, by a policy that was never trained; return the
    number of steps."""
    steps = 0
    tasks = [(track, policy, settings.steps) for track in missing]
    with settings.place.hire() as workers, progress.bar(len(tasks), "episodes") as bar:
        for _, length in delivery.each(workers, record, folder, tasks, settings.all_see_disk):
            steps += length
            bar.update()
    return steps


def record(directory: Path, track: int, policy: str, steps: int) -> int:
    """Record one episode of at most `steps` steps to its file; return its length.

    The policy's randomness comes from the track's seed, so the same track gives the same file
    whoever records it.
    """
    env = gymnasium.make("WorldModels/CarRacing-v0")
    actions = policies.POLICIES[policy](np.random.default_rng((track, 1)))
    log = EpisodeLog()
    frame, _ = env.reset(seed=track)
    for action, _ in zip(actions, range(steps), strict=False):
        following, reward, terminated, truncated, _ = env.step(action)
        log.add(frame, action, float(reward), terminated)
        frame = following
        if terminated or truncated:
            break
    env.close()
    rollouts.write(rollouts.path_of(directory, track), log.episode())
    return len(log)


class EpisodeLog:
    """The steps of an episode as they happen."""

    def __init__(self):
        self._steps = []

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, frame: np.ndarray, action: np.ndarray, reward: float, done: bool) -> None:
        self._steps.append((frame, action, reward, done))

    def episode(self) -> rollouts.Episode:
        obs, action, reward, done = zip(*self._steps, strict=True)
        return rollouts.Episode(
            obs=np.stack(obs),
            action=np.stack(action).astype(np.float32),
            reward=np.array(reward, np.float32),
            done=np.array(done, np.bool_),
        )
