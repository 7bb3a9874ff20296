"""M remembers and predicts. `rnn.load(model_directory)` gives a trained one.

Importing this package registers `WorldModels/CarRacingDream-v0` with Gymnasium.
"""

from envs import MAX_STEPS
from rnn.saved import Memory, lineage, load, restore, save

import gymnasium

__all__ = ["DREAM_ID", "Memory", "lineage", "load", "restore", "save"]

DREAM_ID = "WorldModels/CarRacingDream-v0"

if DREAM_ID not in gymnasium.registry:
    gymnasium.register(
        id=DREAM_ID,
        entry_point="rnn.dream.env:DreamEnv",
        vector_entry_point="rnn.dream.env:DreamVectorEnv",
        max_episode_steps=MAX_STEPS,
    )
