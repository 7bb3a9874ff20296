"""Natural policy gradient for the linear policy (Kakade 2001; Rajeswaran et al. 2017, algorithm 1).

C's raw action is θᵀx with x = [z h 1], plus AR(1) noise, n_t = ρ n_{t-1} + √(1 - ρ²) σ ε_t.
The gradient of a step's log-likelihood is d_t (ε_t / σ)ᵀ, d_t = (x_t - ρ x_{t-1}) / √(1 - ρ²), so
that the Fisher matrix of each action is E[d dᵀ] / σ², exactly. The critic is a least-squares fit.
So there is no network to train here, and what a generation leaves to the next is a few sums.
"""

from pathlib import Path

from controller import arch
from controller.policy_gradient.trajectories import ActionNoise, Trajectory
from envs.rollouts import finite, readable, refuse_large
from runs import aliases
from runs.arguments import BadInput
from runs.directory import write_whole
from settings.driving import PolicyGradient

import numpy as np

MOST_GENERATIONS = 10**6  # ten times what may be asked for
STATE = ("policy", "generation", "gradient", "fisher", "gram", "moment")


class NaturalPolicyGradient:
    """Climbs the return from a given policy, one step for each batch of trajectories.

    What is saved is all that it knows, so that a resumed run is the one that was stopped.
    """

    def __init__(self, settings: PolicyGradient, start: np.ndarray):
        self.settings = settings
        self.noise = ActionNoise(settings.noise, settings.correlation)
        kernel, bias = arch.unpack(np.asarray(start)[None])
        self.policy = np.vstack([kernel[0], bias]).astype(np.float64)  # θ (F + 1, 3)
        self.generation = 0
        inputs = len(self.policy)
        size = inputs + len(_progress(np.zeros((1, 2))).T)
        self.gradient: np.ndarray = np.zeros((inputs, arch.ACTIONS))
        self.fisher: np.ndarray = np.zeros((inputs, inputs))
        self.gram: np.ndarray = np.zeros((size, size))  # XᵀX of the critic's features
        self.moment: np.ndarray = np.zeros(size)  # XᵀR

    @property
    def mean(self) -> np.ndarray:
        """The policy without its noise, (P,) as `arch` lays it out."""
        return self.policy.ravel()

    @property
    def sigma(self) -> float:
        """The largest SD of the noise."""
        return float(max(self.noise.sd))

    def update(self, trajectories: list[Trajectory]) -> None:
        """Take a step on what these trajectories, driven by the present policy, say.

        Raises `BadInput` when that leads to no policy, which then stays as it was on disk.
        """
        gradient = np.zeros_like(self.gradient)
        fisher = np.zeros_like(self.fisher)
        # One trajectory at a time: a generation's gradients at once would take gigabytes.
        for trajectory, advantages in zip(
            trajectories, self._advantages(trajectories), strict=True
        ):
            d, noise = grad_log_prob(trajectory, self.noise)
            gradient += d.T @ (noise * advantages[:, None])
            fisher += d.T @ d
        steps = sum(len(trajectory.rewards) for trajectory in trajectories)

        # From zero, so that the first steps, on little evidence, are small ones.
        decay = self.settings.decay
        self.gradient = decay * self.gradient + (1 - decay) * gradient / steps
        decay = decay if self.generation else 0.0
        self.fisher = decay * self.fisher + (1 - decay) * fisher / steps
        self.policy = self.policy + self._step()
        if not np.isfinite(self.policy).all():
            raise BadInput(
                f"The policy is no longer made of numbers in generation {self.generation + 1}; "
                "give a smaller step size.",
                options=("step_size",),
            )
        self.generation += 1

    def _advantages(self, trajectories: list[Trajectory]) -> list[np.ndarray]:
        """Of every step of each trajectory (T,), standardised over all of them.

        But in the first generation the critic has not seen the trajectories that it judges.
        """
        gamma, gae_lambda = self.settings.gamma, self.settings.gae_lambda
        shaped = [self._shaped_rewards(trajectory) for trajectory in trajectories]
        gram, moment = self.settings.decay * self.gram, self.settings.decay * self.moment
        for trajectory, rewards in zip(trajectories, shaped, strict=True):
            x = critic_features(trajectory)
            gram += x.T @ x
            moment += x.T @ discounted(rewards, gamma)
        sums = (self.gram, self.moment) if self.generation else (gram, moment)
        critic = _least_squares(*sums)
        self.gram, self.moment = gram, moment
        advantages = [
            advantage(rewards, critic_features(trajectory) @ critic, gamma, gae_lambda)
            for trajectory, rewards in zip(trajectories, shaped, strict=True)
        ]
        every = np.concatenate(advantages)
        mean, sd = every.mean(), max(every.std(), 1e-8)
        return [(values - mean) / sd for values in advantages]

    def _shaped_rewards(self, trajectory: Trajectory) -> np.ndarray:
        """The rewards (T,) less the penalties."""
        grass = self.settings.grass_penalty * trajectory.wheels_in_grass
        missed = self.settings.missed_tile_penalty * trajectory.missed_tiles
        return trajectory.rewards - grass - missed

    def _step(self) -> np.ndarray:
        """Along F⁻¹ g; each action's F has a factor 1/σ², its g one of 1/σ."""
        size = len(self.fisher)
        damping = self.settings.damping * np.trace(self.fisher) / size
        direction = np.linalg.solve(self.fisher + damping * np.eye(size), self.gradient)
        return self.settings.step_size * direction * np.array(self.noise.sd)

    def save(self, path: Path) -> None:
        with write_whole(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **{name: getattr(self, name) for name in STATE})

    @classmethod
    def resume(cls, settings: PolicyGradient, size: int, path: Path) -> "NaturalPolicyGradient":
        """The run that `path` holds, of a policy of so many parameters."""
        refuse_large(path)
        with readable(path), np.load(path, allow_pickle=False) as file:
            saved = aliases.renamed({name: file[name] for name in file.files})
            state = {name: finite(name, saved[name].astype(float)) for name in STATE}
        resumed = cls(settings, np.zeros(size))
        for name, value in state.items():
            if value.shape != np.shape(getattr(resumed, name)):
                raise BadInput(f"{path} was made for another C; remove it.")
            setattr(resumed, name, value)
        generation = float(resumed.generation)
        if not (0 <= generation <= MOST_GENERATIONS and generation.is_integer()):
            raise BadInput(f"{path} cannot be after {generation:g} generations; remove it.")
        resumed.generation = int(generation)
        return resumed


