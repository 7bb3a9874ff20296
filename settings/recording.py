"""The settings of 01_generate_data.py, and of whatever else records."""

import dataclasses
import functools
from pathlib import Path

from runs.aliases import earlier
from runs.arguments import BadInput
from runs.config import Settings, options, override, setting
from settings.shared import DataDir, Seed, SharedDisk, VisionChoice, WorkerCount

MAX_STEPS = 1000  # environment steps of an episode, as in CarRacing-v3

_exploration = functools.partial(setting, group="exploration of an agent that records")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episodes(Settings):
    steps: int = setting(
        MAX_STEPS, "most steps of each episode", least=2, most=MAX_STEPS, unit="environment steps"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Patience(Settings):
    patience: int = setting(
        100,
        "early termination: steps without a new tile that end an episode; most of what follows is "
        "grass",
        least=1,
        most=MAX_STEPS,
        unit="environment steps",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exploration(Settings):
    """How a driver that records departs from what it has learned; see `controller.exploration`."""

    weight_noise: float = _exploration(
        0.05, "SD of the noise on C's weights, anew for each episode", least=0, most=10
    )
    action_noise: float = _exploration(0.1, "SD of the noise on every action", least=0, most=10)
    noise_hold: int = _exploration(
        1,
        "steps that this noise is held, on average: M sees what comes of an error that lasts",
        least=1,
        most=MAX_STEPS,
        unit="environment steps",
        aliases=earlier("noise_hold"),
    )
    action_bursts: int = _exploration(
        0,
        "steps between bursts of a random action of wheel, pedals or both, on average; each is "
        "held for 5 to 160 steps; 0: none",
        least=0,
        most=MAX_STEPS,
        unit="environment steps",
        metavar="STEPS",
        aliases=earlier("action_bursts"),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording(Episodes, SharedDisk, WorkerCount):
    """The settings of whoever records."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentRecording(Exploration, Patience, Recording):
    """All that recording with a trained agent needs."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerateData(AgentRecording, VisionChoice, Seed, DataDir):
    """01_generate_data.py"""

    patience: int = override(Patience, "patience", default=MAX_STEPS)
    episodes: int = setting(200, "episodes of this policy, in all", least=1, unit="episodes")
    policy: str = setting(
        "random",
        "random: a push, then random keys; brownian: a bounded random walk; agent: the trained "
        "controller with noise and, if asked, bursts of random actions",
        choices=("random", "brownian", "agent"),
    )
    agent: Path | None = setting(
        None,
        "directory of the trained agent that records",
        words="that of the data directory",
        metavar="MODEL_DIR",
    )

    def check(self) -> None:
        super().check()
        of_agents = {
            "vision",
            "agent",
            "patience",
            *(option.name for option in options(Exploration)),
        }
        for option in options(type(self)):
            given = getattr(self, option.name) != option.default
            if given and option.name in of_agents and self.policy != "agent":
                raise BadInput(f"{option.flag} needs --policy agent.")
