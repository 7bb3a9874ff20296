import math
import secrets

from envs.car_racing import CarRacing, shrink
from envs.renderer import Renderer

import Box2D
import cv2
import numpy as np
import pytest
from gymnasium.envs.box2d import car_racing
from gymnasium.envs.box2d.car_dynamics import Car
from gymnasium.envs.box2d.car_racing import GRASS_DIM, PLAYFIELD

GRASS = (102, 204, 102)
PATCH = (102, 230, 102)
ROAD = np.array([102.0, 102.0, 102.0])
BLUE, LIGHT_BLUE = (0, 0, 200), np.array([0.0, 0.0, 220.0])
ZOOMED = 2.0  # seconds: the zoom is over


@pytest.fixture
def seed() -> int:
    """Another one in every run; pytest shows it when the test fails."""
    seed = secrets.randbelow(2**31)
    print(f"seed {seed}")
    return seed


class ComparedRendering(CarRacing):
    """The fast rendering; now and then the original of the same moment, shrunk, in `stock`."""

    compared = True

    def _render(self, mode):
        if self.compared:
            self.stock = shrink(car_racing.CarRacing._render(self, mode))
        return super()._render(mode)


def towards(env: CarRacing, x: float, y: float) -> np.ndarray:
    """An action towards a point of the world."""
    hull = env.car.hull
    turn = math.atan2(y - hull.position[1], x - hull.position[0]) - math.pi / 2 - hull.angle
    turn = (turn + math.pi) % math.tau - math.pi
    gas = 0.6 * (hull.linearVelocity.length < 50)
    return np.array([np.clip(-1.5 * turn, -1, 1), gas, 0], np.float32)


def follow_track(env: CarRacing, sloppiness: float) -> np.ndarray:
    """An action towards the track ahead; sloppy driving also meets the grass."""
    places = np.array(env.track)[:, 2:]
    nearest = int(((places - env.car.hull.position) ** 2).sum(axis=1).argmin())
    action = towards(env, *places[(nearest + 4) % len(places)])
    action[0] = np.clip(action[0] + env.np_random.normal(0, sloppiness), -1, 1)
    return action


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM with an 11×11 Gaussian of sigma 1.5, where the window fits (Wang et al. 2004)."""

    def blurred(picture):
        return cv2.GaussianBlur(picture, (11, 11), 1.5)[5:-5, 5:-5]

    x, y = one.astype(float), other.astype(float)
    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((luminance * (2 * covariance + c2) / (var_x + var_y + c2)).mean())


def error(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of two uint8 pictures."""
    return float(np.abs(one.astype(int) - other).mean())


def compared_frames(env: ComparedRendering, seed: int, steps: list[int], sloppiness: float):
    """Drive and yield (step, our frame, the stock frame) at the given steps; reset gives step 1."""
    frame, _ = env.reset(seed=seed)
    for step in range(1, max(steps) + 1):
        if step in steps:
            yield step, frame, env.stock
        env.compared = step + 1 in steps
        frame, _, ended, _, _ = env.step(follow_track(env, sloppiness))
        if ended:
            return


@pytest.mark.parametrize("domain_randomize", [False, True])
@pytest.mark.parametrize("sloppiness", [0.0, 0.6])
def test_frames_are_the_originals_but_for_a_level_or_two(domain_randomize, sloppiness, seed):
    rng = np.random.default_rng(seed)
    zooming = [1, 2, 3, *rng.choice(np.arange(4, 50), 9, replace=False).tolist()]
    driving = rng.choice(np.arange(50, 600), 24, replace=False).tolist()
    env = ComparedRendering(domain_randomize=domain_randomize)
    for step, frame, stock in compared_frames(env, seed, zooming + driving, sloppiness):
        assert error(frame, stock) <= (2.5 if step < 50 else 1.5), f"step {step}"
        assert similarity(frame, stock) >= 0.97, f"step {step}"


def test_the_end_of_the_world_is_where_the_original_has_it(seed):
    env = ComparedRendering()
    env.reset(seed=seed)
    env.compared = False
    while max(np.abs(env.car.hull.position)) < PLAYFIELD - 15:
        env.step(towards(env, 2 * PLAYFIELD, 0))
    env.compared = True
    frame = env.step(np.zeros(3, np.float32))[0]
    assert (frame == 0).all(axis=2).any()
    assert error(frame, env.stock) <= 1.5


