"""A picture of what M believes."""

from pathlib import Path

from envs import rollouts
from rnn import predict, series
from rnn.saved import Memory
from runs.arguments import BadInput
from vae import Vision, pictures

import numpy as np

WARM_UP = 10
STEPS = 70
SHOWN = 12


def beliefs(path: Path, vision: Vision, memory: Memory, recording: Path, latents: Path) -> None:
    """Save four rows: truth, what V keeps of it, M one step ahead, M left to itself.

    `recording` and `latents` are the two files of one episode. M left to itself has seen the
    first 10 steps, and from then on only the actions. Twelve columns, spread over 60 steps.
    """
    episode = series.read(latents, vision.latent)
    obs = rollouts.read(recording).obs[:STEPS]
    z, action = episode["mean"][:STEPS], episode["action"][:STEPS]
    if len(z) <= WARM_UP + 1:
        raise BadInput(f"{latents} is too short for a picture of what M believes; record longer.")
    one_step = predict.one_step(memory, z[None], action[None])[0, WARM_UP - 1 : -1]
    alone = predict.open_loop(memory, z[None], action[None], WARM_UP)[0]
    shown = np.linspace(0, len(alone) - 1, min(SHOWN, len(alone))).astype(int)
    rows = [obs[WARM_UP:][shown]]
    rows += [vision.decoder(values[shown]).numpy() for values in (z[WARM_UP:], one_step, alone)]
    pictures.strip(path, rows)
