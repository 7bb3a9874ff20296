"""`WorldModels/CarRacingDream-v0`: the dream as a Gymnasium environment, one or thousands."""

import copy
import os
from pathlib import Path
from typing import Any

import vae
from envs import MAX_STEPS
from envs.rollouts import ACTIONS, FRAME
from rnn.dream.batch import ACTION_SPACE, DreamBatch
from rnn.dream.dynamics import Dream
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from vae.pictures import to_bytes

import cv2
import gymnasium
import numpy as np
import tensorflow as tf
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

OBSERVATIONS = ("latent", "frame")
FPS = 50  # steps of CarRacing in a second
SHOWN = 512  # pixels of a rendered picture's side
IMPORTED_IN = os.getpid()  # the process that loaded TensorFlow


class DreamEnv(gymnasium.Env):
    """CarRacing as M dreams it.

    Actions: CarRacing's, (3,) float32: steering in [-1, 1], gas and brake in [0, 1]; what is
    outside is clipped. `step` raises `BadInput`, a ValueError, for what is not finite.

    Observations: the latent z (L,) float32; or, with observation="frame", what V's decoder makes
    of it, (64, 64, 3) uint8.

    Rewards, ends and starts: see `rnn.dream.dynamics.Dream`. An episode has 1000 steps at most.

    `reset(seed=s)` makes the dream a function of s and the actions; `reset()` goes on with the
    same stream of random numbers. `reset(options={"z": z})` begins with the latent z (L,) instead,
    and an empty memory; an option of another name is refused. A deep copy is the same dream at the
    same moment.

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
        self.action_space = copy.deepcopy(ACTION_SPACE)
        self._seeded = False
        self._window: Any = None  # pygame's, where there is one

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        super().reset(seed=seed)
        z = _z_of(options)
        if seed is not None or not self._seeded:
            self._dreams.seed([_key(self.np_random)])
            self._seeded = True
        self._dreams.advance(np.zeros((1, ACTIONS)), np.array([True]))
        if z is not None:
            self._dreams.place(z)
        return self._observe(), {}

    def step(self, action):
        if not self._seeded:
            raise ResetNeeded("Cannot call env.step() before calling env.reset()")
        action = _checked(action, (ACTIONS,))
        reward, ended = self._dreams.advance(action[None], np.array([False]))
        return self._observe(), float(reward[0]), bool(ended[0]), False, {}

    def render(self) -> np.ndarray | None:
        if self.render_mode is None:
            gymnasium.logger.warn("There is no render_mode; give one to gymnasium.make.")
            return None
        picture = _enlarged(self._show(self._dreams.z)[0])
        if self.render_mode == "rgb_array":
            return picture
        self._draw(picture)
        return None

    @property
    def temperature(self) -> float:
        """How random the dream is; set, the dream goes on from where it is."""
        return self._dreams.dream.temperature

    @temperature.setter
    def temperature(self, temperature: float) -> None:
        if not temperature > 0:
            raise BadInput(f"The temperature is {temperature}; a dream needs one above 0.")
        self._dreams = self._dreams.at(temperature)

    def __deepcopy__(self, memo: dict) -> "DreamEnv":
        """The same dream at the same moment; V and M, which never change, are shared."""
        copied = copy.copy(self)
        copied._dreams = copy.copy(self._dreams)
        copied._np_random = copy.deepcopy(self._np_random)
        copied.action_space = copy.deepcopy(self.action_space)
        copied.observation_space = copy.deepcopy(self.observation_space)
        copied._window = None
        return copied

    def close(self) -> None:
        if self._window is not None:
            import pygame

            pygame.display.quit()
            self._window = None

    def _observe(self) -> np.ndarray:
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

    World i seeded with s is `DreamEnv` seeded with s + i. `reset(options={"z": z})` begins with one
    latent (L,) everywhere, or with one for each world (B, L). `render` gives a tuple of pictures.

    A world whose episode is over (ended, or cut off after `max_episode_steps`) begins anew with
    the next step, whose action is ignored and whose reward is 0: Gymnasium's
    `AutoresetMode.NEXT_STEP`. With `SAME_STEP` it begins in the step that ends it, and what that
    step led to is in the info's `final_obs`: so stable-baselines3 wants it, see `envs.sb3`.
    """

    metadata = {
        "autoreset_mode": AutoresetMode.NEXT_STEP,
        "render_modes": ["rgb_array"],
        "render_fps": FPS,
    }

    def __init__(
        self,
        num_envs: int,
        model: str | os.PathLike = "data/models/vae",
        temperature: float = 1.0,
        observation: str = "latent",
        start: str = "first",
        max_episode_steps: int = MAX_STEPS,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode = AutoresetMode.NEXT_STEP,
    ):
        if render_mode not in (None, "rgb_array"):
            raise BadInput(f"render_mode is {render_mode!r}; for many dreams it can be rgb_array.")
        if autoreset_mode not in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
            raise BadInput(f"autoreset_mode is {autoreset_mode}; it can be NEXT_STEP or SAME_STEP.")
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.metadata = {**type(self).metadata, "autoreset_mode": autoreset_mode}
        self._at_once = autoreset_mode is AutoresetMode.SAME_STEP
        self.max_episode_steps = max_episode_steps
        self._dreams, self._show, self.single_observation_space = _make(
            model, temperature, observation, start, num_envs, shown=render_mode is not None
        )
        self._observation = observation
        self.single_action_space = copy.deepcopy(ACTION_SPACE)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._over = np.ones(num_envs, bool)
        self._steps: np.ndarray = np.zeros(num_envs, int)
        self._seeded = False

    def reset(self, *, seed: int | list[int | None] | None = None, options: dict | None = None):
        z = _z_of(options)
        if seed is not None or not self._seeded:
            self._dreams.seed([_key(seeding.np_random(s)[0]) for s in self._seeds(seed)])
            self._seeded = True
        everywhere = np.ones(self.num_envs, bool)
        self._dreams.advance(np.zeros((self.num_envs, ACTIONS)), everywhere)
        if z is not None:
            self._dreams.place(z)
        self._over, self._steps = ~everywhere, np.zeros(self.num_envs, int)
        return self._observe(), {}

    def step(self, actions):
        if not self._seeded:
            raise ResetNeeded("Cannot call step() before calling reset()")
        actions = _checked(actions, (self.num_envs, ACTIONS))
        return self._step_at_once(actions) if self._at_once else self._step(actions)

    def render(self) -> tuple[np.ndarray, ...] | None:
        if self.render_mode is None:
            gymnasium.logger.warn("There is no render_mode; give one to gymnasium.make_vec.")
            return None
        return tuple(map(_enlarged, self._show(self._dreams.z)))

    def _step(self, actions: np.ndarray):
        begin = self._over
        reward, ended = self._dreams.advance(actions, begin)
        self._steps = np.where(begin, 0, self._steps + 1)
        cut_off = ~ended & (self._steps >= self.max_episode_steps)
        self._over = ended | cut_off
        return self._observe(), reward.astype(np.float64), ended, cut_off, {}

    def _step_at_once(self, actions: np.ndarray):
        last = self._steps + 1 >= self.max_episode_steps
        reward, ended, led_to = self._dreams.go_through(actions, last)
        over = ended | last
        self._steps = np.where(over, 0, self._steps + 1)
        info = {}
        if over.any():
            final = np.full(self.num_envs, None, object)
            for world, observation in zip(
                np.flatnonzero(over), self._as_observed(led_to[over]), strict=True
            ):
                final[world] = observation
            info = {"final_obs": final, "_final_obs": over}
        return self._observe(), reward.astype(np.float64), ended, last & ~ended, info

    def _seeds(self, seed: int | list[int | None] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        return [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else list(seed)

    def _observe(self) -> np.ndarray:
        return self._as_observed(self._dreams.z)

    def _as_observed(self, z: np.ndarray) -> np.ndarray:
        return z if self._observation == "latent" else self._show(z)


def _make(model, temperature: float, observation: str, start: str, count: int, *, shown: bool):
    """The dreams, a function from z to frames (None unless frames are wanted), and the space."""
    if os.getpid() != IMPORTED_IN:
        raise BadInput(
            "This process was forked from one that has loaded TensorFlow, which would wait in it "
            'for ever; make the vector with vector_kwargs={"context": "spawn"}, or, faster, with '
            'vectorization_mode="vector_entry_point".'
        )
    if observation not in OBSERVATIONS:
        raise BadInput(f"observation is {observation!r}; it can be {' or '.join(OBSERVATIONS)}.")
    directory = ModelDirectory(Path(model))
    dreams = DreamBatch(Dream(directory, temperature, start), count)
    show = None
    if shown or observation == "frame":
        decode = tf.function(vae.load(directory).decoder)

        def show(z: np.ndarray) -> np.ndarray:
            return to_bytes(decode(z))

    if observation == "frame":
        return dreams, show, spaces.Box(0, 255, FRAME, np.uint8)
    return dreams, show, spaces.Box(-np.inf, np.inf, (dreams.dream.memory.latent,), np.float32)


def _checked(actions, shape: tuple[int, ...]) -> np.ndarray:
    actions = np.asarray(actions, np.float32)
    if actions.shape != shape:
        raise BadInput(f"Actions are numbers of shape {shape}, not {actions.shape}.")
    if not np.isfinite(actions).all():
        raise BadInput("Actions are finite numbers; there is another among these.")
    return actions


def _z_of(options: dict | None):
    """The latent that the options of a `reset` ask for, or None."""
    for name in options or {}:
        if name != "z":
            raise BadInput(f"A dream's reset has no option {name!r}; there is z.")
    return (options or {}).get("z")


def _enlarged(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, (SHOWN, SHOWN), interpolation=cv2.INTER_CUBIC)


def _key(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))