def test_ssim_of_a_constant_shift_is_its_luminance_term():
    one, other = np.full((64, 64, 3), 100, np.uint8), np.full((64, 64, 3), 120, np.uint8)
    expected = (2 * 100 * 120 + 2.55**2) / (100**2 + 120**2 + 2.55**2)
    assert similarity(one, other) == pytest.approx(expected)


# The rendering alone: a car put somewhere on a ground with one blue tile


def square(x: float, y: float, size: float) -> list[tuple[float, float]]:
    """Corners of a tile around a point of the world: left, right, right, left."""
    r = size / 2
    return [(x - r, y + r), (x + r, y + r), (x + r, y - r), (x - r, y - r)]


def car_at(x: float, y: float, angle: float = 0.0) -> Car:
    """A car whose nose points along +y, turned to the left by `angle` radians."""
    car = Car(Box2D.b2World((0, 0)), 0.0, x, y)
    for body in (car.hull, *car.wheels):
        offset_x, offset_y = body.position[0] - x, body.position[1] - y
        cos, sin = math.cos(angle), math.sin(angle)
        body.position = (x + cos * offset_x - sin * offset_y, y + sin * offset_x + cos * offset_y)
        body.angle = angle
    return car


def drawn(car: Car, tile: list, patch: tuple = GRASS, t: float = ZOOMED) -> np.ndarray:
    """A frame of grass with one blue tile. int (64, 64, 3)."""
    renderer = Renderer()
    renderer.begin([(tile, LIGHT_BLUE)], BLUE, GRASS, patch)
    return renderer.frame(car, t, 0).astype(int)


def blue_share(frame: np.ndarray) -> np.ndarray:
    """How much of each pixel (64, 64) the tile covers: green is 202 in grass and 0 in the tile."""
    share = (202 - frame[..., 1]) / 202
    share[48:62, 28:36] = 0  # the car
    return share


def blue_centre(frame: np.ndarray) -> tuple[float, float]:
    """Column and row of the tile's centre, in pixels from the upper left corner."""
    share = blue_share(frame)
    middles = np.arange(64) + 0.5
    column, row = share.sum(axis=0) @ middles, share.sum(axis=1) @ middles
    return column / share.sum(), row / share.sum()


# 16.2 window pixels a unit; a pixel of the frame is 15.625 wide and 10.9375 high in the window; the
# car stands in the middle, 600 window pixels from the top.
@pytest.mark.parametrize("angle", [0.0, 0.7, math.pi / 2, -2.5])
@pytest.mark.parametrize("ahead, right", [(20, 0), (25, 12), (8, -15), (-1, 10)])
def test_what_is_ahead_is_above_and_what_is_right_is_right(angle, ahead, right):
    x, y = 40.0, -70.0
    cos, sin = math.cos(angle), math.sin(angle)
    tile = square(x + right * cos - ahead * sin, y + right * sin + ahead * cos, 6)
    column, row = blue_centre(drawn(car_at(x, y, angle), tile))
    assert column == pytest.approx((500 + 16.2 * right) / 15.625, abs=0.25)
    assert row == pytest.approx((600 - 16.2 * ahead) / 10.9375, abs=0.25)


@pytest.mark.parametrize("left", [-6.0, -5.7, -5.4])
def test_a_road_is_as_wide_as_the_original_draws_it(left):
    """12 units and the window pixel under its outline: 195.4 window pixels, 12.5 of the frame."""
    road = blue_share(drawn(car_at(0, 0), square(left + 6, 20, 12)))
    assert road[22:27].sum(axis=1) == pytest.approx(12.5, abs=0.3)


def test_flat_areas_have_the_originals_levels():
    """Two less than drawn: the original's shrinking loses one level in each direction."""
    frame = drawn(car_at(GRASS_DIM / 2, GRASS_DIM / 2), square(9, 26, 10), PATCH)
    assert frame[63, 32].tolist() == [100, 228, 100]  # a patch under the car
    assert frame[60, 16].tolist() == [100, 202, 100]
    assert frame[28, 32].tolist() == [0, 0, 218]


