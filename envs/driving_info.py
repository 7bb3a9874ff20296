"""What the simulator knows and a frame does not show, for `info`: nobody above reaches into it."""

from typing import Any

import gymnasium
from gymnasium.envs.box2d import car_racing

SHORTCUT = 40  # tiles; who skips more has not driven on but come upon another part of the track


class DrivingInfo:
    """Keeps what one world's `info` tells beside the original's. Call `begin` at every reset.

    tiles            tiles of the track
    tiles_visited    of these the wheels have touched so far
    lap              the share of the track's tiles that is visited, from 0 to 1
    foremost_tile    the number of the furthest tile that a wheel came to by driving on; tiles
                     are numbered from the start in the direction of driving
    missed_tiles     how many up to that one are unvisited, less any visited beyond it
    wheels_on_grass  how many of the four wheels touch no tile of the road
    speed            of the hull, in units of Box2D a second
    """

    def begin(self, world: car_racing.CarRacing) -> dict[str, Any]:
        """What to tell of a world that was just reset."""
        assert world.car is not None
        self._hull = world.car.hull
        self._under_wheels = [wheel.tiles for wheel in world.car.wheels]
        self._tiles = len(world.track)
        self._foremost = 0
        return self._told(world.tile_visited_count, self._under_wheels.count(set()))

    def after_step(self, visited: int) -> dict[str, Any]:
        """What to tell after a step of physics. Call it once after each.

        visited: how many tiles the world has counted so far.
        """
        foremost, furthest, on_grass = self._foremost, self._foremost, 0
        for tiles in self._under_wheels:
            if not tiles:
                on_grass += 1
            for tile in tiles:
                # At the start a wheel may stand on the track's last tile.
                if furthest < tile.idx < foremost + SHORTCUT:
                    furthest = tile.idx
        self._foremost = furthest
        return self._told(visited, on_grass)

    def _told(self, visited: int, on_grass: int) -> dict[str, Any]:
        missed = self._foremost + 1 - visited
        return {
            "tiles": self._tiles,
            "tiles_visited": visited,
            "lap": visited / self._tiles,
            "foremost_tile": self._foremost,
            "missed_tiles": missed if missed > 0 else 0,
            "wheels_on_grass": on_grass,
            "speed": self._hull.linearVelocity.length,
        }


class TellDrivingInfo(gymnasium.Wrapper):
    """Gymnasium's own CarRacing-v3 with the facts in its `info`."""

    def __init__(self, env: gymnasium.Env):
        super().__init__(env)
        self._driving_info = DrivingInfo()

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        frame, info = self.env.reset(seed=seed, options=options)
        return frame, info | self._driving_info.begin(self._world)

    def step(self, action):
        frame, reward, terminated, truncated, info = self.env.step(action)
        info |= self._driving_info.after_step(self._world.tile_visited_count)
        return frame, reward, terminated, truncated, info

    @property
    def _world(self) -> car_racing.CarRacing:
        world = self.env.unwrapped
        assert isinstance(world, car_racing.CarRacing), world
        return world
