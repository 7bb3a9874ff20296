"""The fast rendering: what the stock picture would look like when shrunk, without drawing it.

CarRacing-v3 draws 1000×800 pixels to keep 96×96 of them. Here the ground is drawn once an episode,
and a frame is one affine warp of it plus a few pixels of car. Three facts make that exact enough:

- On the ground nothing ever moves; only the grey of a tile changes when a wheel first touches it.
- The camera follows the hull and turns with it, so the hull is always at the same pixels; only the
  steered wheels and the white strips on the turning wheels differ between frames.
- The zoom depends on nothing but the step: it grows for the first second and then stays.

The coordinates are those of `envs.scales`; the car's pictures are in `envs.view`.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from envs.scales import (
    BLOCK_TEXELS,
    BLOCKS,
    FRAME_SIZE,
    LEVELS,
    TEXELS,
    TEXELS_PER_UNIT,
    dimmed,
)
from envs.view import View, view_at

import cv2
import numpy as np
from gymnasium.envs.box2d.car_dynamics import Car
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD

SUPERSAMPLING = 2  # drawn this much finer than a texel, then averaged
FIXED_POINT = 4  # fractional bits of the polygon filler's coordinates
# The filler also paints the pixels under a polygon's outline; roads are drawn narrower by this, in
# world units on each side, and come out as wide as in the original (least error).
TRIM = 0.17

SAMPLING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
CHANNELS = 4  # of the ground; the fourth is unused, but warping four is quicker than three


class Renderer:
    """Draws the frames of one world. Call `begin` when a track is made, then `frame` every step."""

    def __init__(self):
        sizes = [TEXELS >> level for level in range(LEVELS)]
        self._levels = [np.zeros((size, size, CHANNELS), np.uint8) for size in sizes]
        self._levels_are_old = True
        self._grass: tuple | None = None  # its two colours, as last sown
        self._plain_fine: np.ndarray = np.empty(0)  # a block of grass before averaging
        self._plain: np.ndarray = np.empty(0)  # and after
        self._under_road: set[tuple[int, int]] = set()  # blocks that are not plain grass
        self._tile_insides = np.empty(0)  # of every tile the texels that are road and nothing else
        self._road_colour: list[int] = []
        self._repainted: set[int] = set()  # numbers of the tiles that wheels have touched
        self._visited = 0  # how many of them the world has counted
        self._camera = np.empty((2, 3))
        self._wide_frame = np.empty((FRAME_SIZE, FRAME_SIZE, CHANNELS), np.uint8)

    # The ground, once an episode

    def begin(
        self,
        road: Sequence,
        road_colour: np.ndarray,
        grass_colour: np.ndarray,
        patch_colour: np.ndarray,
        numbers: Sequence[int] | None = None,
    ) -> None:
        """Draw the ground of a new track.

        road: in the order of drawing, (corners, colour) of every tile and kerb, as the stock
        environment keeps them in `road_poly`: left, right, right, left corner in world units, a
        tile's colour an array and a kerb's a tuple. road_colour: of the tiles once touched.
        numbers: of the tiles, in that order; by default they count up.
        """
        # Where a bend turns back, the original adds kerbs of no width at all.
        road = [piece for piece in road if piece[0][0] != piece[0][1]]
        corners = np.array([piece[0] for piece in road])
        colours = dimmed([piece[1] for piece in road]).tolist()
        outlines = _fixed_point(_trimmed(corners), TEXELS_PER_UNIT * SUPERSAMPLING)
        pieces_by_block = _blocks_touched(corners)

        self._sow(dimmed(grass_colour).tolist(), dimmed(patch_colour).tolist())
        for column, row in self._under_road - pieces_by_block.keys():
            self._texels(column, row)[:] = self._plain
        self._under_road = set(pieces_by_block)

        canvas = np.empty_like(self._plain_fine)
        block_length = len(canvas) * 2**FIXED_POINT
        for (column, row), pieces in pieces_by_block.items():
            np.copyto(canvas, self._plain_fine)
            origin = np.array((column, row), np.int32) * block_length
            for piece, outline in zip(pieces, outlines[pieces] - origin, strict=True):
                cv2.fillConvexPoly(canvas, outline, colours[piece], cv2.LINE_8, FIXED_POINT)
            _average(canvas, into=self._texels(column, row))
        self._levels_are_old = True

        tiles = corners[[isinstance(piece[1], np.ndarray) for piece in road]]
        middles = tiles.mean(axis=1, keepdims=True)
        insides = _fixed_point(middles + 0.9 * (tiles - middles), TEXELS_PER_UNIT)
        self._tile_insides = insides if numbers is None else insides[np.argsort(numbers)]
        self._road_colour = dimmed(road_colour).tolist()
        self._repainted = set()
        self._visited = 0

    def _sow(self, grass: list[int], patch: list[int]) -> None:
        """Cover the whole ground with grass, unless it has these colours already."""
        if self._grass == (grass, patch):
            return
        self._grass = (grass, patch)
        fine = BLOCK_TEXELS * SUPERSAMPLING
        self._plain_fine = np.zeros((fine, fine, CHANNELS), np.uint8)
        self._plain_fine[..., :3] = grass
        self._plain_fine[: fine // 2, : fine // 2, :3] = patch
        self._plain = np.empty((BLOCK_TEXELS, BLOCK_TEXELS, CHANNELS), np.uint8)
        _average(self._plain_fine, into=self._plain)
        self._levels[0][:] = np.tile(self._plain, (BLOCKS, BLOCKS, 1))
        self._under_road = set()

    def _texels(self, column: int, row: int) -> np.ndarray:
        """The texels of one block, a view (BLOCK_TEXELS, BLOCK_TEXELS, CHANNELS)."""
        x, y = column * BLOCK_TEXELS, row * BLOCK_TEXELS
        return self._levels[0][y : y + BLOCK_TEXELS, x : x + BLOCK_TEXELS]

    def _refresh_levels(self) -> None:
        for finer, coarser in zip(self._levels, self._levels[1:], strict=False):
            _average(finer, into=coarser)
        self._levels_are_old = False

    # The frame, every step: each microsecond counts

    def frame(self, car: Car, t: float, tiles_visited: int) -> np.ndarray:
        """What the camera sees t seconds after the start. Returns a new uint8 (64, 64, 3).

        tiles_visited: how many tiles the wheels have touched since `begin`.
        """
        if tiles_visited != self._visited:
            self._visited = tiles_visited
            self._repaint_touched_tiles(car)
        if self._levels_are_old:
            self._refresh_levels()
        view = view_at(t)
        frame = self.draw_ground(car, view)
        view.draw_car(frame, car)
        return frame

    def _repaint_touched_tiles(self, car: Car) -> None:
        """Tiles differ a little in grey until the car touches them; then the world evens it out.

        A tile's outermost texels, mixed with grass or kerb, stay: it is five levels at most.
        """
        for wheel in car.wheels:
            for tile in wheel.tiles:
                if tile.idx not in self._repainted:
                    self._repainted.add(tile.idx)
                    inside = self._tile_insides[tile.idx]
                    grey = self._road_colour
                    cv2.fillConvexPoly(self._levels[0], inside, grey, cv2.LINE_8, FIXED_POINT)

    def draw_ground(self, car: Car, view: View) -> np.ndarray:
        """A frame without the car. Returns a new uint8 (64, 64, 3)."""
        hull = car.hull
        x, y = hull.position
        angle = hull.angle
        scale = view.texels_per_unit
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        across, down, left, top = view.across, view.down, view.left, view.top
        # From frame pixels to texels: the offset from the car, turned, added to the car's place.
        camera = self._camera
        camera[0, 0] = cos * across
        camera[0, 1] = -sin * down
        camera[0, 2] = scale * (x + PLAYFIELD) + cos * left - sin * top - 0.5
        camera[1, 0] = sin * across
        camera[1, 1] = cos * down
        camera[1, 2] = scale * (y + PLAYFIELD) + sin * left + cos * top - 0.5
        wide = self._wide_frame
        cv2.warpAffine(
            self._levels[view.level],
            camera,
            (FRAME_SIZE, FRAME_SIZE),
            wide,
            SAMPLING,
            cv2.BORDER_CONSTANT,  # black outside the playfield
        )
        return cv2.cvtColor(wide, cv2.COLOR_BGRA2BGR)


def _average(picture: np.ndarray, into: np.ndarray) -> None:
    """Shrink a picture to the size of another array, which may be part of a larger one."""
    cv2.resize(picture, into.shape[1::-1], dst=into, interpolation=cv2.INTER_AREA)


def _fixed_point(corners: np.ndarray, pixels_per_unit: float) -> np.ndarray:
    """World coordinates (…, 2) as the polygon filler takes them: int32, pixel centres whole."""
    pixels = (corners + PLAYFIELD) * pixels_per_unit - 0.5
    return np.rint(pixels * 2**FIXED_POINT).astype(np.int32)


def _trimmed(corners: np.ndarray) -> np.ndarray:
    """Move the left and right sides of road pieces (N, 4, 2) inwards by TRIM."""
    inwards = corners[:, [1, 0, 3, 2]] - corners
    return corners + inwards * (TRIM / np.linalg.norm(inwards, axis=2, keepdims=True))


def _blocks_touched(corners: np.ndarray) -> dict[tuple[int, int], list[int]]:
    """Which road pieces (N, 4, 2) reach into which block: {(column, row): [piece, …]}, in order."""
    texel = 1 / TEXELS_PER_UNIT
    first = (corners.min(axis=1) - texel + PLAYFIELD) / (2 * GRASS_DIM)
    last = (corners.max(axis=1) + texel + PLAYFIELD) / (2 * GRASS_DIM)
    reach = np.hstack([first, last]).astype(int).clip(0, BLOCKS - 1).tolist()
    pieces = defaultdict(list)
    for piece, (left, low, right, high) in enumerate(reach):
        # A piece is shorter than a block, so that it touches at most two each way.
        for column in {left, right}:
            for row in {low, high}:
                pieces[column, row].append(piece)
    return pieces
