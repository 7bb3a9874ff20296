"""stable-baselines3 in a vector of worlds, in a process of its own: TensorFlow is loaded here."""

import importlib.util
import subprocess
import sys

from runs.arguments import BadInput

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("stable_baselines3") is None, reason="needs the extra sb3"
    ),
]

WORLD = """
from envs.sb3 import FromVector

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

vector = gymnasium.make_vec(
    "envs:WorldModels/CarRacing-v0", 2, "sync", max_episode_steps=3,
    vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
)
worlds = FromVector(vector)
worlds.seed(7)
first = worlds.reset()
gas = np.tile(np.array([0, 1, 0], np.float32), (2, 1))
for step in range(3):
    frames, reward, over, told = worlds.step(gas)
assert over.all() and all(each["TimeLimit.truncated"] for each in told)
assert all((each["terminal_observation"] != frame).any() for each, frame in zip(told, frames))
assert frames.shape == (2, 64, 64, 3) and reward.dtype == np.float32
worlds.seed(7)
assert (worlds.reset() == first).all()
try:
    FromVector(gymnasium.make_vec("WorldModels/CarRacing-v0", 1, "sync"))
except ValueError as refused:
    assert "make it with AutoresetMode.SAME_STEP" in str(refused)
    print("fine")
"""


def test_episodes_begin_when_stable_baselines_wants_them():
    done = subprocess.run([sys.executable, "-c", WORLD], capture_output=True, text=True)
    assert done.stdout == "fine\n", done.stderr


def test_pytorch_after_tensorflow_is_refused():
    import runs.quiet  # noqa: F401 - TensorFlow

    with pytest.raises(BadInput, match="import envs.sb3 first, above vae, rnn and controller"):
        import envs.sb3  # noqa: F401
