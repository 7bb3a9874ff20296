"""A picture of what M predicts."""

from pathlib import Path

from envs import rollouts
from rnn import predict, series
from rnn.measures import WARM_UP
from rnn.saved import Memory
from runs.arguments import BadInput
from vae import Vision, pictures

import numpy as np

STEPS = 70
SHOWN = 12
ROWS = ("recorded", "what V keeps", "M, one step ahead", "M, left to itself")


def subject(recordings: Path, latents: list[Path], latent: int) -> tuple[Path, Path]:
    """The episode to show, the longest of some: its recording and its latents.

    Raises `BadInput` when that is too short or its recording is gone or damaged: called before a
    training, which must not find out after it.
    """
    lengths = {path: rollouts.inspect(path, series.layout(latent)) for path in latents}
    longest = max(lengths, key=lambda path: lengths[path])
    if lengths[longest] <= WARM_UP + 1:
        raise BadInput(
            f"The episodes held out are too short (of {longest.parent} the longest has "
            f"{lengths[longest]} steps, and M needs {WARM_UP + 2}); record longer ones."
        )
    recording = recordings / longest.name
    if len(rollouts.read(recording)) != lengths[longest]:
        raise BadInput(
            f"{recording} was recorded anew after its latents were made; remove {longest}.",
            make=("latents",),
        )
    return recording, longest


def predictions(path: Path, vision: Vision, memory: Memory, recording: Path, latents: Path) -> None:
    """Save four rows: truth, what V keeps of it, M one step ahead, M left to itself.

    `recording` and `latents` are those of `subject`. M left to itself has seen the
    first 10 steps, and from then on only the actions. Twelve columns, spread over 60 steps.
    """
    episode = series.read(latents, vision.latent)
    obs = rollouts.read(recording).obs[:STEPS]
    z, action = episode["mean"][:STEPS], episode["action"][:STEPS]
    one_step = predict.one_step(memory, z[None], action[None])[0, WARM_UP - 1 : -1]
    alone = predict.open_loop(memory, z[None], action[None], WARM_UP)[0]
    shown = np.linspace(0, len(alone) - 1, min(SHOWN, len(alone))).astype(int)
    rows = [obs[WARM_UP:][shown]]
    rows += [vision.decoder(values[shown]).numpy() for values in (z[WARM_UP:], one_step, alone)]
    pictures.strip(path, rows, names=ROWS)
