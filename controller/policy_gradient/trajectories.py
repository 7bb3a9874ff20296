"""Episodes that C drives with noise on its actions, kept step by step for a policy gradient."""

import dataclasses
from collections.abc import Iterable, Iterator

from controller.agent import Agent
from controller.arch import ACTIONS
from controller.fleet import Fleet
from controller.rollout import Job, Recorder, World, drive
from envs import MAX_STEPS

import numpy as np


@dataclasses.dataclass(frozen=True)
class ActionNoise:
    """AR(1) noise on the raw actions: n_t = ρ n_{t-1} + √(1 - ρ²) σ ε_t, its SD constant.

    A car hardly feels a push of a fiftieth of a second, so that noise drawn anew in each step
    explores little (Korenkevych et al. 2019, autoregressive policies).
    """

    sd: tuple[float, float, float]  # of steering, gas and brake
    correlation: float  # ρ, with the noise of one step before

    def next(self, before: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
        """The noise (3,) of the next step, or of the first."""
        drawn = np.array(self.sd) * rng.standard_normal(ACTIONS)
        if before is None:
            return drawn
        return self.correlation * before + np.sqrt(1 - self.correlation**2) * drawn


@dataclasses.dataclass(frozen=True)
class Trajectory:
    """An episode of T steps.

    features (T, F) is what C acted on, noise (T, 3) what was added to its raw actions, rewards
    (T,) those of the environment, wheels_in_grass (T,) how many of the four touched no tile of
    the road after each step, missed_tiles (T,) how many it left behind unvisited, progress (T, 2)
    the shares of the track's tiles and of the time that were gone before it; all float32.
    """

    features: np.ndarray
    noise: np.ndarray
    rewards: np.ndarray
    wheels_in_grass: np.ndarray
    missed_tiles: np.ndarray
    progress: np.ndarray

    @property
    def score(self) -> float:
        return float(self.rewards.sum(dtype=np.float64))


class TrajectoryFleet(Fleet):
    """A fleet that can also drive with noise and keep every step."""

    def collect(
        self, parameters: np.ndarray, tracks: list[int], noise: ActionNoise, patience: int
    ) -> list[Trajectory]:
        """Drive an episode on each track; trajectories in their order, whoever drives what."""
        jobs = [Job(parameters, track) for track in tracks]
        return self._share_out(Collected(patience, noise), jobs)


class TrajectoryRecorder(Recorder):
    """Adds noise to the actions of every world, and keeps their steps."""

    def __init__(self, noise: ActionNoise):
        self._noise = noise
        self._rngs: dict[int, np.random.Generator] = {}
        self._pushed: dict[int, np.ndarray] = {}
        self._steps: dict[int, list[tuple]] = {}

    def noise(self, worlds: list[World]) -> np.ndarray:
        return np.stack([self._push(world) for world in worlds])

    def _push(self, world: World) -> np.ndarray:
        rng = self._rngs.setdefault(world.number, np.random.default_rng((world.track, 4)))
        self._pushed[world.number] = self._noise.next(self._pushed.get(world.number), rng)
        return self._pushed[world.number]

    def act(self, world: World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        before = features, self._pushed[world.number], world.missed, _progress(world)
        self._steps.setdefault(world.number, []).append(before)
        return action

    def step(self, world: World, frame: np.ndarray, action: np.ndarray, done: bool) -> None:
        features, pushed, missed, progress = self._steps[world.number][-1]
        penalised = world.wheels_in_grass, world.missed - missed
        self._steps[world.number][-1] = features, pushed, world.reward, *penalised, progress

    def take(self, number: int) -> Trajectory:
        """The trajectory of a job that is over, which is forgotten here."""
        del self._rngs[number], self._pushed[number]
        columns = zip(*self._steps.pop(number), strict=True)
        return Trajectory(*(np.array(column, np.float32) for column in columns))


def _progress(world: World) -> tuple[float, float]:
    return world.tiles, world.steps / MAX_STEPS


@dataclasses.dataclass(frozen=True)
class Collected:
    """A `controller.driving.RolloutFunction`: with noise, and every step is kept."""

    patience: int
    noise: ActionNoise

    def __call__(
        self, agent: Agent, jobs: Iterable[tuple[int, Job]], worlds: int
    ) -> Iterator[tuple[int, Trajectory]]:
        recorder = TrajectoryRecorder(self.noise)
        for number, _ in drive(agent, jobs, worlds, self.patience, recorder=recorder):
            yield number, recorder.take(number)
