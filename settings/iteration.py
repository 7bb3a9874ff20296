"""The settings of iterate.py, most of them for the scripts that a round runs."""

import dataclasses

from runs.arguments import BadInput
from runs.config import override, setting
from settings.driving import DreamSteps, Generations, Population, ValidationTracks
from settings.memory import MemorySteps, TrainedMemory
from settings.recording import AgentRecording
from settings.shared import DataDir, Res, Seed, VisionChoice
from settings.vision import Depth, Passes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Iterate(
    DreamSteps,
    Population,
    Generations,
    ValidationTracks,
    TrainedMemory,
    Passes,
    Depth,
    AgentRecording,
    VisionChoice,
    Res,
    Seed,
    DataDir,
):
    """The settings of iterate.py."""

    rounds: int = setting(3, "rounds in all", least=1, most=1000)
    episodes: int = setting(
        64, "episodes that a round adds", least=1, most=10_000, unit="episodes a round"
    )
    curiosity: float = setting(
        0.0,
        "drive three times as many and keep those of the highest return / 1000 + LAMBDA times M's "
        "loss, in nats; 0: keep what is driven",
        least=0,
        most=1000,
        metavar="LAMBDA",
    )
    retrain_vision: bool = setting(False, "train V in every round")
    epochs: int = override(Passes, "epochs", default=3)
    memory_steps: int = override(MemorySteps, "steps", default=500)
    memory_batch: int = override(MemorySteps, "batch_size", default=50)
    evolve_in: str = setting("dream", "where candidates drive", choices=("dream", "world"))
    generations: int = override(Generations, "generations", default=50)
    rollouts: int = override(Population, "rollouts", default=16)
    memories: int = setting(
        1,
        "the M's of how many rounds dream, this one's and those before it: C finds fewer "
        "errors to exploit in several",
        least=1,
        most=1000,
    )

    def check(self) -> None:
        super().check()
        if self.retrain_vision and self.memories > 1:
            raise BadInput(
                "An M of an earlier round knows another V; leave out --retrain-vision or "
                "--memories."
            )
        if not self.memory_steps:
            raise BadInput("With --memory-steps 0 no round teaches M anything; give more.")
