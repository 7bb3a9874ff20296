from vae import measures

import numpy as np
import pytest

GRASS = np.array([102, 204, 102]) / 255
ROAD = np.array([102, 102, 102]) / 255


def flat(level: float) -> np.ndarray:
    return np.full((1, 64, 64, 3), level, np.float32)


def road_frame(rows: slice, columns: slice) -> np.ndarray:
    """Grass with a rectangle of road."""
    frame = np.tile(GRASS, (1, 64, 64, 1)).astype(np.float32)
    frame[0, rows, columns] = ROAD
    return frame


def test_psnr_of_an_error_of_a_tenth_everywhere_is_20_db():
    assert measures.psnr(flat(0.5), flat(0.6)) == pytest.approx(20, abs=1e-3)


def test_psnr_of_equal_frames_is_100_db():
    assert measures.psnr(flat(0.5), flat(0.5)) == pytest.approx(100)


def test_ssim_of_flat_frames_is_its_luminance_term():
    # Without variance: (2ab + c1) / (a² + b² + c1), c1 = 0.01².
    expected = (2 * 0.5 * 0.25 + 1e-4) / (0.5**2 + 0.25**2 + 1e-4)
    assert measures.ssim(flat(0.5), flat(0.25)) == pytest.approx(expected, abs=1e-3)


def test_ssim_of_equal_frames_is_1_and_falls_with_noise():
    rng = np.random.default_rng(0)
    truth = rng.uniform(size=(2, 64, 64, 3)).astype(np.float32)
    noisy = truth + rng.normal(0, 0.3, truth.shape).astype(np.float32)
    assert measures.ssim(truth, truth) == pytest.approx([1, 1], abs=1e-5)
    assert (measures.ssim(truth, noisy) < 0.9).all()


def test_edge_energy_of_one_white_point_is_that_of_its_five_laplacians():
    frame = np.zeros((1, 64, 64, 3), np.float32)
    frame[0, 20, 20] = 1
    # -4 at the point, 1 at each of four neighbours, over 62 · 62 inner pixels.
    assert measures.edge_energy(frame) == pytest.approx(20 / 62**2)


def test_edge_energy_of_a_flat_slope_is_zero():
    slope = np.broadcast_to(np.linspace(0, 1, 64)[None, :, None, None], (1, 64, 64, 3))
    assert measures.edge_energy(slope) == pytest.approx(0, abs=1e-12)


def test_blur_lowers_edge_energy_and_noise_raises_it():
    truth = road_frame(slice(0, 64), slice(24, 40))
    blurred = (truth + np.roll(truth, 1, axis=2) + np.roll(truth, -1, axis=2)) / 3
    noisy = truth + np.random.default_rng(0).normal(0, 0.1, truth.shape)
    assert measures.edge_energy(blurred) < measures.edge_energy(truth)
    assert measures.edge_energy(noisy) > measures.edge_energy(truth)


@pytest.mark.parametrize(
    "colour, is_road",
    [
        ((102, 102, 102), True),
        ((100, 100, 100), True),
        ((107, 107, 107), True),
        ((102, 204, 102), False),
        ((102, 230, 102), False),
        ((255, 0, 0), False),
        ((255, 255, 255), False),
        ((102, 160, 102), False),  # a blur of road and grass, nearer to grass
        ((102, 140, 102), True),  # and one nearer to road
    ],
)
def test_road_is_found_by_the_nearest_colour(colour, is_road):
    frame = np.broadcast_to(np.array(colour) / 255, (1, 64, 64, 3))
    assert measures.road(frame)[0, 5, 5] == is_road


def test_nothing_under_the_car_is_road():
    found = measures.road(np.broadcast_to(ROAD, (1, 64, 64, 3)))
    assert found.sum() == 64 * 64 - 10 * 4
    assert not found[0, 55, 31]


def test_road_agreement_of_a_shifted_road_is_what_counting_gives():
    # 10 rows of 16 against 10 rows of 16, shifted by 4: 120 in both, 200 in either.
    truth = road_frame(slice(0, 10), slice(20, 36))
    other = road_frame(slice(0, 10), slice(24, 40))
    found = measures.road_agreement(truth, other)
    assert found["iou"] == pytest.approx(120 / 200)
    assert found["precision"] == pytest.approx(120 / 160)
    assert found["recall"] == pytest.approx(120 / 160)
    assert found["lost"] == 0


def test_a_road_of_which_less_than_half_is_found_is_lost():
    truth = road_frame(slice(0, 10), slice(20, 36))
    other = road_frame(slice(0, 4), slice(20, 36))
    found = measures.road_agreement(truth, other)
    assert found["recall"] == pytest.approx(0.4)
    assert found["precision"] == pytest.approx(1)
    assert found["lost"] == 1


def test_frames_without_road_are_left_out_and_a_vanished_road_has_no_precision():
    grass, straight = road_frame(slice(0), slice(0)), road_frame(slice(0, 64), slice(20, 30))
    found = measures.road_agreement(
        np.concatenate([grass, straight]), np.concatenate([straight, grass])
    )
    assert np.isnan([found[name][0] for name in found]).all()
    assert found["iou"][1] == 0 and found["recall"][1] == 0 and found["lost"][1] == 1
    assert np.isnan(found["precision"][1])
