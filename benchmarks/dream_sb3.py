"""A stranger's agent learns in the dream: PPO of stable-baselines3, which knows nothing of M.

    python benchmarks/dream_sb3.py data/models/vae --picture res/dream_sb3.png

It sees the latent alone, not M's memory. Returns are those of its training episodes, dreams of 200
steps; the line to beat is the same dreams driven at random. Beside its own speed stands that of the
dreams alone, through the same adapter. Needs the extra `sb3`.
"""

import argparse
import time
from pathlib import Path

import envs.sb3  # before rnn, which loads TensorFlow
import rnn
from runs import plots
from runs.arguments import BadInput, number, run

import command_line
import gymnasium
import matplotlib.pyplot as plt
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecMonitor

WORLDS = 256
STEPS = 200  # of a dream
TIMED = 100  # calls
UPDATE = 16  # steps of each world between two updates


class Returns(BaseCallback):
    """Keeps (steps so far, return) of every episode, and ends the training in time."""

    def __init__(self, minutes: float):
        super().__init__()
        self.end = time.monotonic() + 60 * minutes
        self.found = []

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self.found.append((self.num_timesteps, info["episode"]["r"]))
        return time.monotonic() < self.end


def random_returns(worlds: envs.sb3.FromVector) -> np.ndarray:
    """The return of each world's first dream, driven at random."""
    rng = np.random.default_rng(0)
    space = worlds.action_space
    worlds.seed(0)
    worlds.reset()
    returns, over = np.zeros(WORLDS), np.zeros(WORLDS, bool)
    for _ in range(STEPS):
        _, reward, ended, _ = worlds.step(rng.uniform(space.low, space.high, (WORLDS, 3)))
        returns += np.where(over, 0, reward)
        over |= ended
    return returns


def dreams_a_second(worlds: envs.sb3.FromVector) -> float:
    """Steps of all dreams in a second of wall time, with nothing else to do."""
    gas = np.tile(np.array([0, 0.5, 0], np.float32), (WORLDS, 1))
    worlds.reset()
    began = time.perf_counter()
    for _ in range(TIMED):
        worlds.step(gas)
    return TIMED * WORLDS / (time.perf_counter() - began)


def main() -> None:
    options = parse()
    arguments = {
        "model": options.model,
        "temperature": options.temperature,
        "start": "anywhere",
        "max_episode_steps": STEPS,
    }
    same = AutoresetMode.SAME_STEP
    worlds = envs.sb3.FromVector(
        gymnasium.make_vec(rnn.DREAM_ID, WORLDS, autoreset_mode=same, **arguments)
    )
    random = random_returns(worlds)
    alone = dreams_a_second(worlds)
    agent = PPO(
        "MlpPolicy",
        VecMonitor(worlds),
        n_steps=UPDATE,
        batch_size=512,
        seed=options.seed,
        device="cpu",
    )
    returns = Returns(options.minutes)
    agent.learn(10**9, callback=returns)

    learning = agent.num_timesteps / (60 * options.minutes)
    rates = f"{learning:,.0f} with learning, {alone:,.0f} of the dreams alone"
    print(f"steps a second: {rates}", flush=True)
    if not returns.found:
        raise BadInput("No dream ended in that time; give more.", options=("minutes",))
    steps, found = np.array(returns.found).T
    tenth = max(1, len(found) // 10)
    print(f"random driving          {random.mean():7.1f} ± {random.std():.1f}")
    print(f"PPO, first tenth        {found[:tenth].mean():7.1f} ± {found[:tenth].std():.1f}")
    print(f"PPO, last tenth         {found[-tenth:].mean():7.1f} ± {found[-tenth:].std():.1f}")
    print(f"{len(found):,} dreams, {int(steps[-1]):,} steps, {options.minutes:g} minutes")
    if options.picture:
        draw(options.picture, steps, found, random)


def draw(path: Path, steps: np.ndarray, found: np.ndarray, random: np.ndarray) -> None:
    figure, axis = plt.subplots(figsize=(7, 4))
    axis.plot(steps, found, ".", markersize=2, alpha=0.3, label="PPO, every dream")
    window = max(1, len(found) // 20)
    smooth = np.convolve(found, np.ones(window) / window, "valid")
    axis.plot(steps[window - 1 :], smooth, label=f"mean of {window} dreams")
    axis.axhline(random.mean(), color="grey", linestyle=":", label="random driving")
    axis.set(
        xlabel="steps dreamt", ylabel=f"return of {STEPS} steps, points", title="PPO in the dream"
    )
    axis.legend()
    plots.save_figure(figure, path)


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__)
    command_line.add(parser, "model")
    parser.add_argument("--minutes", type=number(0, above=True), default=3.0, help="of learning")
    command_line.add(parser, "--temperature", default=1.15)
    command_line.add(parser, "--seed", default=1)
    command_line.add(parser, "--picture", help="where the curve goes (default: nowhere)")
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
