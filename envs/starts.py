"""Another start: at any place of the lap, in either direction, on a track by its seed."""

import dataclasses
import math
from typing import Any

from runs.arguments import BadInput

from gymnasium.envs.box2d.car_dynamics import SIZE, WHEELPOS, Car

LARGEST_SEED = 2**31 - 1  # of a track


@dataclasses.dataclass(frozen=True)
class Start:
    """Where an episode starts.

    track     the seed of the track, or None: the world's own stream of random numbers makes it
    at        the share of the lap, from 0 up to but without 1, at which the car starts
    reverse   whether it drives the track in the other direction
    """

    track: int | None = None
    at: float = 0.0
    reverse: bool = False

    @property
    def usual(self) -> bool:
        """Whether the car starts as in the original."""
        return self.at == 0 and not self.reverse


def of(options: dict | None) -> Start:
    """The start that the options of a `reset` ask for. Raises `BadInput` for what is none."""
    given: dict[str, Any] = dict(options or {})
    given.pop("randomize", None)  # the original's own: whether domain_randomize draws new colours
    known = [field.name for field in dataclasses.fields(Start)]
    for name in given:
        if name not in known:
            raise BadInput(
                f"reset has no option {name!r}; there are {', '.join(known)} and randomize."
            )
    start = Start(**given)
    whole = isinstance(start.track, int) and not isinstance(start.track, bool)
    if start.track is not None and not (whole and 0 <= start.track <= LARGEST_SEED):
        raise BadInput(f"track is {start.track!r}; it is a seed from 0 to {LARGEST_SEED:,}.")
    if not (isinstance(start.at, int | float) and 0 <= start.at < 1):
        raise BadInput(f"at is {start.at!r}; it is a share of the lap, from 0 up to but without 1.")
    if not isinstance(start.reverse, bool):
        raise BadInput(f"reverse is {start.reverse!r}; it is True or False.")
    return start


def turned(track: list[tuple], road: list, start: Start) -> tuple[list[tuple], list]:
    """A track and its tiles, in the order in which a car comes to them from its start.

    track: N places (alpha, direction, x, y); tile i lies between places i - 1 and i.
    """
    count = len(track)
    first = int(start.at * count)
    if not start.reverse:
        order = [(first + i) % count for i in range(count)]
        return [track[i] for i in order], [road[i] for i in order]
    places = [track[(first - i) % count] for i in range(count)]
    back = [(alpha, beta + math.pi, x, y) for alpha, beta, x, y in places]
    return back, [road[(first - i + 1) % count] for i in range(count)]


def put_wheels_under(car: Car) -> None:
    """Put a new car's wheels where its hull wants them.

    The original puts them as if every car looked up the picture, as all of its own do.
    """
    x, y = car.hull.position
    cos, sin = math.cos(car.hull.angle), math.sin(car.hull.angle)
    for wheel, place in zip(car.wheels, WHEELPOS, strict=True):
        right, ahead = (number * SIZE for number in place)
        wheel.position = (x + cos * right - sin * ahead, y + sin * right + cos * ahead)
