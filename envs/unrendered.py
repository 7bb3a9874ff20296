"""CarRacing's physics without its pictures: several times as fast, for looking back at episodes."""

from envs.driving_info import DrivingInfo

from gymnasium.envs.box2d import car_racing


class Unrendered(car_racing.CarRacing):
    """CarRacing-v3's physics and rewards; frames are None, `info` has the facts."""

    def __init__(self):
        super().__init__()
        self._driving_info = DrivingInfo()

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        frame, info = super().reset(seed=seed, options=options)
        return frame, info | self._driving_info.begin(self)

    def step(self, action):
        frame, reward, terminated, truncated, info = super().step(action)
        if action is not None:
            info |= self._driving_info.after_step(self.tile_visited_count)
        return frame, reward, terminated, truncated, info

    def _render(self, mode: str):
        return None
