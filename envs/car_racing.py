"""CarRacing as the agent sees it: Gymnasium's physics, frames of 64×64×3."""

from envs.renderer import Renderer
from envs.scales import FRAME_SIZE, ROWS_ABOVE_INDICATORS
from runs.arguments import BadInput

import cv2
import numpy as np
from gymnasium import spaces
from gymnasium.envs.box2d import car_racing
from gymnasium.utils import EzPickle

DRAWINGS = ("fast", "stock")


def shrink(stock_frame: np.ndarray) -> np.ndarray:
    """Cut the indicator bar off a stock frame and average what is left down to 64×64.

    stock_frame: uint8 (96, 96, 3), as CarRacing-v3 gives it. Returns a new uint8 (64, 64, 3).
    """
    assert stock_frame.shape == (car_racing.STATE_H, car_racing.STATE_W, 3), stock_frame.shape
    above = stock_frame[:ROWS_ABOVE_INDICATORS]
    return cv2.resize(above, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_AREA)


class CarRacing(car_racing.CarRacing):
    """Gymnasium's CarRacing-v3 with small frames.

    Actions, rewards, endings and physics are CarRacing-v3's own; only the drawing differs.

    Observations: uint8 (64, 64, 3), the stock frame's top 84 of 96 rows averaged down by area.

    Info, of `step` and `reset`: the original's, and
        tiles_visited   tiles of the track the wheels have touched so far
        tiles           tiles of the track

    Arguments: those of CarRacing-v3, and
        drawing   "fast": see envs/renderer.py; the same picture but for a level or two of 255
                  "stock": draw 1000×800 pixels as the original does, then shrink
    """

    def __init__(
        self,
        render_mode: str | None = None,
        verbose: bool = False,
        lap_complete_percent: float = 0.95,
        domain_randomize: bool = False,
        continuous: bool = True,
        drawing: str = "fast",
    ):
        if drawing not in DRAWINGS:
            raise BadInput(f"drawing is {drawing!r}; it can be {' or '.join(DRAWINGS)}.")
        super().__init__(render_mode, verbose, lap_complete_percent, domain_randomize, continuous)
        # The original has noted its own five arguments for pickling; a copy needs all six.
        EzPickle.__init__(
            self,
            render_mode,
            verbose,
            lap_complete_percent,
            domain_randomize,
            continuous,
            drawing,
        )
        self.drawing = drawing
        self.renderer = Renderer() if drawing == "fast" else None
        self.observation_space = spaces.Box(0, 255, (FRAME_SIZE, FRAME_SIZE, 3), np.uint8)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        frame, info = super().reset(seed=seed, options=options)
        return frame, self._count_tiles(info)

    def step(self, action):
        frame, reward, terminated, truncated, info = super().step(action)
        return frame, reward, terminated, truncated, self._count_tiles(info)

    def _count_tiles(self, info: dict) -> dict:
        info["tiles_visited"] = self.tile_visited_count
        info["tiles"] = len(self.track)
        return info

    def _create_track(self) -> bool:
        made = super()._create_track()
        if made and self.renderer is not None:
            self.renderer.begin(self.road_poly, self.road_color, self.bg_color, self.grass_color)
        return made

    def _render(self, mode: str):
        if mode != "state_pixels":
            return super()._render(mode)
        if self.renderer is not None:
            assert self.car is not None
            return self.renderer.frame(self.car, self.t, self.tile_visited_count)
        return shrink(super()._render(mode))
