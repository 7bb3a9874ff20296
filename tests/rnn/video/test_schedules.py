from rnn.video.schedules import kl_weights, teacher_forcing
from runs.arguments import BadInput
from settings.video import Annealing, TeacherForcing, TrainCVAE

import numpy as np
import pytest


@pytest.mark.parametrize(
    "kind, more, expected",
    [
        # One cycle of 8 epochs, of which a quarter is the rise: 0, 1/8 / 1/4, 1, …
        ("monotonic", {}, [0, 0.5, 1, 1, 1, 1, 1, 1]),
        # Two cycles of 4 epochs, of which half is the rise.
        ("cyclical", {"kl_cycles": 2}, [0, 0.5, 1, 1, 0, 0.5, 1, 1]),
        ("cyclical", {"kl_cycles": 2, "kl_rise": 1.0}, [0, 0.25, 0.5, 0.75] * 2),
        ("none", {}, [1] * 8),
    ],
)
def test_the_weight_of_the_kl_by_hand(kind, more, expected):
    settings = Annealing(kl_anneal=kind, kl_weight=2.0, **more)
    np.testing.assert_allclose(kl_weights(settings, 8), 2 * np.array(expected, float))


def test_cycles_need_not_divide_the_epochs():
    # T = 10/3: epochs 0, 4 and 7 are the first of their cycles, 0, 2/3 and 1/3 into them.
    found = kl_weights(Annealing(kl_anneal="cyclical", kl_weight=1.0, kl_rise=1.0), 10)
    expected = [0, 0.3, 0.6, 0.9, 0.2, 0.5, 0.8, 0.1, 0.4, 0.7]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    "stays_0, more",
    [
        (True, {"epochs": 3}),
        (True, {"epochs": 2, "kl_cycles": 4}),
        (True, {"epochs": 1, "kl_anneal": "monotonic"}),
        (False, {"epochs": 4}),
        (False, {"epochs": 2, "kl_anneal": "monotonic"}),
        (False, {"epochs": 3, "kl_anneal": "none"}),
    ],
)
def test_a_weight_of_the_kl_that_stays_0_is_refused_unless_0_was_asked_for(stays_0, more):
    if not stays_0:
        assert kl_weights(TrainCVAE(**more), more["epochs"]).max() > 0
        return
    with pytest.raises(BadInput, match="the weight of the KL stays 0"):
        TrainCVAE(**more)
    assert kl_weights(TrainCVAE(kl_weight=0.0, **more), more["epochs"]).max() == 0


def test_teacher_forcing_by_hand():
    settings = TeacherForcing(
        teacher_forcing_start=3, teacher_forcing_step=0.25, teacher_forcing_floor=0.4
    )
    np.testing.assert_allclose(teacher_forcing(settings, 7), [1, 1, 1, 0.75, 0.5, 0.4, 0.4])
    never = TeacherForcing(teacher_forcing_step=0.0)
    np.testing.assert_allclose(teacher_forcing(never, 50), 1)
