"""The folder that the page in `web/` reads.

    index.json         the agents, the episodes with their actions, and of what all was made
    episodes/N.png     frames of episode N, COLUMNS in a row
    NAME/              an agent
      step.onnx  decoder.onnx  controller.onnx   see `controller.web.graphs`
      starts.f32       z, h, c of each start, (S, L + 2·H) as little-endian float32
      latents.f32      z of all frames of all episodes, (sum of T, L)
      agent.json       what the agent is, what each latent does, how speed is read from h

All agents see the same episodes, so that two of them can start from the same moment.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import rnn
import vae
from controller import arch
from controller.agent import Agent
from controller.web import episodes, graphs, readings
from controller.web.episodes import DrivenEpisode
from rnn.dream import starts
from rnn.dream.dynamics import NEEDED_HEADS, POINTS_OF_TRACK
from rnn.dream.pictures import WARM_UP
from rnn.saved import Memory
from runs import versions
from runs.arguments import BadInput
from runs.directory import ModelDirectory, digest, read_json, write_json, write_whole
from vae.pictures import to_bytes
from vae.saved import Vision

import numpy as np
import tensorflow as tf
from imageio import v3 as imageio

EVERY = 20  # steps between two starts in an episode
NAMES = {"vae": "VAE", "vaegan": "VAE-GAN"}  # of others: that of the architecture
MOST_BYTES = 8_000_000  # of one agent, which a visitor waits for


@dataclasses.dataclass(frozen=True)
class Parts:
    """A whole agent, loaded. `tile` is what a step that reaches a tile is worth, in points."""

    directory: ModelDirectory
    vision: Vision
    memory: Memory
    parameters: np.ndarray
    tile: float

    @property
    def name(self) -> str:
        return self.directory.path.resolve().name

    @property
    def architecture(self) -> str:
        return self.directory.facts("vision")["architecture"]


def load(directory: ModelDirectory) -> Parts:
    """The agent of a model directory. Raises `BadInput` where the page could not run it."""
    agent = Agent(directory)
    if agent.memory is None:
        raise BadInput(f"C in {directory.path} sees z alone; the page shows C with M.")
    memory = rnn.load(directory)
    if lacking := [head for head in NEEDED_HEADS if head not in memory.heads]:
        raise BadInput(
            f"M in {directory.path} has no {' and no '.join(lacking)} head, which a dream needs.",
            options=("reward_weight", "done_weight"),
        )
    vision = vae.load(directory)
    if not graphs.can_decode(vision.decoder):
        raise BadInput(
            f"V in {directory.path} has a decoder with other layers than the VAE's, which cannot "
            "be exported."
        )
    parameters = arch.load(directory, agent.features)
    return Parts(directory, vision, memory, parameters, starts.read(directory, memory).tile)


def source(agents: list[Parts], asked: dict) -> str:
    """Sixteen digits that change with the agents, with what is asked for and what makes it of them.

    `asked`: which episodes are driven, and by which script.
    """
    described = [(parts.name, read_json(parts.directory.model_json)) for parts in agents]
    content = json.dumps([described, asked, versions.here()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def holds(folder: Path, source: str) -> bool:
    """Whether a folder holds what was made of this source, whole."""
    index = folder / "index.json"
    content = read_json(index) if index.exists() else {}
    made = content.get("files")
    if content.get("source") != source or not isinstance(made, dict):
        return False
    there = all((folder / name).exists() for name in made)
    return there and all(digest(folder / name) == known for name, known in made.items())


def check_episodes(driven: list[DrivenEpisode]) -> None:
    """Raises `BadInput` where an episode is too short to dream on from."""
    for episode in driven:
        if len(episode) <= WARM_UP:
            raise BadInput(
                f"The agent drove {len(episode)} steps on track {episode.track}, too few for the "
                "page; give other tracks.",
                options=("track",),
            )


def write_episodes(folder: Path, driven: list[DrivenEpisode]) -> list[str]:
    """Write the frames of episodes; the names of the files."""
    names = [f"episodes/{number}.png" for number in range(len(driven))]
    for name, episode in zip(names, driven, strict=True):
        with write_whole(folder / name) as temporary:
            imageio.imwrite(temporary, episodes.atlas(episode.frames))
    return names


def files(
    parts: Parts, driven: list[DrivenEpisode], done: Callable[[], object]
) -> dict[str, bytes]:
    """What an agent's folder is to hold: contents by names. `done` is called after each of FILES
    parts of the work. Raises `BadInput` where they are too large for a page."""
    models = {
        "step": graphs.step(parts.memory, parts.tile),
        "decoder": graphs.decoder(parts.vision.decoder),
        "controller": graphs.controller(parts.parameters, parts.memory.latent),
    }
    made = {}
    for part, model in models.items():
        made[f"{part}.onnx"] = model.SerializeToString()
        done()
    encoded = [parts.vision.encoder.predict(episode.frames, verbose=0) for episode in driven]
    z = [mean for mean, _ in encoded]
    remembered = [
        remember(parts.memory, latents, episode.action)
        for latents, episode in zip(z, driven, strict=True)
    ]
    rows = [
        np.concatenate([z[number][step], *(part[step] for part in remembered[number])])
        for number, step in places(driven)
    ]
    made["starts.f32"] = _numbers(rows)
    made["latents.f32"] = _numbers(np.concatenate(z))
    done()
    shown = [to_bytes(parts.vision.decoder.predict(latents, verbose=0)) for latents in z]
    facts = {
        **_facts(parts),
        # How far what V keeps of an episode is from what it saw.
        "loss": [
            round(episodes.difference(kept, episode.frames), 3)
            for kept, episode in zip(shown, driven, strict=True)
        ],
        "latents": readings.latents(
            parts.vision.decoder, *(np.concatenate(part) for part in zip(*encoded, strict=True))
        ),
        "speed": readings.speedometer([h for h, _ in remembered], driven),
    }
    made["agent.json"] = (json.dumps(facts, indent=2) + "\n").encode()
    done()
    size = sum(map(len, made.values()))
    if size > MOST_BYTES:
        raise BadInput(f"{parts.name} takes {size / 1e6:.1f} MB, more than a visitor waits for.")
    return made


FILES = 5  # calls of `done` by `files`


def write_agent(folder: Path, made: dict[str, bytes]) -> int:
    """Write an agent's folder; its size in bytes."""
    for name, content in made.items():
        with write_whole(folder / name) as temporary:
            temporary.write_bytes(content)
    return sum(map(len, made.values()))


