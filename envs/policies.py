"""Drivers that need no training, for the first recordings."""

from collections.abc import Iterator

import numpy as np

START = 20
HOLD = 5
CHOICES = ("nothing", "gas", "left", "right", "brake")
PROBABILITIES = (0.1, 0.4, 0.2, 0.2, 0.1)


def random(rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Full gas for 20 steps, then every 5 steps one choice of uniform magnitude.

    Yields actions (3,) float32: steering in [-1, 1], gas and brake in [0, 1].
    """
    for _ in range(START):
        yield np.array([0, 1, 0], np.float32)
    while True:
        choice = rng.choice(CHOICES, p=PROBABILITIES)
        size = rng.uniform()
        action = {
            "nothing": [0, 0, 0],
            "gas": [0, size, 0],
            "left": [-size, 0, 0],
            "right": [size, 0, 0],
            "brake": [0, 0, size],
        }[choice]
        for _ in range(HOLD):
            yield np.array(action, np.float32)


def brownian(rng: np.random.Generator, step: float = 0.1) -> Iterator[np.ndarray]:
    """A random walk of steering and pedal, both reflected at -1 and 1.

    The pedal is gas above zero and brake below; it starts at half gas so that the car moves.
    """
    walk = np.array([0.0, 0.5])
    while True:
        steering, pedal = walk
        yield np.array([steering, max(pedal, 0), max(-pedal, 0)], np.float32)
        walk = walk + rng.normal(0, step, 2)
        walk = np.where(np.abs(walk) > 1, np.sign(walk) * 2 - walk, walk)


POLICIES = {"random": random, "brownian": brownian}
