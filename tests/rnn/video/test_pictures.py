from rnn.video import pictures
from rnn.video.arch_cvae import Networks
from rnn.video.sequences import Video

import pytest
from imageio import v3 as imageio


@pytest.mark.slow
def test_however_long_the_past_its_video_shows_28_predicted_frames_at_most(square, tmp_path):
    frames, action = square(70, 1)
    video = Video("square", len(frames), lambda: (frames, action))
    pictures.prediction(tmp_path, "cvae", Networks(3, 1 / 64, past=35), [video], seed=1)
    assert len(imageio.imread(tmp_path / "cvae.gif", index=None)) == 35 + 28
    assert imageio.imread(tmp_path / "cvae_strip.png").std() > 0
