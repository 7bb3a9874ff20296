"""Episodes that C drives with noise on its actions, kept step by step for a policy gradient."""

import dataclasses
import itertools
import math

from controller import rollout
from controller.arch import ACTIONS
from envs import MAX_STEPS

import numpy as np


@dataclasses.dataclass(frozen=True)
class Noise:
    """Noise on the raw actions that lasts: n_t = ρ n_{t-1} + √(1 - ρ²) σ ε_t, its SD constant.

    A car hardly feels a push of a fiftieth of a second, so that noise drawn anew in each step
    explores little (Korenkevych et al. 2019, autoregressive policies).
    """

    sd: tuple[float, float, float]  # of steering, gas and brake
    persistence: float  # ρ

    def next(self, before: np.ndarray | None, rngs: list[np.random.Generator]) -> np.ndarray:
        """The noise (B, 3) of the next step, or of the first."""
        drawn = np.array(self.sd) * np.stack([rng.standard_normal(ACTIONS) for rng in rngs])
        if before is None:
            return drawn
        return self.persistence * before + np.sqrt(1 - self.persistence**2) * drawn


@dataclasses.dataclass(frozen=True)
class Trace:
    """An episode of T steps.

    features (T, F) is what C acted on, noise (T, 3) what was added to its raw actions, rewards
    (T,) those of the environment, grass (T,) how many of the four wheels touched no tile of the
    road after each step, missed (T,) how many tiles it left behind unvisited, progress (T, 2) the
    shares of the track's tiles and of the time that were gone before it; all float32.
    """

    features: np.ndarray
    noise: np.ndarray
    rewards: np.ndarray
    grass: np.ndarray
    missed: np.ndarray
    progress: np.ndarray

    @property
    def score(self) -> float:
        return float(self.rewards.sum(dtype=np.float64))


class Practice(rollout.Fleet):
    """A fleet that can also drive with noise and keep every step."""

    def practise(
        self, parameters: np.ndarray, tracks: list[int], noise: Noise, patience: int
    ) -> list[Trace]:
        """Drive an episode on each track; traces in their order, whoever drives what."""
        size = min(self.worlds, math.ceil(len(tracks) / self.workers))
        groups = [tracks[i : i + size] for i in range(0, len(tracks), size)]
        tasks = [(parameters, group, noise, patience) for group in groups]
        return list(itertools.chain(*self._pool.all(practise_here, tasks)))


def practise_here(
    parameters: np.ndarray, tracks: list[int], noise: Noise, patience: int
) -> list[Trace]:
    """`Practice.practise` with this worker's agent, all tracks together."""
    agent = rollout.agent_here()
    agent.clear()
    agent.add(np.repeat(parameters[None], len(tracks), axis=0))
    rngs = [np.random.default_rng((track, 4)) for track in tracks]
    worlds = [
        rollout.World.begin(number, rollout.training_env(), track)
        for number, track in enumerate(tracks)
    ]
    steps: list[tuple[list, ...]] = [([], [], [], [], [], []) for _ in tracks]
    pushed = None
    active = worlds
    while active:
        pushed = noise.next(pushed, [rngs[world.number] for world in active])
        actions = agent.act(np.stack([world.frame for world in active]), pushed)
        features = np.array(agent.acted_on)
        going = []
        for row, (world, action) in enumerate(zip(active, actions, strict=True)):
            gone, missed = (world.tiles, world.steps / MAX_STEPS), world.missed
            _, over = world.step(action)
            fined = world.wheels_in_grass, world.missed - missed
            step = features[row], pushed[row], world.reward, *fined, gone
            for column, value in zip(steps[world.number], step, strict=True):
                column.append(value)
            if not over and world.idle_steps < patience:
                going.append(row)
        if len(going) < len(active):
            active, pushed = [active[row] for row in going], pushed[going]
            agent.keep(going)
    for world in worlds:
        world.env.close()
    return [Trace(*(np.array(column, np.float32) for column in columns)) for columns in steps]
