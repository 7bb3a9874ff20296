"""benchmarks/toy_2d.py: its density by hand, and a tiny run of it."""

import json

from runs import arguments

import numpy as np
import pytest
from imageio import v3 as imageio


@pytest.fixture
def toy(load):
    return load("benchmarks/toy_2d.py")


def test_the_density_is_one_over_the_plane_and_highest_on_the_arcs(toy):
    axis = np.arange(-3.5, 3.5, 0.02)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2) + 0.001
    # The angle's normal distribution is cut off at ± π, where 0.01 % of it would go on.
    assert np.exp(toy.log_density(grid)).sum() * 0.02**2 == pytest.approx(1, abs=2e-3)
    on, between = toy.log_density(np.array([[1.5, 0.0], [2.0, 0.0]]))
    assert on == pytest.approx(np.log(0.5 / (0.8 * 0.06 * 2 * np.pi) / 1.5))
    assert on - between > 30


def test_points_are_where_the_density_says(toy):
    found = toy.points(20_000, np.random.default_rng(0))
    radius = np.hypot(*found.T)
    assert (radius > 2).mean() == pytest.approx(0.5, abs=0.02)
    assert np.arctan2(found[:, 1], found[:, 0]).std() == pytest.approx(0.8, abs=0.02)


def test_a_tiny_run_draws_and_measures_all_three(toy, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(toy, "AT_ONCE", 2)
    monkeypatch.setattr("sys.argv", ["toy_2d.py", "--steps", "1", "--res", str(tmp_path)])
    arguments.run(toy.main)
    content = json.loads((tmp_path / "toy_2d.json").read_text())
    assert list(content["rows"]) == [
        "true points",
        "VAE, reconstructions",
        "VAE, fantasies",
        "VAE-GAN, reconstructions",
        "VAE-GAN, fantasies",
        "WGAN-GP, fantasies",
    ]
    assert content["rows"]["true points"]["on_an_arc"] == pytest.approx(0.99)
    assert "| VAE, fantasies |" in capsys.readouterr().out
    assert imageio.imread(tmp_path / "toy_2d.png").std() > 0
