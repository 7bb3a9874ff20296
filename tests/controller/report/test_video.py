from controller.report import video

import numpy as np
import pytest


@pytest.mark.parametrize(
    "cars, shape", [(1, (2, 4)), (2, (2, 8)), (3, (4, 8)), (4, (4, 8)), (5, (4, 12))]
)
def test_cars_stand_side_by_side(cars, shape):
    pictures = [np.full((2, 4, 3), number + 1, np.uint8) for number in range(cars)]
    whole = video.grid(pictures)
    assert whole.shape == (*shape, 3)
    assert (whole[:2, :4] == 1).all() and set(np.unique(whole)) - {0} == set(range(1, cars + 1))
    if cars > 1:
        assert (whole[:2, 4:8] == 2).all()


def test_words_stand_in_the_corner_white_with_a_shadow():
    grey = np.full((192, 288, 3), 128, np.uint8)
    picture = video.labelled(grey.copy(), "Ada 321")
    corner = picture[:24, :100].reshape(-1, 3)
    assert corner.max() > 220 and corner.min() < 60
    assert (picture[24:] == 128).all() and (picture[:, 100:] == 128).all()
    assert not np.array_equal(picture, video.labelled(grey.copy(), "Ada 322"))
