"""Worlds and dreams for stable-baselines3: `FromVector` makes its `VecEnv` of a vector of them.

Import this module before all that loads TensorFlow, which is `vae`, `rnn` and `controller`:
PyTorch's compiler can crash where TensorFlow's libraries were loaded first. Needs the extra `sb3`.
"""

import sys
from collections.abc import Iterable
from typing import Any

from runs.arguments import BadInput

# What stable-baselines3 would load with the first optimiser, after TensorFlow.
if "tensorflow" in sys.modules and "torch._dynamo" not in sys.modules:
    raise BadInput(
        "TensorFlow is loaded, and PyTorch's compiler can crash beside it; import envs.sb3 "
        "first, above vae, rnn and controller."
    )

import runs.quiet  # noqa: F401 - TensorFlow, which stable-baselines3 loads beside TensorBoard

import gymnasium
import numpy as np
import torch._dynamo  # noqa: F401
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv


class FromVector(VecEnv):
    """A vector of environments as stable-baselines3 drives them, at the vector's own speed.

    env: a `gymnasium.vector.VectorEnv` made with autoreset_mode=AutoresetMode.SAME_STEP, for that
    is when stable-baselines3 wants a new episode to begin.
    """

    def __init__(self, env: gymnasium.vector.VectorEnv):
        mode = env.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.SAME_STEP:
            raise BadInput(
                f"The vector's autoreset_mode is {mode}; make it with AutoresetMode.SAME_STEP."
            )
        self.env = env
        self.render_mode = env.render_mode
        self._actions = np.empty(0)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> np.ndarray:
        # What `seed` was given, one for each world, or none.
        seeds: Any = None if None in self._seeds else [int(seed) for seed in self._seeds]
        observations, _ = self.env.reset(seed=seeds)
        self._reset_seeds()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self):
        observations, reward, ended, cut_off, info = self.env.step(self._actions)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for world in np.flatnonzero(ended | cut_off):
            infos[world] = {
                "terminal_observation": info["final_obs"][world],
                "TimeLimit.truncated": bool(cut_off[world] and not ended[world]),
            }
        return observations, np.asarray(reward, np.float32), ended | cut_off, infos

    def close(self) -> None:
        self.env.close()

    def get_images(self):
        return list(self.env.render() or [])

    def get_attr(self, attr_name: str, indices=None) -> list[Any]:
        return [getattr(self.env, attr_name)] * self._count(indices)

    def set_attr(self, attr_name: str, value: Any, indices=None) -> None:
        raise NotImplementedError("The worlds of a vector share their attributes.")

    def env_method(self, method_name: str, *arguments, indices=None, **named) -> list[Any]:
        raise NotImplementedError("The worlds of a vector are stepped together only.")

    def env_is_wrapped(self, wrapper_class, indices=None) -> list[bool]:
        return [False] * self._count(indices)

    def _count(self, indices: None | int | Iterable[int]) -> int:
        return len(list(self._get_indices(indices)))