def test_beyond_the_playfield_all_is_black():
    frame = drawn(car_at(PLAYFIELD, 0), square(0, 0, 6))
    assert (frame[:48, 33:] == 0).all()
    assert (frame[:48, :31] == [100, 202, 100]).all()


def test_the_camera_zooms_out_from_the_whole_world():
    """At the first step a unit is 0.912 window pixels: the playfield is 608 wide and high."""
    frame = drawn(car_at(0, 0), square(0, 100, 40), t=0.02)
    not_black = frame.any(axis=2)
    assert not_black[40].sum() == pytest.approx(608 / 15.625, abs=2)
    blue = frame[..., 2] > 160
    assert np.nonzero(blue)[0].mean() + 0.5 == pytest.approx((600 - 91.2) / 10.9375, abs=0.5)


def test_a_touched_tile_takes_the_roads_colour():
    car = car_at(0, 0)
    renderer = Renderer()
    renderer.begin([(square(0, 20, 12), LIGHT_BLUE)], BLUE, GRASS, GRASS)
    before = renderer.frame(car, ZOOMED, 0).astype(int)
    tile = car.world.CreateStaticBody()
    tile.idx = 0
    car.wheels[0].tiles.add(tile)
    after = renderer.frame(car, ZOOMED, 1).astype(int)
    assert before[25, 32].tolist() == [0, 0, 218] and after[25, 32].tolist() == [0, 0, 198]
    outside = before[..., 2] < 150
    np.testing.assert_array_equal(before[outside], after[outside])


def test_nothing_of_an_earlier_track_remains(seed):
    rng = np.random.default_rng(seed)
    car = car_at(0, 0)
    used, colours = Renderer(), [(GRASS, PATCH), ((50, 60, 70), (50, 80, 70))]
    for grass, patch in (*colours, colours[1]):
        road = [(square(*rng.uniform(-40, 40, 2), 8), ROAD) for _ in range(20)]
        fresh = Renderer()
        for renderer in (used, fresh):
            renderer.begin(road, ROAD, grass, patch)
        for t in (0.02, 0.2, 0.5, ZOOMED):
            np.testing.assert_array_equal(used.frame(car, t, 0), fresh.frame(car, t, 0))


def test_the_car_is_its_own_mirror_image_until_it_steers():
    far = square(0, 200, 6)
    frame = drawn(car_at(0, 0), far)
    np.testing.assert_allclose(frame, frame[:, ::-1], atol=3)

    def steered(angle: float) -> np.ndarray:
        car = car_at(0, 0)
        for wheel in car.wheels[:2]:
            wheel.angle = angle
        return drawn(car, far)

    left, right = steered(0.4), steered(-0.4)
    assert error(left, frame) > 0
    assert error(left, right[:, ::-1]) < error(left, right) / 3


def test_the_car_is_red_on_black_wheels_and_covers_its_own_area():
    """The hull's four polygons cover 3.10 square units, 4.77 pixels; its red is 202, as drawn."""
    car = car_at(0, 0)
    pixels = drawn(car, square(0, 200, 6))[48:62, 28:36]
    red = (pixels[..., 0] - pixels[..., 2]) / 202  # grass and tyres have as much blue as red
    polygons = [fixture.shape.vertices for fixture in car.hull.fixtures]
    canvas = np.zeros((4000, 4000), np.uint8)  # 500 pixels a unit: the area without overlaps
    for corners in polygons:
        cv2.fillConvexPoly(canvas, np.int32(np.array(corners) * 500 + 2000), 1)
    area = canvas.sum() / 500**2 * 16.2**2 / (15.625 * 10.9375)
    assert red.sum() == pytest.approx(area, rel=0.06)
    assert pixels[..., 1].min() < 60


def test_wheels_turn():
    def turned(phase: float) -> np.ndarray:
        car = car_at(0, 0)
        for wheel in car.wheels:
            wheel.phase = phase
        return drawn(car, square(0, 200, 6))

    underneath, above = turned(0.9), turned(0.9 + math.pi)
    assert (above >= underneath).all() and above.sum() > underneath.sum()
    np.testing.assert_array_equal(above, turned(0.9 - math.pi))
    np.testing.assert_array_equal(above, turned(0.9 + 7 * math.pi))
