"""Candidates × tracks → returns: many worlds per process, refilled as episodes end."""

import contextlib
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import envs
from controller.agent import Agent
from envs.car_racing import shrink
from runs.directory import ModelDirectory

import gymnasium
import numpy as np
import tensorflow as tf

UNLIMITED = 10**9
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


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
class _World:
    """A world with an episode in it."""

    number: int
    env: gymnasium.Env
    frame: np.ndarray
    tiles: int
    score: float = 0.0
    steps: int = 0
    newest_tile: int = 0


def best_precision() -> str:
    """bfloat16 where the processor multiplies it natively, else float32."""
    with contextlib.suppress(OSError):
        if "avx512_bf16" in Path("/proc/cpuinfo").read_text():
            return "bfloat16"
    return "float32"


def training_env() -> gymnasium.Env:
    return gymnasium.make(envs.ENV_ID, disable_env_checker=True)


def stock_env() -> gymnasium.Env:
    """Gymnasium's own CarRacing-v3, its frames cropped and resized: where scores count."""
    env = gymnasium.make("CarRacing-v3", disable_env_checker=True)
    space = gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)
    return gymnasium.wrappers.TransformObservation(env, shrink, space)


def drive(
    agent: Agent,
    jobs: Iterable[Job],
    worlds: int,
    patience: int = UNLIMITED,
    most_steps: int = UNLIMITED,
    make_env: Callable[[], gymnasium.Env] = training_env,
    perturb: Callable[[int, np.ndarray], np.ndarray] | None = None,
    watch: Callable | None = None,
) -> list[Outcome]:
    """Drive every job to its end, `worlds` of them at once; outcomes in the order of the jobs.

    A world whose episode ends gets the next job at once, so nobody waits for the longest; at the
    end the batch shrinks. An episode also ends after `patience` steps without a new tile and
    after `most_steps`.
    `perturb(job, action)` may change an action; `watch(job, frame, action, reward, done, env)`
    sees every step.
    """
    jobs = list(jobs)
    waiting = deque(enumerate(jobs))
    idle: list[gymnasium.Env] = []
    active: list[_World] = []
    outcomes: list[Outcome | None] = [None] * len(jobs)
    agent.clear()
    while waiting or active:
        started = []
        while waiting and len(active) < worlds:
            number, job = waiting.popleft()
            env = idle.pop() if idle else make_env()
            frame, _ = env.reset(seed=job.track)
            active.append(_World(number, env, frame, len(env.unwrapped.track)))
            started.append(job.parameters)
        if started:
            agent.add(np.stack(started))
        actions = agent.act(np.stack([world.frame for world in active]))
        going = []
        for row, (world, action) in enumerate(zip(active, actions, strict=True)):
            if perturb is not None:
                action = perturb(world.number, action)
            seen = world.frame
            world.frame, reward, terminated, truncated, info = world.env.step(action)
            world.score += reward
            world.steps += 1
            if reward > 0:
                world.newest_tile = world.steps
            if watch is not None:
                watch(world.number, seen, action, reward, terminated, world.env)
            bored = world.steps - world.newest_tile >= patience
            if terminated or truncated or bored or world.steps >= most_steps:
                visited = world.env.unwrapped.tile_visited_count
                outcomes[world.number] = Outcome(
                    float(world.score),
                    world.steps,
                    visited / world.tiles,
                    bool(info.get("lap_finished", False)),
                )
                idle.append(world.env)
            else:
                going.append(row)
        if len(going) < len(active):
            active = [active[row] for row in going]
            agent.keep(going)
    for env in idle:
        env.close()
    return outcomes


_agent: Agent | None = None


def prepare(model_directory: ModelDirectory, precision: str) -> None:
    """Make this worker process ready to drive: one thread, the agent loaded once."""
    global _agent
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    _agent = Agent(model_directory, PRECISIONS[precision])


def drive_here(jobs: list[Job], worlds: int, patience: int, stock: bool) -> list[Outcome]:
    """`drive` with this worker's agent."""
    make_env = stock_env if stock else training_env
    return drive(_agent, jobs, worlds, patience, make_env=make_env)


def agent_here() -> Agent:
    """This worker's agent."""
    return _agent
