"""The fast drawing: what the stock picture would look like after shrinking, without drawing it.

CarRacing-v3 draws 1000×800 pixels to keep 96×96 of them. Here the ground is drawn once an episode,
and a frame is one affine warp of it plus a few pixels of car. Three facts make that exact enough:

- On the ground nothing ever moves; only the grey of a tile changes when a wheel first touches it.
- The camera follows the hull and turns with it, so the hull is always at the same pixels; only the
  steered wheels and the white strips on the turning wheels differ between frames.
- The zoom depends on nothing but the step: it grows for the first second and then stays.

Coordinates: *world* (units of Box2D, the playfield's centre is 0, y up), *window* (the stock
1000×800 picture before it is flipped, y up), *frame* (64×64, y down).
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache, reduce
from math import floor

import cv2
import numpy as np
import pygame
from Box2D.b2 import polygonShape
from gymnasium.envs.box2d.car_dynamics import (
    HULL_POLY1,
    HULL_POLY2,
    HULL_POLY3,
    HULL_POLY4,
    SIZE,
    WHEEL_COLOR,
    WHEEL_R,
    WHEEL_W,
    WHEEL_WHITE,
    WHEELPOS,
    Car,
)
from gymnasium.envs.box2d.car_racing import (
    FPS,
    GRASS_DIM,
    PLAYFIELD,
    SCALE,
    STATE_H,
    STATE_W,
    WINDOW_H,
    WINDOW_W,
    ZOOM,
)

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
COARSEST = 1.2  # texels at most this many times as large as a frame's pixel (least error)
SUPERSAMPLING = 2  # drawn this much finer than a texel, then averaged
FIXED_POINT = 4  # fractional bits of the polygon filler's coordinates
# The filler also paints the pixels under a polygon's outline; roads are drawn narrower by this, in
# world units on each side, and come out as wide as in the original (least error).
TRIM = 0.17

# Averaging to 96×96, Pygame's smoothscale loses one level horizontally and one vertically.
LEVELS_LOST = 2

SAMPLING = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
CHANNELS = 4  # of the ground; the fourth is unused, but warping four is quicker than three
STEERING_PER_RADIAN = 10  # angles at which the front wheels are drawn
PHASES = 16  # turns of a wheel at which its white strip is drawn
PHASES_PER_RADIAN = PHASES / math.tau
PICTURES_KEPT = 1024  # sums of pictures of the car, at each zoom
HULL_COLOUR = (204, 0, 0)  # Car gives its hull 0.8 of 255
FULL = 256  # the weight of a pixel that is covered wholly


def _dimmed(colours: Sequence | np.ndarray) -> np.ndarray:
    """The colours (…, 3) that flat areas have in a stock frame. Returns int (…, 3)."""
    return np.maximum(np.asarray(colours).astype(int) - LEVELS_LOST, 0)


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
    ) -> None:
        """Draw the ground of a new track.

        road: in the order of drawing, (corners, colour) of every tile and kerb, as the stock
        environment keeps them in `road_poly`: left, right, right, left corner in world units, a
        tile's colour an array and a kerb's a tuple. road_colour: of the tiles once touched.
        """
        # Where a bend turns back, the original adds kerbs of no width at all.
        road = [piece for piece in road if piece[0][0] != piece[0][1]]
        corners = np.array([piece[0] for piece in road])
        colours = _dimmed([piece[1] for piece in road]).tolist()
        outlines = _fixed_point(_trimmed(corners), TEXELS_PER_UNIT * SUPERSAMPLING)
        pieces_by_block = _blocks_touched(corners)

        self._sow(_dimmed(grass_colour).tolist(), _dimmed(patch_colour).tolist())
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
        self._tile_insides = _fixed_point(middles + 0.9 * (tiles - middles), TEXELS_PER_UNIT)
        self._road_colour = _dimmed(road_colour).tolist()
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

    def draw_ground(self, car: Car, view: "View") -> np.ndarray:
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


# The view at one moment of the zoom


def view_at(t: float) -> "View":
    """The view t seconds after the start; from one second on it stays the same."""
    return _view_after(min(int(t * FPS + 0.5), FPS))


@cache
def _view_after(steps: int) -> "View":
    t = steps / FPS
    return View(zoom=0.1 * SCALE * (1 - t) + ZOOM * SCALE * t)


class View:
    """The camera's scale, and the car at that scale, shared by all worlds of a process.

    The car's pictures are made when first needed and kept: of the body and its wheels for every
    steering angle, of a wheel's white strip for every steering angle and turn, and as many sums of
    these as fit. They are uint16 (rows, columns, 3): colours times weights, a full weight is 256.
    """

    def __init__(self, zoom: float):
        """zoom: window pixels in a world unit."""
        self._zoom = zoom
        # From frame pixels to world units relative to the car, upright: x = across·column + left.
        self.across = PIXEL_W / zoom
        self.down = -PIXEL_H / zoom
        self.left = (PIXEL_W / 2 - CAR_X) / zoom
        self.top = (WINDOW_H - PIXEL_H / 2 - CAR_Y) / zoom
        pixel = math.sqrt(-self.across * self.down)
        coarsening = max(1.0, COARSEST * pixel * TEXELS_PER_UNIT)
        self.level = min(int(math.log2(coarsening)), LEVELS - 1)
        self.texels_per_unit = TEXELS_PER_UNIT / 2**self.level

        # The part of the window that the car can touch, and the pixels of the frame that see it.
        reach_x, reach_y = math.ceil(1.8 * zoom) + 1, math.ceil(2.8 * zoom) + 1
        self._window_left = int(CAR_X) - reach_x
        self._window_low = int(CAR_Y) - reach_y
        self._window_size = (2 * reach_x, 2 * reach_y)
        top = WINDOW_H - self._window_low - 2 * reach_y
        rows = _row_weights()[:, top : top + 2 * reach_y]
        columns = _column_weights()[:, self._window_left : self._window_left + 2 * reach_x]
        seen = np.flatnonzero(rows.any(axis=1))
        self._rows = slice(seen[0], seen[-1] + 1)
        seen = np.flatnonzero(columns.any(axis=1))
        self._columns = slice(seen[0], seen[-1] + 1)
        self._row_weights = rows[self._rows].astype(np.float32)
        self._column_weights = columns[self._columns].T.astype(np.float32)
        self._hull = self._mask([(corners, (0, 0), 0) for corners in _hull_corners()])
        self._body = cache(self._draw_body)
        self._strip = cache(self._draw_strip)
        self._body_and_front = lru_cache(PICTURES_KEPT)(self._draw_body_and_front)
        self._rear = lru_cache(PICTURES_KEPT)(self._draw_rear)

    def draw_car(self, frame: np.ndarray, car: Car) -> None:
        """Draw the car into a uint8 frame (64, 64, 3)."""
        wheels = car.wheels
        steering = round(wheels[0].joint.angle * STEERING_PER_RADIAN)
        phases = [floor(wheel.phase * PHASES_PER_RADIAN) % PHASES for wheel in wheels]
        behind, front = self._body_and_front(steering, phases[0], phases[1])
        pixels = frame[self._rows, self._columns]
        total = pixels.astype(np.uint16)
        np.multiply(total, behind, total)
        np.add(total, front, total)
        np.add(total, self._rear(phases[2], phases[3]), total)
        np.right_shift(total, 8, total)
        np.copyto(pixels, total, "unsafe")

    def _draw_body_and_front(self, steering: int, *phases: int) -> tuple[np.ndarray, np.ndarray]:
        """The weight of what is behind the car, and the car's colour but for its rear strips."""
        behind, paint = self._body(steering)
        strips = [self._strip(wheel, steering, phase) for wheel, phase in enumerate(phases)]
        return behind, sum(strips, start=paint)

    def _draw_rear(self, *phases: int) -> np.ndarray:
        """What the strips of the rear wheels add to the car's colour."""
        strips = (self._strip(wheel, 0, phase) for wheel, phase in enumerate(phases, start=2))
        return reduce(np.add, strips)

    def _draw_body(self, steering: int) -> tuple[np.ndarray, np.ndarray]:
        """Hull and wheels: the weight of what is behind them, and their own colour times weight."""
        wheels = self._mask([_on_wheel(n, _wheel_corners(), steering) for n in range(4)])
        hull, wheels = self._coverage(self._hull), self._coverage(wheels & ~self._hull)
        behind = FULL - np.rint(FULL * (hull + wheels))
        paint = FULL * hull * _dimmed(HULL_COLOUR) + FULL * wheels * _dimmed(WHEEL_COLOR)
        return np.broadcast_to(behind, paint.shape).astype(np.uint16), paint.astype(np.uint16)

    def _draw_strip(self, wheel: int, steering: int, phase: int) -> np.ndarray:
        """What the white strip of one wheel adds to the colour of its tyre, times weight."""
        strip = _strip_corners((phase + 0.5) / PHASES_PER_RADIAN)
        mask = self._mask([_on_wheel(wheel, strip, steering)] if strip else [])
        lighter = _dimmed(WHEEL_WHITE) - _dimmed(WHEEL_COLOR)
        return (FULL * self._coverage(mask & ~self._hull) * lighter).astype(np.uint16)

    def _mask(self, polygons: Sequence) -> np.ndarray:
        """The window pixels in polygons, by the original's polygon filler at the original's size.

        polygons: (corners, place, angle): corners in world units relative to `place` on the car,
        turned by `angle` radians. Returns bool (height, width), the top row first.
        """
        canvas = pygame.Surface(self._window_size, depth=8)
        for corners, place, angle in polygons:
            cos, sin = math.cos(angle), math.sin(angle)
            turned = np.array(corners) @ ((cos, sin), (-sin, cos)) + place
            points = turned * self._zoom + (CAR_X - self._window_left, CAR_Y - self._window_low)
            pygame.draw.polygon(canvas, 1, points.tolist())
        return pygame.surfarray.array2d(canvas).T[::-1] == 1

    def _coverage(self, mask: np.ndarray) -> np.ndarray:
        """How much of every pixel a mask covers. Returns float32 (rows, columns, 1) in [0, 1]."""
        return (self._row_weights @ mask.astype(np.float32) @ self._column_weights)[..., None]


