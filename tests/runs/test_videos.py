from runs import videos

import numpy as np
import pytest
from imageio import v3 as imageio

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 24, 32, 3), dtype=np.uint8)


def duration(path) -> float:
    """Milliseconds for which each picture of a GIF is shown."""
    return imageio.immeta(path)["duration"]


def test_a_video_that_is_small_is_whole(tmp_path):
    videos.save_video(tmp_path / "f.gif", PICTURES, 0.05)
    assert imageio.imread(tmp_path / "f.gif", index=None).shape == PICTURES.shape
    assert duration(tmp_path / "f.gif") == 50


def test_a_video_that_is_large_has_fewer_pictures_for_as_long(tmp_path):
    videos.save_video(tmp_path / "whole.gif", PICTURES, 0.05)
    size = (tmp_path / "whole.gif").stat().st_size
    videos.save_video(tmp_path / "half.gif", PICTURES, 0.05, largest=size - 1)
    half = imageio.imread(tmp_path / "half.gif", index=None)
    assert len(half) == 3 and duration(tmp_path / "half.gif") == 100
    assert (tmp_path / "half.gif").stat().st_size < size


def test_the_last_picture_can_stay(tmp_path):
    videos.save_video(tmp_path / "f.gif", PICTURES, 0.05, pause=2)
    shown = [imageio.immeta(tmp_path / "f.gif", index=i)["duration"] for i in range(6)]
    assert shown == [50] * 5 + [2050]


@pytest.mark.skipif(not videos.MP4, reason="needs the extra video")
@pytest.mark.parametrize("height, width", [(48, 64), (47, 63)])
def test_with_the_extra_an_mp4_of_all_pictures_lies_beside_the_gif(tmp_path, height, width):
    greys = np.linspace(20, 235, 10).round().astype(np.uint8)
    pictures = np.broadcast_to(greys[:, None, None, None], (10, height, width, 3))
    videos.save_video(tmp_path / "f.gif", list(pictures), 0.1, pause=0.5, largest=1)
    video = imageio.imread(tmp_path / "f.mp4")
    # The last stays for five more; an odd edge is there twice, as players want even ones.
    assert video.shape == (15, 48, 64, 3)
    expected = [*greys, *[greys[-1]] * 5]
    np.testing.assert_allclose(video.mean(axis=(1, 2, 3)), expected, atol=4)
    assert imageio.immeta(tmp_path / "f.mp4")["fps"] == 10


@pytest.mark.skipif(not videos.MP4, reason="needs the extra video")
@pytest.mark.parametrize("program", ["missing", "not executable", "broken"])
def test_where_ffmpeg_does_not_run_the_gif_is_there_and_a_sentence(
    tmp_path, monkeypatch, capfd, program
):
    ffmpeg = tmp_path / "ffmpeg"
    if program != "missing":
        ffmpeg.write_text("#!/bin/sh\nexit 127\n")
        ffmpeg.chmod(0o755 if program == "broken" else 0o644)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(ffmpeg))
    videos.save_video(tmp_path / "videos" / "f.gif", PICTURES, 0.05)
    assert [path.name for path in (tmp_path / "videos").iterdir()] == ["f.gif"]
    [told] = capfd.readouterr().err.splitlines()
    assert "f.mp4 is not written, for ffmpeg does not run (" in told
    assert imageio.imread(tmp_path / "videos" / "f.gif", index=None).shape == PICTURES.shape


@pytest.mark.skipif(videos.MP4, reason="the extra video is installed")
def test_without_the_extra_there_is_the_gif_alone(tmp_path):
    videos.save_video(tmp_path / "f.gif", PICTURES, 0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["f.gif"]
