"""Exploration of an agent that records: held action noise and bursts of random actions.

M learns what actions do only from those it sees. A good driver steers into every bend: whether
steering or the bend turns the car, its recordings do not tell. Noise put into a demonstrator is
DART's (Laskey et al. 2017), and recordings of the present agent added to those before are a
data aggregation as in DAgger (Ross et al. 2011).

Only recordings are made so. A policy gradient explores by noise before the actions are squashed,
`controller.policy_gradient.trajectories.ActionNoise`; how a brake that never presses comes to
explore at all is `controller.arch.release_brake`.
"""

import numpy as np

LOW, HIGH = np.array([-1, 0, 0]), np.array([1, 1, 1])  # of CarRacing's actions
SHORTEST, LONGEST = 5, 160  # steps of a burst: a tenth of a second to three
REPLACED = ([True, True, True], [True, False, False], [False, True, True])  # all, wheel, pedals


class HeldNoise:
    """Normal noise on the actions of numbered jobs, held for `steps` steps on average.

    Noise that is held takes the car off its line, so that M sees where that leads and how it is
    mended; compare Eberhard et al. 2023, Pink Noise Is All You Need.
    """

    def __init__(self, deviation: float, steps: int, rngs: list[np.random.Generator]):
        self.deviation, self.steps, self.rngs = deviation, steps, rngs
        self._noise: list[np.ndarray | None] = [None] * len(rngs)

    def __call__(self, job: int, action: np.ndarray) -> np.ndarray:
        """The action (3,) of a job with its noise, within the bounds of CarRacing's actions."""
        rng = self.rngs[job]
        first = self._noise[job] is None
        if first or self.steps == 1 or rng.random() < 1 / self.steps:
            self._noise[job] = self.deviation * rng.standard_normal(3)
        return (action + self._noise[job]).clip(LOW, HIGH).astype(np.float32)


class ActionBursts:
    """Now and then a random action replaces wheel, pedals or both of a job and is held.

    A burst begins in one of `every` steps on average (0: there are none) and lasts 5 to 160, all
    orders of length alike. Steering is straight, any, or slight; gas none, half, full or any; one
    in five brakes. With the pedals alone replaced, a good driver comes too fast into bends.
    """

    def __init__(self, every: int, rngs: list[np.random.Generator]):
        self.every, self.rngs = every, rngs
        self._left = [0] * len(rngs)
        nothing = np.zeros(3, bool), np.zeros(3, np.float32)
        self._held: list[tuple[np.ndarray, np.ndarray]] = [nothing] * len(rngs)

    def __call__(self, job: int, action: np.ndarray) -> np.ndarray:
        """The action (3,) that is done: the job's own, but for what a burst replaces."""
        rng = self.rngs[job]
        if self._left[job] == 0:
            if self.every == 0 or rng.random() >= 1 / self.every:
                return action
            self._left[job] = int(np.exp(rng.uniform(*np.log([SHORTEST, LONGEST + 1]))))
            self._held[job] = np.array(REPLACED[rng.integers(3)]), _any_action(rng)
        self._left[job] -= 1
        replaced, held = self._held[job]
        return np.where(replaced, held, action)


def _any_action(rng: np.random.Generator) -> np.ndarray:
    steering = rng.choice([0.0, rng.uniform(-1, 1), 0.3 * rng.standard_normal()])
    gas = rng.choice([0.0, 0.5, 1.0, rng.uniform()])
    brake = rng.uniform() if rng.random() < 0.2 else 0.0
    return np.array([steering, gas, brake]).clip(LOW, HIGH).astype(np.float32)
