"""Videos of the agent: the car from above beside what V keeps of each frame."""

import math
from pathlib import Path

import envs
from controller.agent import Agent
from controller.report import history
from controller.report.history import Row
from controller.rollout import UNLIMITED, Job, Recorder, World, drive
from envs import tracks
from runs.videos import save_video
from vae.pictures import to_bytes

import cv2
import gymnasium
import numpy as np

EVERY = 5  # one picture for every five steps, a tenth of a second of driving
SHOWN = 1 / 20  # second
HEIGHT = 192  # pixels


def results(
    res: Path, vision: str, rows: list[Row], agent: Agent, parameters: np.ndarray, patience: int
) -> str:
    """Plot how C learned and record a lap of the C that came of it; a line that says where.

    The lap ends as episodes of the training do: `patience` steps after its last tile.
    """
    curve = res / f"{vision}_controller_curve.png"
    history.curve(curve, rows, f"C, {vision}")
    gif = res / f"{vision}.gif"
    score = lap(gif, agent, parameters, tracks.validation(1)[0], patience)
    return f"{agent.directory.weights('controller')}, {curve}, {gif} (a lap of {score:.0f} points)"


def lap(
    path: Path, agent: Agent, parameters: np.ndarray, track: int, patience: int = UNLIMITED
) -> float:
    """Record one episode to a video and return its score.

    Left the car from above, right what V sees (top) and what it keeps of it (bottom).
    """
    pictures, score = episode(agent, parameters, track, patience=patience)
    save_video(path, pictures, SHOWN)
    return score


def race(path: Path, agents: dict[str, tuple[Agent, np.ndarray]], track: int) -> None:
    """Record agents on one track to a video, side by side under their names; who is done waits."""
    videos = [episode(*driver, track, name)[0] for name, driver in agents.items()]
    longest = max(map(len, videos))
    waited = [video + video[-1:] * (longest - len(video)) for video in videos]
    pictures = [grid(list(pictures)) for pictures in zip(*waited, strict=True)]
    save_video(path, pictures, SHOWN)


def episode(
    agent: Agent, parameters: np.ndarray, track: int, name: str = "", patience: int = UNLIMITED
) -> tuple[list[np.ndarray], float]:
    """Drive one track; return its pictures, (192, 384, 3) uint8 each, and its score.

    On every picture stand the name and the score so far.
    """
    camera = Camera(name)
    job = (0, Job(parameters, track))
    [(_, outcome)] = drive(agent, [job], 1, patience, make_env=_rendered_env, recorder=camera)
    decoded = agent.vision.decoder(agent.vision.encoder(np.stack(camera.frames))[0]).numpy()
    pictures = [
        np.concatenate([picture, np.concatenate(_named(frame, kept))], axis=1)
        for picture, frame, kept in zip(
            camera.pictures, camera.frames, to_bytes(decoded), strict=True
        )
    ]
    return pictures, outcome.score


class Camera(Recorder):
    """Takes every fifth picture of a world, with a name and the score so far on it."""

    def __init__(self, name: str):
        self.name = name
        self.pictures: list[np.ndarray] = []
        self.frames: list[np.ndarray] = []

    def step(self, world: World, frame: np.ndarray, action: np.ndarray, done: bool) -> None:
        if (world.steps - 1) % EVERY == 0:
            picture = _resize(world.env.render(), HEIGHT * 3 // 2, HEIGHT)
            self.pictures.append(labelled(picture, f"{self.name} {world.score:.0f} points".strip()))
            self.frames.append(frame)


def grid(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one size as one: two side by side, more in about as many rows as columns."""
    columns = math.ceil(math.sqrt(len(pictures)))
    spare = -len(pictures) % columns
    places = pictures + [np.zeros_like(pictures[0])] * spare
    rows = [places[i : i + columns] for i in range(0, len(places), columns)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def _rendered_env() -> gymnasium.Env:
    """A world rendered as for the scores that count: a video shows the episode scored."""
    return gymnasium.make(
        envs.ENV_ID, render_mode="rgb_array", rendering="stock", disable_env_checker=True
    )


def _named(frame: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return labelled(_enlarge(frame), "V sees", 0.35), labelled(_enlarge(kept), "V keeps", 0.35)


def _resize(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _enlarge(frame: np.ndarray) -> np.ndarray:
    size = HEIGHT // 2
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_NEAREST)


def labelled(picture: np.ndarray, words: str, size: float = 0.5) -> np.ndarray:
    """The picture with words in its upper left corner, white with a shadow."""
    for shift, colour in ((1, (0, 0, 0)), (0, (255, 255, 255))):
        style = cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA
        picture = cv2.putText(picture, words, (6 + shift, 18 + shift), *style)
    return picture
