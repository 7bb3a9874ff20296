from vae import pictures

import numpy as np
from imageio import v3 as imageio


def test_bytes_stay_and_floats_are_rounded_and_clipped():
    assert pictures.to_bytes([[-0.5, 0.0, 0.5, 1.0, 7.0]]).tolist() == [[0, 0, 128, 255, 255]]
    frames = np.arange(256, dtype=np.uint8)
    assert np.array_equal(pictures.to_bytes(frames), frames)
    assert np.array_equal(pictures.to_bytes(frames / 255), frames)


def test_frames_are_spread_over_episodes_and_over_each(tmp_path, record, episode):
    paths = record(tmp_path, [40, 40, 40])
    chosen = pictures.fixed_frames(paths, 6)
    # Episode 0, 1, 2, 0, 1, 2; in each at (2 i + 1) / 12 of its length.
    expected = [episode(40, i % 3).obs[(2 * i + 1) * 40 // 12] for i in range(6)]
    assert np.array_equal(chosen, np.stack(expected))


def test_one_short_episode_is_enough(tmp_path, record):
    assert pictures.fixed_frames(record(tmp_path, [2]), 12).shape == (12, 64, 64, 3)


def test_a_strip_has_one_row_of_frames_above_the_other(tmp_path):
    bright, dark = np.full((3, 64, 64, 3), 200, np.uint8), np.zeros((3, 64, 64, 3), np.float32)
    dark[1] = 0.2
    pictures.strip(tmp_path / "strip.png", [bright, dark], scale=2)
    picture = imageio.imread(tmp_path / "strip.png")
    assert picture.shape == (2 * 2 * 64, 3 * 2 * 64, 3)
    assert (picture[:128] == 200).all()
    assert (picture[128:, 128:256] == 51).all() and (picture[128:, :128] == 0).all()
    pictures.strip(tmp_path / "named.png", [bright, dark], names=("recorded", "what V keeps"))
    named = imageio.imread(tmp_path / "named.png")
    np.testing.assert_array_equal(named[:, pictures.MARGIN :], picture)
    # A name stands at the left of its row, black on white.
    for row in (named[:128, : pictures.MARGIN], named[128:, : pictures.MARGIN]):
        assert row.min() < 50 and np.median(row) == 255


def test_a_strip_s_names_fit_and_its_columns_have_heads(tmp_path):
    bright = np.full((2, 64, 64, 3), 200, np.uint8)
    heads = ("seen", "1 ahead")
    pictures.strip(tmp_path / "heads.png", [bright], names=("decode(encode(frame))",), heads=heads)
    picture = imageio.imread(tmp_path / "heads.png")
    assert picture.shape == (pictures.LABEL + 128, pictures.MARGIN + 256, 3)
    assert (picture[:, pictures.MARGIN - 2 : pictures.MARGIN] == 255).all()
    above = picture[: pictures.LABEL, pictures.MARGIN :]
    assert all(head.min() < 50 for head in (above[:, :128], above[:, 128:]))
