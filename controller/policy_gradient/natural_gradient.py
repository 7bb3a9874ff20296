"""Natural policy gradient for the linear policy (Kakade 2001; Rajeswaran et al. 2017, algorithm 1).

C's raw action is θᵀx with x = [z h 1], plus noise that lasts, n_t = ρ n_{t-1} + √(1 - ρ²) σ ε_t.
The gradient of a step's log-likelihood is d_t (ε_t / σ)ᵀ, d_t = (x_t - ρ x_{t-1}) / √(1 - ρ²), so
that the Fisher matrix of each action is E[d dᵀ] / σ², exactly. The critic is a least-squares fit.
So there is no network to train here, and what a generation leaves to the next is a few sums.
"""

from pathlib import Path

from controller import arch
from controller.policy_gradient.trajectories import Noise, Trace
from envs.rollouts import readable
from runs.arguments import BadInput
from runs.directory import write_whole
from settings.driving import PolicyGradient

import numpy as np

STATE = ("policy", "generation", "gradient", "fisher", "seen", "worth")


class Ascent:
    """Climbs the return from a given policy, one step for each batch of episodes.

    What is saved is all that it knows, so that a resumed ascent is the one that was stopped.
    """

    def __init__(self, settings: PolicyGradient, start: np.ndarray):
        self.settings = settings
        self.noise = Noise(settings.noise, settings.persistence)
        kernel, bias = arch.unpack(np.asarray(start)[None])
        self.policy = np.vstack([kernel[0], bias]).astype(np.float64)  # θ (F + 1, 3)
        self.generation = 0
        x, judged = len(self.policy), len(self.policy) + len(_progress(np.zeros((1, 2))).T)
        self.gradient: np.ndarray = np.zeros((x, arch.ACTIONS))
        self.fisher: np.ndarray = np.zeros((x, x))
        self.seen: np.ndarray = np.zeros((judged, judged))  # Σ j jᵀ of what the critic saw
        self.worth: np.ndarray = np.zeros(judged)  # Σ j R

    @property
    def mean(self) -> np.ndarray:
        """The policy without its noise, (P,) as `arch` lays it out."""
        return self.policy.ravel()

    @property
    def sigma(self) -> float:
        """The largest SD of the noise."""
        return float(max(self.noise.sd))

    def tell(self, traces: list[Trace]) -> None:
        """Take a step on what these episodes, driven by the present policy, tell."""
        gradient = np.zeros_like(self.gradient)
        fisher = np.zeros_like(self.fisher)
        # One episode at a time: a generation's scores at once would take gigabytes.
        for trace, advantages in zip(traces, self._advantages(traces), strict=True):
            d, noise = score(trace, self.noise)
            gradient += d.T @ (noise * advantages[:, None])
            fisher += d.T @ d
        steps = sum(len(trace.rewards) for trace in traces)

        # From zero, so that the first steps, on little evidence, are small ones.
        old = self.settings.memory
        self.gradient = old * self.gradient + (1 - old) * gradient / steps
        old = old if self.generation else 0.0
        self.fisher = old * self.fisher + (1 - old) * fisher / steps
        self.policy = self.policy + self._step()
        self.generation += 1

    def _advantages(self, traces: list[Trace]) -> list[np.ndarray]:
        """Of every step of each episode (T,), standardised over all of them.

        But in the first generation the critic has not seen the episodes that it judges.
        """
        of = self.settings
        rewards = [t.rewards - of.grass * t.grass - of.missed * t.missed for t in traces]
        seen, worth = of.memory * self.seen, of.memory * self.worth
        for trace, of_one in zip(traces, rewards, strict=True):
            judged = _judged(trace)
            seen += judged.T @ judged
            worth += judged.T @ discounted(of_one, of.discount)
        critic = _least_squares(*((self.seen, self.worth) if self.generation else (seen, worth)))
        self.seen, self.worth = seen, worth
        advantages = [
            advantage(of_one, _judged(trace) @ critic, of.discount, of.trace)
            for trace, of_one in zip(traces, rewards, strict=True)
        ]
        every = np.concatenate(advantages)
        mean, sd = every.mean(), max(every.std(), 1e-8)
        return [(of_one - mean) / sd for of_one in advantages]

    def _step(self) -> np.ndarray:
        """Along F⁻¹ g; each action's F has a factor 1/σ², its g one of 1/σ."""
        size = len(self.fisher)
        damping = self.settings.damping * np.trace(self.fisher) / size
        direction = np.linalg.solve(self.fisher + damping * np.eye(size), self.gradient)
        return self.settings.rate * direction * np.array(self.noise.sd)

    def save(self, path: Path) -> None:
        with write_whole(path) as beside, open(beside, "wb") as file:
            np.savez(file, **{name: getattr(self, name) for name in STATE})

    @classmethod
    def resume(cls, settings: PolicyGradient, size: int, path: Path) -> "Ascent":
        """The ascent that `path` holds, of a policy of so many parameters."""
        with readable(path), np.load(path, allow_pickle=False) as saved:
            state = {name: saved[name] for name in STATE}
        ascent = cls(settings, np.zeros(size))
        for name, value in state.items():
            if value.shape != np.shape(getattr(ascent, name)):
                raise BadInput(f"{path} was made for another C; remove it.")
            setattr(ascent, name, value)
        ascent.generation = int(ascent.generation)
        return ascent


def discounted(rewards: np.ndarray, discount: float) -> np.ndarray:
    """Rewards (T,) → returns from each step on, R_t = r_t + γ R_{t+1}; after the end there is 0."""
    returns = np.zeros(len(rewards) + 1)
    for t in range(len(rewards) - 1, -1, -1):
        returns[t] = rewards[t] + discount * returns[t + 1]
    return returns[:-1]


def advantage(rewards: np.ndarray, values: np.ndarray, discount: float, trace: float) -> np.ndarray:
    """Generalised advantages (T,): Σ_k (γλ)^k δ_{t+k} (Schulman et al. 2016, eq. 16)."""
    errors = rewards + discount * np.append(values[1:], 0) - values
    return discounted(errors, discount * trace)


def score(trace: Trace, noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """d (T, F + 1) and ε (T, 3) of an episode; the gradients are d_t (ε_t / σ)ᵀ."""
    x = np.column_stack([trace.features, np.ones(len(trace.features))])
    rho = noise.persistence

    def innovations(of: np.ndarray) -> np.ndarray:
        return np.concatenate([of[:1], (of[1:] - rho * of[:-1]) / np.sqrt(1 - rho**2)])

    return innovations(x), innovations(trace.noise / np.array(noise.sd))


def _judged(trace: Trace) -> np.ndarray:
    """What the critic sees (T, J): what C acts on, and how much of track and time is gone.

    C does not know that, nor need it; the critic does, to tell luck from skill.
    """
    ones = np.ones(len(trace.features))
    return np.column_stack([trace.features, ones, _progress(trace.progress)]).astype(np.float64)


def _progress(progress: np.ndarray) -> np.ndarray:
    tiles, time = progress.T
    ends = [np.maximum(0, tiles - 0.9), np.maximum(0, tiles - 0.95), np.maximum(0, time - 0.9)]
    return np.column_stack([tiles, time, tiles * time, tiles**2, time**2, *ends])


def _least_squares(seen: np.ndarray, worth: np.ndarray) -> np.ndarray:
    # What never varied, or with something else, would make the matrix singular.
    ridge = 1e-6 * np.diag(seen) + 1e-9
    return np.linalg.solve(seen + np.diag(ridge), worth)
