"""The one loop that drives: many worlds together, refilled as their episodes end."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import envs
from controller.agent import Agent
from envs.car_racing import shrink
from envs.driving_info import TellDrivingInfo

import gymnasium
import numpy as np

UNLIMITED = 10**9


@dataclasses.dataclass(frozen=True)
class Job:
    """One episode to drive: a policy's parameters (P,) on a track."""

    parameters: np.ndarray
    track: int


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a job. `score` is the return, `tiles` the share of the track's tiles visited."""

    score: float
    steps: int
    tiles: float
    lap: bool


@dataclasses.dataclass
class World:
    """A world with an episode in it: that of the numbered job."""

    number: int
    track: int
    env: Any  # a Gymnasium environment, whose types do not say that it is drawn as an array
    frame: np.ndarray
    info: dict[str, Any]  # what the world tells, see `envs.driving_info`
    reward: float = 0.0
    score: float = 0.0
    steps: int = 0
    idle_steps: int = 0
    lap: bool = False

    @classmethod
    def begin(cls, number: int, env: gymnasium.Env, track: int) -> "World":
        frame, info = env.reset(seed=track)
        return cls(number, track, env, frame, info)

    def step(self, action: np.ndarray) -> tuple[bool, bool]:
        """Do an action; return whether the world ended the episode, and whether it is over."""
        self.frame, reward, done, truncated, self.info = self.env.step(action)
        self.reward = float(reward)
        self.score += self.reward
        self.steps += 1
        self.idle_steps = 0 if self.reward > 0 else self.idle_steps + 1
        self.lap = bool(self.info.get("lap_finished", False))
        return done, done or truncated

    @property
    def tiles(self) -> float:
        """The share of the track's tiles that were visited."""
        return self.info["lap"]

    @property
    def wheels_in_grass(self) -> int:
        """How many of the four wheels touch no tile of the road."""
        return self.info["wheels_on_grass"]

    @property
    def missed(self) -> int:
        """How many tiles up to the foremost one are unvisited, less any visited beyond it."""
        return self.info["missed_tiles"]

    def outcome(self) -> Outcome:
        return Outcome(float(self.score), self.steps, self.tiles, self.lap)


def training_env() -> gymnasium.Env:
    return gymnasium.make(envs.ENV_ID, disable_env_checker=True)


def stock_env() -> gymnasium.Env:
    """Gymnasium's own CarRacing-v3, its frames cropped and resized: where scores count."""
    env = TellDrivingInfo(gymnasium.make("CarRacing-v3", disable_env_checker=True))
    space = gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    return gymnasium.wrappers.TransformObservation(env, shrink, space)


class Recorder:
    """Takes part in a drive: this one leaves everything as it is and keeps nothing."""

    def noise(self, worlds: list[World]) -> np.ndarray | None:
        """What is added to the worlds' actions (B, 3) before they are squashed."""
        return None

    def act(self, world: World, features: np.ndarray, action: np.ndarray) -> np.ndarray:
        """The action (3,) that is done in place of the agent's, who acted on `features` (F,)."""
        return action

    def step(self, world: World, frame: np.ndarray, action: np.ndarray, done: bool) -> None:
        """An action was done on seeing `frame`; `done` says that the world ended the episode."""


def drive(
    agent: Agent,
    jobs: Iterable[tuple[int, Job]],
    worlds: int,
    patience: int = UNLIMITED,
    most_steps: int = UNLIMITED,
    make_env: Callable[[], gymnasium.Env] = training_env,
    recorder: Recorder | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Drive numbered jobs to their ends, `worlds` of them at once; yields (number, outcome).

    A world whose episode ends gets the next job at once, so nobody waits for the longest; at the
    end the batch shrinks. An episode also ends after `patience` steps without a new tile and
    after `most_steps`.
    """
    recorder = recorder or Recorder()
    jobs = iter(jobs)
    idle: list[gymnasium.Env] = []
    active: list[World] = []
    agent.clear()
    while True:
        for number, job in itertools.islice(jobs, worlds - len(active)):
            env = idle.pop() if idle else make_env()
            active.append(World.begin(number, env, job.track))
            agent.add(job.parameters[None])
        if not active:
            break
        frames = np.stack([world.frame for world in active])
        actions = agent.act(frames, recorder.noise(active))
        features = np.asarray(agent.acted_on)
        going = []
        for row, world in enumerate(active):
            action = recorder.act(world, features[row], actions[row])
            done, ended = world.step(action)
            recorder.step(world, frames[row], action, done)
            if ended or world.steps >= most_steps or world.idle_steps >= patience:
                yield world.number, world.outcome()
                idle.append(world.env)
            else:
                going.append(row)
        if len(going) < len(active):
            active = [active[row] for row in going]
            agent.keep(going)
    for env in idle:
        env.close()
