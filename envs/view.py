"""The view at one moment of the zoom: the camera's scale, and the car at that scale."""

import math
from collections.abc import Sequence
from functools import cache, lru_cache, reduce
from math import floor

from envs.scales import (
    CAR_X,
    CAR_Y,
    FRAME_SIZE,
    LEVELS,
    PIXEL_H,
    PIXEL_W,
    ROWS_ABOVE_INDICATORS,
    TEXELS_PER_UNIT,
    dimmed,
)

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
    SCALE,
    STATE_H,
    STATE_W,
    WINDOW_H,
    WINDOW_W,
    ZOOM,
)

COARSEST = 1.2  # texels at most this many times as large as a frame's pixel (least error)
STEERING_PER_RADIAN = 10  # angles at which the front wheels are drawn
PHASES = 16  # turns of a wheel at which its white strip is drawn
PHASES_PER_RADIAN = PHASES / math.tau
PICTURES_KEPT = 1024  # sums of pictures of the car, at each zoom
HULL_COLOUR = (204, 0, 0)  # Car gives its hull 0.8 of 255
FULL = 256  # the weight of a pixel that is covered wholly


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
        covered = np.flatnonzero(rows.any(axis=1))
        self._rows = slice(covered[0], covered[-1] + 1)
        covered = np.flatnonzero(columns.any(axis=1))
        self._columns = slice(covered[0], covered[-1] + 1)
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
        paint = FULL * hull * dimmed(HULL_COLOUR) + FULL * wheels * dimmed(WHEEL_COLOR)
        return np.broadcast_to(behind, paint.shape).astype(np.uint16), paint.astype(np.uint16)

    def _draw_strip(self, wheel: int, steering: int, phase: int) -> np.ndarray:
        """What the white strip of one wheel adds to the colour of its tyre, times weight."""
        strip = _strip_corners((phase + 0.5) / PHASES_PER_RADIAN)
        mask = self._mask([_on_wheel(wheel, strip, steering)] if strip else [])
        lighter = dimmed(WHEEL_WHITE) - dimmed(WHEEL_COLOR)
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
