"""The settings of play.py."""

import dataclasses
from pathlib import Path

from runs.arguments import BadInput
from runs.config import override, setting
from settings.driving import FIRST_EVALUATION_TRACK
from settings.memory import Dreaming
from settings.shared import DataDir, Res, VisionChoice

WORLDS = ("real", "dream", "both")  # what a person drives in


@dataclasses.dataclass(frozen=True, kw_only=True)
class Play(Dreaming, VisionChoice, DataDir):
    """The settings of play.py."""

    model: Path | None = setting(
        None,
        "directory of a trained agent",
        words="that of the data directory",
        metavar="MODEL_DIR",
        positional=True,
    )
    world: str = setting("both", "what to drive in", choices=WORLDS)
    temperature: float = override(Dreaming, "temperature", default=1.0)
    track: int = setting(1, "seed of the track", least=0, most=2**31 - 1)
    record: bool = setting(
        False, "keep what is driven in the world in DIR/rollout, for V and M to learn from"
    )
    res: Path = override(Res, "res", default=Path("res"))

    def check(self) -> None:
        super().check()
        if self.record and (self.world == "dream" or self.track >= FIRST_EVALUATION_TRACK):
            raise BadInput("--record keeps episodes of the world, on tracks below 2,000,000,000.")
