"""`WorldModels/CarRacingDream-v0`: the dream as a Gymnasium environment, one or thousands."""

import os
from pathlib import Path
from typing import Any

import vae
from envs import MAX_STEPS
from envs.rollouts import ACTIONS, FRAME
from rnn.dream.dynamics import Dream, State
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from vae.pictures import to_bytes

import cv2
import gymnasium
import numpy as np
import tensorflow as tf
from gymnasium import spaces
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

OBSERVATIONS = ("latent", "frame")
FPS = 50  # steps of CarRacing in a second
SHOWN = 512  # pixels of a rendered picture's side


class Dreams:
    """B dreams and their randomness. One traced call steps or begins each of them."""

    def __init__(self, dream: Dream, count: int):
        self.dream = dream
        self.count = count
        memory = dream.memory
        vector = [tf.TensorSpec((count, n)) for n in (memory.latent, memory.units, memory.units, 1)]
        counter = tf.TensorSpec((count,), tf.uint32)
        self._advance = tf.function(
            self._step_or_begin,
            input_signature=[
                State(*vector),
                tf.TensorSpec((count, ACTIONS)),
                tf.TensorSpec((count,), tf.bool),
                counter,
                counter,
            ],
        )
        self._state = State(*(np.zeros(spec.shape, np.float32) for spec in vector))
        self._keys: np.ndarray = np.zeros(count, np.uint32)
        self._ticks = np.zeros(count, np.uint32)

    def seed(self, keys: np.ndarray) -> None:
        """Give every dream its key and set its clock to 0."""
        self._keys = np.asarray(keys, np.uint32)
        self._ticks = np.zeros(self.count, np.uint32)

    def advance(self, action: np.ndarray, begin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Begin anew where `begin` (B,), else do `action` (B, 3); rewards and ends, (B,) each.

        Where a dream begins, the reward is 0 and it does not end.
        """
        self._state, reward, ended = self._advance(
            self._state, np.asarray(action, np.float32), begin, self._keys, self._ticks
        )
        self._ticks += np.uint32(1)
        return reward.numpy(), ended.numpy()

    def place(self, z: np.ndarray) -> None:
        """Set what all dreams show to the latent z (L,), and their memory to nothing."""
        z = np.asarray(z, np.float32)
        latent = self.dream.memory.latent
        if z.shape != (latent,):
            raise BadInput(f"A dream begins with {latent} numbers, not with shape {z.shape}.")
        empty = np.zeros((self.count, self.dream.memory.units), np.float32)
        self._state = State.at(np.tile(z, (self.count, 1)), empty, empty)

    @property
    def z(self) -> np.ndarray:
        """What the dreams show, (B, L) float32."""
        return np.array(self._state.z)

    def _step_or_begin(self, state, action, begin, keys, ticks):
        low, high = _actions().low, _actions().high
        stepped, reward, ended, _ = self.dream.step(
            state, tf.clip_by_value(action, low, high), keys, ticks
        )
        begun = self.dream.begin(keys, ticks)
        chosen = [tf.where(begin[:, None], b, s) for b, s in zip(begun, stepped, strict=True)]
        return State(*chosen), tf.where(begin, 0.0, reward), ended & ~begin


class DreamEnv(gymnasium.Env):
    """CarRacing as M dreams it.

    Actions: CarRacing's, (3,) float32: steering in [-1, 1], gas and brake in [0, 1]; what is
    outside is clipped.

    Observations: the latent z (L,) float32; or, with observation="frame", what V's decoder makes
    of it, (64, 64, 3) uint8.

    Rewards, ends and starts: see `rnn.dream.dynamics.Dream`. An episode has 1000 steps at most.

    `reset(seed=s)` makes the dream a function of s and the actions; `reset()` goes on with the
    same stream of random numbers. `reset(options={"z": z})` begins with the latent z (L,) instead,
    and an empty memory.

    Arguments:
        model         a model directory with V, M and starts.npz
        temperature   τ > 0, how random the dream is: 1 as M predicts, towards 0 not at all
        observation   "latent" or "frame"
        start         "first", where a recorded episode began, or "anywhere" in one (a quarter
                      still where one began)
        render_mode   None, "rgb_array" (512×512) or "human", a window
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": FPS}

    def __init__(
        self,
        model: str | os.PathLike = "data/models/vae",
        temperature: float = 1.0,
        observation: str = "latent",
        start: str = "first",
        render_mode: str | None = None,
    ):
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise BadInput(f"render_mode is {render_mode!r}; it can be rgb_array or human.")
        self.render_mode = render_mode
        self._dreams, self._show, self.observation_space = _make(
            model, temperature, observation, start, 1, shown=render_mode is not None
        )
        self._observation = observation
        self.action_space = _actions()
        self._seeded = False
        self._window: Any = None  # pygame's, where there is one

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        if seed is not None or not self._seeded:
            self._dreams.seed([_key(self.np_random)])
            self._seeded = True
        self._dreams.advance(np.zeros((1, ACTIONS)), np.array([True]))
        if options and "z" in options:
            self._dreams.place(options["z"])
        return self._seen(), {}

    def step(self, action):
        reward, ended = self._dreams.advance(np.asarray(action)[None], np.array([False]))
        return self._seen(), float(reward[0]), bool(ended[0]), False, {}

    def render(self) -> np.ndarray | None:
        if self.render_mode is None:
            gymnasium.logger.warn("There is no render_mode; give one to gymnasium.make.")
            return None
        frame = self._show(self._dreams.z)[0]
        picture = cv2.resize(frame, (SHOWN, SHOWN), interpolation=cv2.INTER_CUBIC)
        if self.render_mode == "rgb_array":
            return picture
        self._draw(picture)
        return None

    def close(self) -> None:
        if self._window is not None:
            import pygame

            pygame.display.quit()
            self._window = None

    def _seen(self) -> np.ndarray:
        if self.render_mode == "human":
            self.render()
        z = self._dreams.z
        return z[0] if self._observation == "latent" else self._show(z)[0]

    def _draw(self, picture: np.ndarray) -> None:
        # Accelerated, SDL loads libraries for the graphics card that crash beside TensorFlow's.
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
        # Imported here: only a window needs it, and it greets on the standard output.
        import pygame

        if self._window is None:
            pygame.display.init()
            self._window = pygame.display.set_mode((SHOWN, SHOWN))
            self._clock = pygame.time.Clock()
        pygame.event.pump()
        pygame.surfarray.blit_array(self._window, picture.swapaxes(0, 1))
        pygame.display.flip()
        self._clock.tick(FPS)


class DreamVectorEnv(gymnasium.vector.VectorEnv):
    """Any number of dreams stepped by one traced call; for the arguments see `DreamEnv`.

    World i seeded with s is `DreamEnv` seeded with s + i. A world whose episode is over (ended,
    or cut off after `max_episode_steps`) begins anew with the next step, whose action is ignored
    and whose reward is 0: Gymnasium's `AutoresetMode.NEXT_STEP`.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_fps": FPS}

    def __init__(
        self,
        num_envs: int,
        model: str | os.PathLike = "data/models/vae",
        temperature: float = 1.0,
        observation: str = "latent",
        start: str = "first",
        max_episode_steps: int = MAX_STEPS,
    ):
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self._dreams, self._show, self.single_observation_space = _make(
            model, temperature, observation, start, num_envs, shown=False
        )
        self._observation = observation
        self.single_action_space = _actions()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._over = np.ones(num_envs, bool)
        self._steps: np.ndarray = np.zeros(num_envs, int)
        self._seeded = False

    def reset(self, *, seed: int | list[int | None] | None = None, options: dict | None = None):
        if seed is not None or not self._seeded:
            self._dreams.seed([_key(seeding.np_random(s)[0]) for s in self._seeds(seed)])
            self._seeded = True
        everywhere = np.ones(self.num_envs, bool)
        self._dreams.advance(np.zeros((self.num_envs, ACTIONS)), everywhere)
        self._over, self._steps = ~everywhere, np.zeros(self.num_envs, int)
        return self._seen(), {}

    def step(self, actions):
        begin = self._over
        reward, ended = self._dreams.advance(actions, begin)
        self._steps = np.where(begin, 0, self._steps + 1)
        cut_off = ~ended & (self._steps >= self.max_episode_steps)
        self._over = ended | cut_off
        return self._seen(), reward.astype(np.float64), ended, cut_off, {}

    def _seeds(self, seed: int | list[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        return [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else list(seed)

    def _seen(self) -> np.ndarray:
        return self._dreams.z if self._observation == "latent" else self._show(self._dreams.z)


def _make(model, temperature: float, observation: str, start: str, count: int, *, shown: bool):
    """The dreams, a function from z to frames (None unless frames are wanted), and the space."""
    if observation not in OBSERVATIONS:
        raise BadInput(f"observation is {observation!r}; it can be {' or '.join(OBSERVATIONS)}.")
    directory = ModelDirectory(Path(model))
    dreams = Dreams(Dream(directory, temperature, start), count)
    show = None
    if shown or observation == "frame":
        decode = tf.function(vae.load(directory).decoder)

        def show(z: np.ndarray) -> np.ndarray:
            return to_bytes(decode(z))

    if observation == "frame":
        return dreams, show, spaces.Box(0, 255, FRAME, np.uint8)
    return dreams, show, spaces.Box(-np.inf, np.inf, (dreams.dream.memory.latent,), np.float32)


def _actions() -> spaces.Box:
    return spaces.Box(np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32))


def _key(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))
