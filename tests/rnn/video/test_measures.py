from rnn.video import measures, report
from rnn.video.sequences import Video

import numpy as np
import pytest


def video(length: int, seed: int = 0) -> Video:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (length, 64, 64, 3), dtype=np.uint8)
    condition = np.arange(length, dtype=np.float32)[:, None]
    return Video(f"video {seed}", length, lambda: (frames, condition))


def test_stretches_begin_where_they_should_and_end_within_the_video():
    [one] = measures.stretches([video(20), video(8)], before=3, future=6, every=4)
    starts = one.condition[:, 0, 0]
    assert list(starts) == [0, 4, 8]  # 12 would need 21 frames
    assert one.frames.shape == (3, 9, 64, 64, 3)
    frames, _ = video(20).read()
    np.testing.assert_array_equal(one.frames[1], frames[4:13])


def test_psnr_by_hand_and_ssim_of_equal_frames():
    true = np.full((1, 2, 64, 64, 3), 0.5, np.float32)
    other = true.copy()
    other[:, 1] += 0.1  # a mean squared error of 0.01: 20 dB
    found = measures.compare(true, other)
    np.testing.assert_allclose(found["psnr"], [[100, 20]], rtol=1e-4)
    assert found["ssim"][0, 0] == pytest.approx(1) and found["ssim"][0, 1] < 1


def test_the_best_is_chosen_for_each_stretch_by_its_mean_psnr():
    true = np.zeros((2, 2, 64, 64, 3), np.float32)

    def prediction(*errors):
        return true + np.array(errors, np.float32).reshape(2, 2, 1, 1, 1)

    # PSNR of errors 0.1, 0.01 and 0.001: 20, 40 and 60 dB.
    one = prediction(0.001, 0.1, 0.1, 0.1)  # means of 40 and 20
    other = prediction(0.1, 0.01, 0.01, 0.1)  # of 30 and 30
    found = measures.best(true, iter([one, other]))
    np.testing.assert_array_equal(found, np.stack([one[0], other[1]]))


def test_an_estimate_is_the_mean_over_stretches_with_an_interval_over_videos():
    # Two stretches of one video, one of another: (1 + 3 + 8) / 3.
    found = measures.estimate([np.array([[1.0], [3.0]]), np.array([[8.0]])], seed=1)
    assert found["mean"] == [4.0]
    # Resampled, both may be the first video, or the second.
    assert (found["low"], found["high"]) == ([2.0], [8.0])
    same = measures.estimate([np.full((2, 3), 5.0)] * 4, seed=1)
    assert same["low"] == same["mean"] == same["high"] == [5.0] * 3


def test_differences_are_of_the_same_stretches():
    rng = np.random.default_rng(0)
    base = [rng.normal(20, 5, (3, 4)) for _ in range(6)]
    found = {
        "one": {"psnr": [values + 1 for values in base], "ssim": base},
        "other": {"psnr": base, "ssim": base},
    }
    less = report.differences(found, [("one", "other")], seed=1)["one less other"]
    np.testing.assert_allclose(less["mean"], 1)
    np.testing.assert_allclose(less["low"], less["high"])
    table = report.markdown(report.estimated(found, seed=1), {"one less other": less})
    assert "| one less other | +1.00 (+1.00 to +1.00) |" in table
    assert "| PSNR, dB | 1 ahead | 2 ahead | mean of 4 |" in table
