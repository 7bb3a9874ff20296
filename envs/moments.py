"""A moment of an episode as data: physics is a function of the track and the actions since then."""

import copy
import dataclasses
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np


@dataclasses.dataclass
class Log:
    """All that an episode came of.

    rng      the world's random numbers as they were when its track was made
    options  of the `reset`
    actions  the numbers of all actions since, one action after the other
    width    numbers of an action: 3, or 1 where actions are discrete
    """

    rng: np.random.Generator
    options: dict | None
    width: int
    actions: array = dataclasses.field(default_factory=lambda: array("d"))

    @classmethod
    def begin(cls, rng: np.random.Generator, options: dict | None, width: int) -> "Log":
        return cls(copy.deepcopy(rng), copy.deepcopy(options), width)

    def driven(self) -> Iterator[Any]:
        """The actions again, as the world takes them."""
        if self.width == 1:
            yield from map(int, self.actions)
            return
        yield from np.array(self.actions).reshape(-1, self.width)