def discounted(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """Rewards (T,) → returns from each step on, R_t = r_t + γ R_{t+1}; after the end there is 0."""
    returns = np.zeros(len(rewards) + 1)
    for t in range(len(rewards) - 1, -1, -1):
        returns[t] = rewards[t] + gamma * returns[t + 1]
    return returns[:-1]


def advantage(
    rewards: np.ndarray, values: np.ndarray, gamma: float, gae_lambda: float
) -> np.ndarray:
    """Generalised advantages (T,): Σ_k (γλ)^k δ_{t+k} (Schulman et al. 2016, eq. 16)."""
    errors = rewards + gamma * np.append(values[1:], 0) - values
    return discounted(errors, gamma * gae_lambda)


def grad_log_prob(trajectory: Trajectory, noise: ActionNoise) -> tuple[np.ndarray, np.ndarray]:
    """d (T, F + 1) and ε (T, 3) of a trajectory; the gradients are d_t (ε_t / σ)ᵀ."""
    x = np.column_stack([trajectory.features, np.ones(len(trajectory.features))])
    rho = noise.correlation

    def innovations(series: np.ndarray) -> np.ndarray:
        later = (series[1:] - rho * series[:-1]) / np.sqrt(1 - rho**2)
        return np.concatenate([series[:1], later])

    return innovations(x), innovations(trajectory.noise / np.array(noise.sd))


def critic_features(trajectory: Trajectory) -> np.ndarray:
    """What the critic sees (T, J): what C acts on, and how much of track and time is gone.

    C does not know that, nor need it; the critic does, to tell luck from skill.
    """
    ones = np.ones(len(trajectory.features))
    parts = [trajectory.features, ones, _progress(trajectory.progress)]
    return np.column_stack(parts).astype(np.float64)


def _progress(progress: np.ndarray) -> np.ndarray:
    tiles, time = progress.T
    ends = [np.maximum(0, tiles - 0.9), np.maximum(0, tiles - 0.95), np.maximum(0, time - 0.9)]
    return np.column_stack([tiles, time, tiles * time, tiles**2, time**2, *ends])


def _least_squares(gram: np.ndarray, moment: np.ndarray) -> np.ndarray:
    # What never varied, or with something else, would make the matrix singular.
    ridge = 1e-6 * np.diag(gram) + 1e-9
    return np.linalg.solve(gram + np.diag(ridge), moment)
