"""Films of the agent: the car from above beside what V keeps of each frame."""

import itertools
from pathlib import Path

import envs
from controller.agent import Agent
from controller.rollout import Job, drive
from runs.directory import write_whole
from vae.pictures import to_bytes

import cv2
import gymnasium
import numpy as np
from imageio import v3 as imageio

EVERY = 5  # one picture for every five steps, a tenth of a second of driving
SHOWN_PER_SECOND = 20
HEIGHT = 192  # pixels


def lap(path: Path, agent: Agent, parameters: np.ndarray, track: int) -> float:
    """Film one episode to a GIF and return its score.

    Left the car from above, right what V sees (top) and what it keeps of it (bottom).
    """
    film, score = episode(agent, parameters, track)
    save(path, film)
    return score


def race(path: Path, agents: list[tuple[Agent, np.ndarray]], track: int) -> None:
    """Film several agents on one track to a GIF, one above the other; who is done waits."""
    films = [episode(agent, parameters, track)[0] for agent, parameters in agents]
    longest = max(map(len, films))
    waited = [film + film[-1:] * (longest - len(film)) for film in films]
    save(path, [np.concatenate(pictures) for pictures in zip(*waited, strict=True)])


def episode(agent: Agent, parameters: np.ndarray, track: int) -> tuple[list[np.ndarray], float]:
    """Drive one track; return its pictures, (192, 384, 3) uint8 each, and its score."""
    pictures, frames = [], []
    step = itertools.count()

    def watch(job, frame, action, reward, done, env) -> None:
        if next(step) % EVERY == 0:
            pictures.append(_resize(env.render(), HEIGHT * 3 // 2, HEIGHT))
            frames.append(frame)

    job = (0, Job(parameters, track))
    [(_, outcome)] = drive(agent, [job], worlds=1, make_env=_drawn_env, watch=watch)
    decoded = agent.vision.decoder(agent.vision.encoder(np.stack(frames))[0]).numpy()
    film = [
        np.concatenate([picture, np.concatenate([_enlarge(seen), _enlarge(kept)])], axis=1)
        for picture, seen, kept in zip(pictures, frames, to_bytes(decoded), strict=True)
    ]
    return film, outcome.score


def save(path: Path, film: list[np.ndarray]) -> None:
    """Write pictures (H, W, 3) uint8 as an endless GIF."""
    with write_whole(path) as beside:
        imageio.imwrite(beside, np.stack(film), duration=1000 / SHOWN_PER_SECOND, loop=0)


def _drawn_env() -> gymnasium.Env:
    """A world that is drawn as the scores that count are: a film shows the episode scored."""
    return gymnasium.make(
        envs.ENV_ID, render_mode="rgb_array", drawing="stock", disable_env_checker=True
    )


def _resize(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _enlarge(frame: np.ndarray) -> np.ndarray:
    size = HEIGHT // 2
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_NEAREST)
