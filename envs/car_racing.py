"""CarRacing as the agent sees it: Gymnasium's physics, frames of 64×64×3."""

from math import isfinite
from typing import Any

from envs import starts
from envs.driving_info import DrivingInfo
from envs.moments import Log
from envs.renderer import Renderer
from envs.scales import FRAME_SIZE, ROWS_ABOVE_INDICATORS
from runs.arguments import BadInput

import cv2
import numpy as np
from gymnasium import spaces
from gymnasium.envs.box2d import car_racing
from gymnasium.error import ResetNeeded
from gymnasium.utils import EzPickle, seeding

RENDERINGS = ("fast", "stock")


def shrink(stock_frame: np.ndarray) -> np.ndarray:
    """Cut the indicator bar off a stock frame and average what is left down to 64×64.

    stock_frame: uint8 (96, 96, 3), as CarRacing-v3 gives it. Returns a new uint8 (64, 64, 3).
    """
    assert stock_frame.shape == (car_racing.STATE_H, car_racing.STATE_W, 3), stock_frame.shape
    above = stock_frame[:ROWS_ABOVE_INDICATORS]
    return cv2.resize(above, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_AREA)


class CarRacing(car_racing.CarRacing):
    """Gymnasium's CarRacing-v3 with small frames.

    Actions, rewards, endings and physics are CarRacing-v3's own; only the rendering differs.
    Numbers of an action outside their bounds act as the bounds do. `step` raises `BadInput`, a
    ValueError, for an action that is not three finite numbers, and `ResetNeeded` before the first
    `reset`.

    Observations: uint8 (64, 64, 3), the stock frame's top 84 of 96 rows averaged down by area.

    Info, of `step` and `reset`: the original's, and the facts of `envs.driving_info.DrivingInfo`.

    Options of `reset`, of which an unknown one is refused: those of `envs.starts.Start`, and the
    original's `randomize`.

    A pickled or deep copy is the same world at the same moment: it drives the episode again.

    Arguments: those of CarRacing-v3, and
        rendering   "fast": see envs/renderer.py; the same picture but for a level or two of 255
                    "stock": draw 1000×800 pixels as the original does, then shrink

    `lap_complete_percent` changes nothing, in the original neither: it is looked at when a wheel
    first touches the first tile, which it does at the start. A lap ends with its last tile.
    """

    road: Any  # the tiles, b2Body each, in the order in which a car comes to them

    def __init__(
        self,
        render_mode: str | None = None,
        verbose: bool = False,
        lap_complete_percent: float = 0.95,
        domain_randomize: bool = False,
        continuous: bool = True,
        rendering: str = "fast",
    ):
        if rendering not in RENDERINGS:
            raise BadInput(f"rendering is {rendering!r}; it can be {' or '.join(RENDERINGS)}.")
        super().__init__(render_mode, verbose, lap_complete_percent, domain_randomize, continuous)
        # The original has noted its own five arguments for pickling; a copy needs all six.
        EzPickle.__init__(
            self,
            render_mode,
            verbose,
            lap_complete_percent,
            domain_randomize,
            continuous,
            rendering,
        )
        self.rendering = rendering
        self.renderer = Renderer() if rendering == "fast" else None
        self.observation_space = spaces.Box(0, 255, (FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
        self._driving_info = DrivingInfo()
        self._start = starts.Start()
        self._track_rng: np.random.Generator | None = None
        self._log: Log | None = None  # of the episode that is driven
        self._skips_pictures = False

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        self._start = starts.of(options)
        track = self._start.track
        self._track_rng = None if track is None else seeding.np_random(track)[0]
        if seed is not None:
            self._np_random, self._np_random_seed = seeding.np_random(seed)
        self._log = Log.begin(self.np_random, options, 3 if self.continuous else 1)
        frame, info = super().reset(options=options)
        info.update(self._driving_info.begin(self))
        return frame, info

    def step(self, action):
        if action is None:
            # The original's `reset` makes this step, in which the car comes to stand.
            if not self._start.usual:
                assert self.car is not None
                starts.put_wheels_under(self.car)
        else:
            action = self._noted(action)
        frame, reward, terminated, truncated, info = super().step(action)
        if action is not None:
            info.update(self._driving_info.after_step(self.tile_visited_count))
        return frame, reward, terminated, truncated, info

    def render(self):
        if self._log is None:
            raise ResetNeeded("Cannot call `env.render()` before calling `env.reset()`")
        return super().render()

    def _noted(self, action) -> np.ndarray | int:
        """An action as the original takes it, if three numbers an array (3,); it is also noted."""
        if self._log is None:
            raise ResetNeeded("Cannot call env.step() before calling env.reset()")
        if not self.continuous:
            if self.action_space.contains(action):  # Otherwise the original refuses it.
                self._log.actions.append(action)
            return action
        if type(action) is not np.ndarray:
            action = np.asarray(action, np.float64)
        if action.shape != (3,):
            raise BadInput(f"An action is 3 numbers, not of shape {action.shape}.")
        values = action.tolist()
        steering, gas, brake = values
        if not (isfinite(steering) and isfinite(gas) and isfinite(brake)):
            raise BadInput(f"An action is 3 finite numbers, not {values}.")
        self._log.actions.extend(values)
        return action

    def _create_track(self) -> bool:
        if self._track_rng is None:
            made = super()._create_track()
        else:
            usual, self._np_random = self._np_random, self._track_rng
            made = super()._create_track()
            self._np_random = usual
        if not made:
            return False
        # In the order of drawing, which no start changes.
        drawn = list(self.road)
        if not self._start.usual:
            self.track, self.road = starts.turned(self.track, drawn, self._start)
            for number, tile in enumerate(self.road):
                tile.idx = number
        if self.renderer is not None:
            numbers = [tile.idx for tile in drawn]
            colours = self.road_color, self.bg_color, self.grass_color
            self.renderer.begin(self.road_poly, *colours, numbers)
        return True

    def _render(self, mode: str):
        if mode != "state_pixels":
            return super()._render(mode)
        if self.renderer is not None:
            assert self.car is not None
            return self.renderer.frame(self.car, self.t, self.tile_visited_count)
        return None if self._skips_pictures else shrink(super()._render(mode))

    # Copies

    def __getstate__(self) -> dict[str, Any]:
        colours = self.road_color, self.bg_color, self.grass_color
        moment = self._log, self._np_random, self._np_random_seed, colours, self.spec
        return {**super().__getstate__(), "moment": moment}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        log, rng, seed, colours, self.spec = state["moment"]
        self.road_color, self.bg_color, self.grass_color = colours
        if log is not None:
            self._drive_again(log)
        self._np_random, self._np_random_seed = rng, seed

    def _drive_again(self, log: Log) -> None:
        shown, self.render_mode = self.render_mode, None
        self._skips_pictures = True
        self._np_random = log.rng
        self.reset(options=log.options)
        for action in log.driven():
            self.step(action)
        self._skips_pictures = False
        self.state = self._render("state_pixels")
        self.render_mode = shown
