"""A person drives: the real world, M's dream of it, or both side by side."""

import dataclasses
from pathlib import Path
from typing import Any

import envs
import rnn
import vae
from controller import arch
from controller.agent import Agent
from envs import rollouts, tracks
from envs.recording import EpisodeLog
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import gymnasium
import numpy as np

WARMER = 1.15  # times the temperature for a key press


@dataclasses.dataclass
class Side:
    """One of the worlds in the window; its observations are frames (64, 64, 3) uint8."""

    name: str
    env: gymnasium.Env
    record_to: Path | None = None  # where its episodes are kept
    frame: np.ndarray = dataclasses.field(init=False)
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    score: float = 0.0
    steps: int = 0
    over: bool = False
    kept: set[Path] = dataclasses.field(default_factory=set)  # the episodes written
    _track: int = 0
    _log: EpisodeLog = dataclasses.field(default_factory=EpisodeLog)

    def begin(self, track: int, z: np.ndarray | None = None) -> None:
        """Start an episode: on a real track, or of a dream that begins with latent z (L,)."""
        self.keep()
        options = None if z is None else {"z": z}
        self.frame, self.info = self.env.reset(seed=track, options=options)
        self.score, self.steps, self.over = 0.0, 0, False
        self._track, self._log = track, EpisodeLog()

    def step(self, action: np.ndarray) -> None:
        if self.over:
            return
        frame, reward, terminated, truncated, self.info = self.env.step(action)
        if self.record_to is not None:
            self._log.add(self.frame, action, float(reward), terminated)
        self.frame = frame
        self.score += float(reward)
        self.steps += 1
        self.over = terminated or truncated

    def keep(self) -> None:
        """Write what was driven, if it is to be kept and the track has no longer episode yet."""
        if self.record_to is None or len(self._log) < 2:
            return
        path = rollouts.path_of(self.record_to, self._track)
        if not path.exists() or rollouts.length(path) < len(self._log):
            rollouts.write(path, self._log.episode())
            self.kept.add(path)

    def words(self) -> str:
        ended = ", over" if self.over else ""
        return f"{self.name}: {self.score:.1f} points, {self.steps} steps{ended}"


class Game:
    """The worlds that a person drives at once, with the same actions.

    The dream begins with what V sees of the real track's first frame, so that both start from
    the same place and differ by what M predicts.
    """

    def __init__(
        self,
        directory: ModelDirectory,
        worlds: str,
        temperature: float,
        track: int,
        record_to: Path | None = None,
    ):
        self.track = track
        self.sides: list[Side] = []
        self.says = ""  # what the person should know now
        self.by_agent = False
        self.action = np.zeros(3, np.float32)
        self._directory = directory
        self._vision = None
        self._agent: Agent | None = None
        self.dream: gymnasium.Env | None = None
        if worlds != "dream":
            env = gymnasium.make(envs.ENV_ID, render_mode="rgb_array", disable_env_checker=True)
            self.sides.append(Side("world", env, record_to))
        if worlds != "real":
            self.dream = gymnasium.make(
                rnn.DREAM_ID,
                model=directory.path,
                temperature=temperature,
                observation="frame",
                disable_env_checker=True,
            )
            self.sides.append(Side("dream", self.dream))
        if worlds == "both":
            self._vision = vae.load(directory)
        self.begin()

    def begin(self) -> None:
        """Start all worlds over, on the same track."""
        z = None
        for side in self.sides:
            side.begin(self.track, z)
            if self._vision is not None:
                z = self._vision.encoder(side.frame[None])[0].numpy()[0]
        if self._agent is not None:
            self._forget()

    def next_track(self) -> None:
        self.track = (self.track + 1) % tracks.EVALUATION
        self.begin()

    def change_driver(self) -> None:
        """Let the agent drive, or no longer."""
        self.by_agent = not self.by_agent
        if self.by_agent and self._agent is None:
            try:
                agent = Agent(self._directory)
                self._policy = arch.load(self._directory, agent.features)
                self._agent = agent
                self._forget()
            except BadInput as problem:
                self.by_agent, self.says = False, str(problem)

    @property
    def temperature(self) -> float | None:
        """The dream's temperature, None where nothing is dreamt."""
        if self.dream is None:
            return None
        dream: Any = self.dream.unwrapped
        return dream.temperature

    def warm(self, factor: float) -> None:
        """Multiply the dream's temperature."""
        if self.dream is not None:
            dream: Any = self.dream.unwrapped
            dream.temperature *= factor

    def step(self, action: np.ndarray) -> None:
        """Do an action in all worlds, or, where the agent drives, what it does on the first."""
        if self._agent is not None:
            # Also while a person drives: it must remember the road when it takes over.
            own = self._agent.act(self.sides[0].frame[None])[0]
            action = own if self.by_agent else action
        self.action = action
        for side in self.sides:
            side.step(action)

    def words(self) -> str:
        return "   ".join(side.words() for side in self.sides)

    def close(self) -> None:
        for side in self.sides:
            side.keep()
            side.env.close()

    def _forget(self) -> None:
        assert self._agent is not None
        self._agent.clear()
        self._agent.add(self._policy[None])
