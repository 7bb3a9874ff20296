"""benchmarks/pedals.py: for real on a tiny agent, and its figures by hand."""

import re

import numpy as np
import pytest


@pytest.fixture
def pedals(load):
    return load("benchmarks/pedals.py")


def test_it_drives_an_agent_and_tells(racer, scripts):
    printed = scripts.succeed("benchmarks/pedals.py", racer, "--tracks", 2)
    assert "| turning ahead, radians | steps | speed | gas | brake pressed |" in printed
    shares = re.findall("R² of .*, linear in what C acts on: (.*)", printed)
    assert len(shares) == 2 and np.isfinite([float(share) for share in shares]).all()


def test_the_table_by_hand(pedals):
    driven = {
        "turn": np.array([0.1, 0.2, 0.3, 3.0]),
        "speed": np.array([60.0, 40.0, 30.0, 20.0]),
        "gas": np.array([0.5, 0.1, 0.0, 0.0]),
        "brake": np.array([0.0, 0.0, 0.1, 0.0]),
    }
    assert pedals.table(driven).splitlines()[2:] == [
        "| 0 to 0.25 | 50% | 50 | 0.30 | 0.0% |",
        "| 0.25 to 0.5 | 25% | 30 | 0.00 | 100.0% |",
        "| 2 to inf | 25% | 20 | 0.00 | 0.0% |",
    ]


def test_a_linear_target_is_explained_and_noise_is_not(pedals):
    rng = np.random.default_rng(0)
    features, track = rng.normal(size=(900, 3)), np.repeat(np.arange(3), 300)
    assert pedals.explained(features, features @ [1, 2, 3] + 4, track, 1 / 3) > 0.999
    assert pedals.explained(features, rng.normal(size=900), track, 1 / 3) < 0.1
