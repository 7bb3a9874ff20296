from rnn.dream import pictures
from rnn.measures import calibration

import numpy as np
from imageio import v3 as imageio


def test_a_head_of_which_nothing_came_is_not_praised(tmp_path):
    # 0.25 given to eight steps of which half came; 0.75 to as many of which all did.
    given = np.repeat([0.25, 0.75], 8)
    came = np.repeat([True, False, True], [4, 4, 8])
    heads = {"tile": calibration(given, came), "done": calibration(given, np.zeros(16, bool))}
    assert pictures.judged("tile", heads["tile"]) == "a new tile: off by 25.00 % on average"
    said = pictures.judged("done", heads["done"])
    assert said == "the end: never came in 16 steps, nothing to judge"
    pictures.reliability(tmp_path / "calibration.png", heads, "M")
    assert imageio.imread(tmp_path / "calibration.png").std() > 0
