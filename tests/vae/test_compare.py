import vae
from envs import recording, rollouts
from runs.directory import ModelDirectory
from vae import arch, compare

import keras
import numpy as np
import pytest


def test_an_estimate_is_the_ratio_of_sums_over_episodes():
    sums = np.array([[1.0, 2], [5, 4]])  # 6 / 6
    found = compare.estimate([sums, 2 * sums * [1, 0.5]], np.random.default_rng(0))  # and 12 / 6
    assert found["mean"] == pytest.approx((1 + 2) / 2)
    assert found["seeds_sd"] == pytest.approx(np.sqrt(0.5))
    assert found["low"] < found["mean"] < found["high"]


@pytest.mark.slow
def test_an_interval_covers_what_it_promises(monkeypatch):
    """Of many samples of 30 episodes, about 95 in 100 intervals hold the true mean."""
    monkeypatch.setattr(compare, "RESAMPLED", 200)
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        values = rng.normal(3, 1, 30)
        found = compare.estimate([np.stack([values, np.ones(30)], axis=1)], rng)
        held += found["low"] < 3 < found["high"]
    assert 85 <= held <= 100


def test_episodes_without_a_measure_count_nothing():
    sums = np.array([[0.0, 0], [3, 4]])
    assert compare.estimate([sums], np.random.default_rng(0))["mean"] == pytest.approx(0.75)


def test_a_difference_leaves_out_what_is_hard_for_both():
    rng = np.random.default_rng(1)
    hard = rng.normal(3, 1, 30)
    one = np.stack([hard + 0.1 + rng.normal(0, 0.01, 30), np.ones(30)], axis=1)
    other = np.stack([hard, np.ones(30)], axis=1)
    found = compare.difference([one], [other], rng)
    assert found["mean"] == pytest.approx(0.1, abs=0.01)
    assert 0.09 < found["low"] < found["mean"] < found["high"] < 0.11
    assert "+0.10 (+0." in compare.markdown({"a": dict.fromkeys(compare.COLUMNS, found)}, "+")


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rollout")
    for track in (5, 6):
        recording.record(folder, track, "random", 100)
    return [compare.see(path, 2) for path in rollouts.paths(folder)]


def test_every_second_frame_is_seen(seen):
    assert seen[0].obs.shape == (50, 64, 64, 3) and seen[0].states.shape == (50, 4)
    assert seen[0].kinds["start"].sum() == 25


@pytest.mark.slow
def test_every_column_is_measured_for_every_episode(seen, tmp_path):
    keras.utils.set_random_seed(1)
    directory = ModelDirectory(tmp_path)
    vae.save(directory, arch.encoder(4), arch.decoder(4), {"architecture": "vae", "latent": 4})
    sums = compare.sums(vae.load(directory), seen, seen)
    assert sums.keys() == compare.COLUMNS.keys()
    assert all(rows.shape == (2, 2) and np.isfinite(rows).all() for rows in sums.values())
    found = {
        name: compare.estimate([rows], np.random.default_rng(0)) for name, rows in sums.items()
    }
    # Untrained: grey, so no edges and no road.
    assert 0 <= found["sharpness"]["mean"] < 0.1
    table = compare.markdown({"one": found, "other": found}).splitlines()
    assert len(table) == 2 + len(compare.COLUMNS)
    assert all(line.count("|") == 4 for line in table)
