"""The scales of the pictures that a frame is made of, and the colours of the stock one.

Coordinates: *world* (units of Box2D, the playfield's centre is 0, y up), *window* (the stock
1000×800 picture before it is flipped, y up), *texels* of the ground, *frame* (64×64, y down).
"""

from collections.abc import Sequence

import numpy as np
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD, STATE_H, WINDOW_H, WINDOW_W

FRAME_SIZE = 64  # pixels, height and width of a frame
ROWS_ABOVE_INDICATORS = 84  # of the stock frame's 96; below it lies the indicator bar

# Window pixels that one pixel of the frame covers, and where the car stands in the window.
PIXEL_W = WINDOW_W / FRAME_SIZE
PIXEL_H = WINDOW_H * ROWS_ABOVE_INDICATORS / STATE_H / FRAME_SIZE
CAR_X, CAR_Y = WINDOW_W / 2, WINDOW_H / 4

# The ground is a square of equal blocks, each with one patch of lighter grass in its lower corner.
BLOCKS = round(PLAYFIELD / GRASS_DIM)  # in each direction
BLOCK_TEXELS = 40  # texels along a block: with bilinear sampling this blurs like the area average
TEXELS = BLOCKS * BLOCK_TEXELS
TEXELS_PER_UNIT = TEXELS / (2 * PLAYFIELD)
LEVELS = 5  # pictures of the ground, each half as fine as the one before

# Averaging to 96×96, Pygame's smoothscale loses one level horizontally and one vertically.
LEVELS_LOST = 2


def dimmed(colours: Sequence | np.ndarray) -> np.ndarray:
    """The colours (…, 3) that flat areas have in a stock frame. Returns int (…, 3)."""
    return np.maximum(np.asarray(colours).astype(int) - LEVELS_LOST, 0)
