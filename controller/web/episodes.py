"""Episodes of the real world for the page: what was seen, what was done, how fast the car was."""

import dataclasses

from controller import arch, rollout
from controller.agent import Agent
from runs.directory import ModelDirectory

import numpy as np

COLUMNS = 20  # frames in a row of an atlas


@dataclasses.dataclass(frozen=True)
class DrivenEpisode:
    """What an agent drove on a track: frames (T, 64, 64, 3) uint8, before each of which nothing
    but the actions (T, 3) was done, and the car's speed (T,) in units of Box2D a second."""

    track: int
    frames: np.ndarray
    action: np.ndarray
    speed: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)


class _Log(rollout.Recorder):
    """Keeps what every world showed and did, and how fast its car was then."""

    def __init__(self):
        self.steps: dict[int, list] = {}
        self._speed: dict[int, float] = {}

    def act(self, world: rollout.World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        self._speed[world.number] = world.info["speed"]
        return action

    def step(self, world: rollout.World, frame, action: np.ndarray, done: bool) -> None:
        step = (frame.copy(), action.copy(), self._speed[world.number])
        self.steps.setdefault(world.number, []).append(step)


def drive(directory: ModelDirectory, tracks: list[int], most_steps: int) -> list[DrivenEpisode]:
    """The agent of a model directory on tracks of the world, cut off after so many steps."""
    agent = Agent(directory)
    parameters = arch.load(directory, agent.features)
    log = _Log()
    jobs = enumerate(rollout.Job(parameters, track) for track in tracks)
    for _ in rollout.drive(agent, jobs, len(tracks), most_steps=most_steps, recorder=log):
        pass
    episodes = []
    for number, track in enumerate(tracks):
        frames, action, speed = zip(*log.steps[number], strict=True)
        episodes.append(DrivenEpisode(track, np.stack(frames), np.stack(action), np.array(speed)))
    return episodes


def atlas(frames: np.ndarray) -> np.ndarray:
    """Frames (T, 64, 64, 3) in rows of COLUMNS, black after the last."""
    missing = -len(frames) % COLUMNS
    filled = np.concatenate([frames, np.zeros((missing, *frames.shape[1:]), frames.dtype)])
    rows = filled.reshape(-1, COLUMNS, *frames.shape[1:])
    return rows.swapaxes(1, 2).reshape(-1, COLUMNS * frames.shape[2], 3)


def difference(shown: np.ndarray, true: np.ndarray) -> float:
    """How far frames of uint8 are apart: the root mean square of each, and its mean over all."""
    squared = np.square(shown.astype(np.float32) - true.astype(np.float32))
    return float(np.sqrt(squared.mean(axis=(1, 2, 3))).mean())


def unrelated(frames: np.ndarray) -> float:
    """How far apart two moments of a drive are that have nothing to do with each other."""
    return difference(frames, np.roll(frames, len(frames) // 2, axis=0))