# The car's polygons, in world units, in the order in which Box2D keeps their corners: the polygon
# filler decides by it which pixels under an outline belong.


@cache
def _hull_corners() -> list[list[tuple[float, float]]]:
    return [
        _in_box2d_order(polygon) for polygon in (HULL_POLY1, HULL_POLY2, HULL_POLY3, HULL_POLY4)
    ]


@cache
def _wheel_corners() -> list[tuple[float, float]]:
    w, r = WHEEL_W, WHEEL_R
    return _in_box2d_order([(-w, r), (w, r), (w, -r), (-w, -r)])


def _in_box2d_order(polygon: Sequence) -> list[tuple[float, float]]:
    return polygonShape(vertices=[(x * SIZE, y * SIZE) for x, y in polygon]).vertices


def _strip_corners(phase: float) -> list[tuple[float, float]] | None:
    """The white strip on a wheel turned by `phase` radians, or None while it is underneath.

    Computed as in car_dynamics.Car.draw.
    """
    start, end = phase, phase + 1.2  # radians
    if math.sin(start) > 0 and math.sin(end) > 0:
        return None
    first, last = (
        math.copysign(1, math.cos(turn)) if math.sin(turn) > 0 else math.cos(turn)
        for turn in (start, end)
    )
    w, r = WHEEL_W * SIZE, WHEEL_R * SIZE
    return [(-w, r * first), (w, r * first), (w, r * last), (-w, r * last)]


def _on_wheel(wheel: int, corners: Sequence, steering: int) -> tuple:
    """A polygon on a wheel, as `View._mask` takes it."""
    x, y = WHEELPOS[wheel]
    angle = steering / STEERING_PER_RADIAN if wheel < 2 else 0.0
    return corners, (x * SIZE, y * SIZE), angle


@cache
def _row_weights() -> np.ndarray:
    """Frame rows from window rows, top first, as the stock frame is shrunk and cut. (64, 800)"""
    above = _averaging(STATE_H, WINDOW_H)[:ROWS_ABOVE_INDICATORS]
    return _averaging(FRAME_SIZE, ROWS_ABOVE_INDICATORS) @ above


@cache
def _column_weights() -> np.ndarray:
    """Frame columns from window columns. (64, 1000)"""
    return _averaging(FRAME_SIZE, STATE_W) @ _averaging(STATE_W, WINDOW_W)


def _averaging(few: int, many: int) -> np.ndarray:
    """The matrix (few, many) that averages `many` pixels down to `few` by the area they share."""
    edges = np.arange(many + 1) * (few / many)
    pixel = np.arange(few)[:, None]
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return overlap.clip(0)
