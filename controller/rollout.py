"""Candidates × tracks → returns: many worlds per process, refilled as episodes end."""

import contextlib
import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import envs
from controller.agent import Agent
from envs.car_racing import shrink
from runs.arguments import PRECISIONS, BadInput
from runs.directory import ModelDirectory
from runs.executor import ATTEMPTS, Counter, Workers, processes

import gymnasium
import numpy as np
import tensorflow as tf

UNLIMITED = 10**9
SHORTCUT = 40  # tiles; who skips more has not driven on but come upon another part of the track


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
    """A world with an episode in it."""

    number: int
    env: Any  # CarRacing in Gymnasium's wrappers, whose types know neither car nor track
    frame: np.ndarray
    reward: float = 0.0
    score: float = 0.0
    steps: int = 0
    idle_steps: int = 0
    lap: bool = False
    front: int = 0  # the furthest tile of the track that a wheel has touched

    @classmethod
    def begin(cls, number: int, env: gymnasium.Env, track: int) -> "World":
        frame, _ = env.reset(seed=track)
        return cls(number, env, frame)

    def step(self, action: np.ndarray) -> tuple[bool, bool]:
        """Do an action; return whether the world ended the episode, and whether it is over."""
        self.frame, self.reward, done, truncated, info = self.env.step(action)
        self.score += self.reward
        self.steps += 1
        self.idle_steps = 0 if self.reward > 0 else self.idle_steps + 1
        self.lap = bool(info.get("lap_finished", False))
        # At the start a wheel may stand on the track's last tile.
        within = range(self.front, self.front + SHORTCUT)
        touched = (tile.idx for wheel in self.env.unwrapped.car.wheels for tile in wheel.tiles)
        self.front = max((index for index in touched if index in within), default=self.front)
        return done, done or truncated

    @property
    def tiles(self) -> float:
        """The share of the track's tiles that were visited."""
        track = self.env.unwrapped
        return track.tile_visited_count / len(track.track)

    @property
    def wheels_in_grass(self) -> int:
        """How many of the four wheels touch no tile of the road."""
        return sum(not wheel.tiles for wheel in self.env.unwrapped.car.wheels)

    @property
    def missed(self) -> int:
        """How many tiles up to the foremost one are unvisited, less any visited beyond it."""
        return max(0, self.front + 1 - self.env.unwrapped.tile_visited_count)

    def outcome(self) -> Outcome:
        return Outcome(float(self.score), self.steps, self.tiles, self.lap)


def training_env() -> gymnasium.Env:
    return gymnasium.make(envs.ENV_ID, disable_env_checker=True)


def stock_env() -> gymnasium.Env:
    """Gymnasium's own CarRacing-v3, its frames cropped and resized: where scores count."""
    env = gymnasium.make("CarRacing-v3", disable_env_checker=True)
    space = gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    return gymnasium.wrappers.TransformObservation(env, shrink, space)


def drive(
    agent: Agent,
    jobs: Iterable[tuple[int, Job]],
    worlds: int,
    patience: int = UNLIMITED,
    most_steps: int = UNLIMITED,
    make_env: Callable[[], gymnasium.Env] = training_env,
    perturb: Callable[[int, np.ndarray], np.ndarray] | None = None,
    watch: Callable | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Drive numbered jobs to their ends, `worlds` of them at once; yields (number, outcome).

    A world whose episode ends gets the next job at once, so nobody waits for the longest; at the
    end the batch shrinks. An episode also ends after `patience` steps without a new tile and
    after `most_steps`. `perturb(number, action)` may change an action; `watch(number, frame,
    action, reward, done, env)` sees every step.
    """
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
        actions = agent.act(np.stack([world.frame for world in active]))
        going = []
        for row, (world, action) in enumerate(zip(active, actions, strict=True)):
            if perturb is not None:
                action = perturb(world.number, action)
            frame = world.frame
            done, ended = world.step(action)
            if watch is not None:
                watch(world.number, frame, action, world.reward, done, world.env)
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


class Fleet:
    """Worker processes that drive jobs with the agent of a model directory.

    Each steps up to `worlds` worlds together and takes the next job whenever one is free, so that
    all finish at about the same time. The outcomes do not depend on who drives what. For `sees`
    see `Agent`.
    """

    def __init__(
        self,
        directory: ModelDirectory,
        precision: str,
        workers: int,
        worlds: int,
        sees: str | None = None,
    ):
        self.workers = workers
        self.worlds = worlds
        self._started, self._finished = Counter(), Counter()
        arguments = (directory, precision, self._started, self._finished, sees)
        self._pool = Workers(lambda: processes(workers, prepare, arguments))

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *details) -> None:
        self._pool.__exit__(*details)

    def drive(
        self,
        jobs: list[Job],
        patience: int = UNLIMITED,
        stock: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> list[Outcome]:
        """Drive all jobs; outcomes in their order. `progress(n)` hears of n more jobs done.

        Raises `BadInput` when there are jobs that workers die of again and again.
        """
        outcomes: dict[int, Outcome] = {}
        fruitless = 0
        while missing := [number for number in range(len(jobs)) if number not in outcomes]:
            # More than one round only if a worker died with the jobs it had taken.
            self._started.restart()
            self._finished.restart()
            share = [jobs[number] for number in missing]
            tasks = [(share, self.worlds, patience, stock)] * min(self.workers, len(share))
            with _reported(self._finished, progress):
                for _, driven in self._pool.each(drive_here, tasks):
                    outcomes |= {missing[place]: outcome for place, outcome in driven.items()}
            fruitless = 0 if outcomes.keys() & set(missing) else fruitless + 1
            if fruitless == ATTEMPTS:
                raise BadInput(
                    f"Worker processes died {ATTEMPTS} times on the same episodes "
                    "(killed, or out of memory?); try fewer --worlds or --workers."
                )
        return [outcomes[number] for number in range(len(jobs))]


@contextlib.contextmanager
def _reported(finished: Counter, progress: Callable[[int], None] | None) -> Iterator[None]:
    """Tell `progress` every second how many more have finished."""
    if progress is None:
        yield
        return
    over = threading.Event()

    def report() -> None:
        told = 0
        while told < finished.taken or not over.wait(1):
            progress(finished.taken - told)
            told = finished.taken

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        over.set()
        reporter.join()


_agent: Agent | None = None
_started: Counter | None = None
_finished: Counter | None = None


def prepare(
    model_directory: ModelDirectory,
    precision: str,
    started: Counter | None = None,
    finished: Counter | None = None,
    sees: str | None = None,
) -> None:
    """Make this worker process ready to drive: one thread, the agent loaded once."""
    global _agent, _started, _finished
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _agent = Agent(model_directory, PRECISIONS[precision], sees)
    _started, _finished = started, finished


def drive_here(jobs: list[Job], worlds: int, patience: int, stock: bool) -> dict[int, Outcome]:
    """`drive` with this worker's agent those of the jobs that no other worker takes."""
    started, finished = _started, _finished
    assert started is not None and finished is not None

    def take() -> Iterator[tuple[int, Job]]:
        while (number := started.take()) < len(jobs):
            yield number, jobs[number]

    make_env = stock_env if stock else training_env
    outcomes = {}
    for number, outcome in drive(agent_here(), take(), worlds, patience, make_env=make_env):
        outcomes[number] = outcome
        finished.take()
    return outcomes


def agent_here() -> Agent:
    """This worker's agent."""
    assert _agent is not None
    return _agent