def write_index(
    folder: Path, agents: list[Parts], driven: list[DrivenEpisode], names: list[str], source: str
) -> None:
    """Write what the folder holds: agents, files of these names, and what they were made of.

    It comes last, so that a folder with it is whole.
    """
    content = {
        "source": source,
        "files": {name: digest(folder / name) for name in names},
        "agents": [{"folder": parts.name, "name": _title(parts, agents)} for parts in agents],
        "seen": WARM_UP,
        "columns": episodes.COLUMNS,
        "episodes": [
            {
                "track": episode.track,
                "steps": len(episode),
                "unrelated": round(episodes.unrelated(episode.frames), 3),
                "action": np.round(episode.action.ravel(), 4).tolist(),
            }
            for episode in driven
        ],
    }
    write_json(folder / "index.json", content)


def places(driven: list[DrivenEpisode]) -> list[tuple[int, int]]:
    """Where dreams start: the number of an episode, and the step in it."""
    return [
        (number, step)
        for number, episode in enumerate(driven)
        for step in range(WARM_UP, len(episode), EVERY)
    ]


def remember(memory: Memory, z: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """h and c (T, H) before each step of an episode: what M remembers of all before it."""
    step = tf.function(memory.network.get_layer("lstm").cell)
    h = c = tf.zeros((1, memory.units))
    before = [(h, c)]
    for x in tf.constant(np.concatenate([z, action], -1)[:-1, None]):
        _, (h, c) = step(x, [h, c])
        before.append((h, c))
    h, c = (tf.concat(part, 0).numpy() for part in zip(*before, strict=True))
    return h, c


def _title(parts: Parts, agents: list[Parts]) -> str:
    """What an agent is called: after its V, and its folder too where another has the same V."""
    title = NAMES.get(parts.architecture, parts.architecture)
    alike = [other for other in agents if other.architecture == parts.architecture]
    return title if len(alike) == 1 else f"{title} ({parts.name})"


def _facts(parts: Parts) -> dict:
    score = parts.directory.facts("controller").get("score") or {}
    return {
        "latent": parts.memory.latent,
        "units": parts.memory.units,
        "tile": parts.tile,
        "lap": POINTS_OF_TRACK,
        "score": {key: score[key] for key in ("tracks", "mean", "sd") if key in score},
    }


def _numbers(rows) -> bytes:
    return np.array(rows, "<f4").tobytes()
