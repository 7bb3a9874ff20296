"""The world: importing this package registers `WorldModels/CarRacing-v0` with Gymnasium."""

import os
import sys

import runs  # noqa: F401 - before NumPy, which Gymnasium imports
from settings.recording import MAX_STEPS

import gymnasium

# Pygame, which draws the stock pictures, looks for a screen unless it is told that there is none.
_SHOWS_NOTHING = sys.platform.startswith("linux") and not (
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
)
if _SHOWS_NOTHING:
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

ENV_ID = "WorldModels/CarRacing-v0"

if ENV_ID not in gymnasium.registry:
    gymnasium.register(
        id=ENV_ID,
        entry_point="envs.car_racing:CarRacing",
        max_episode_steps=MAX_STEPS,
        reward_threshold=900,
    )
