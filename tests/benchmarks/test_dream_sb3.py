"""A stranger's agent learns in the dream for some seconds."""

import importlib.util
import re
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[2] / "res" / "published" / "vae"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None, reason="needs the extra sb3"
)


def test_ppo_learns_beside_tensorflow_in_one_process(scripts, tmp_path):
    curve = tmp_path / "curve.png"
    arguments = [PUBLISHED, "--minutes", 0.1, "--picture", curve]
    printed = scripts.succeed("benchmarks/dream_sb3.py", *arguments)
    found = re.search(r"([\d,]+) with learning, ([\d,]+) of the dreams alone", printed)
    learning, alone = (int(rate.replace(",", "")) for rate in found.groups())
    assert 0 < learning < alone
    assert re.search(r"PPO, last tenth +-?\d", printed) and curve.exists()
