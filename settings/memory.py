"""The settings of 03_generate_rnn_data.py, 04_train_rnn.py and evaluate_dream.py."""

import dataclasses
from pathlib import Path

from runs.arguments import BadInput
from runs.config import REQUIRED, Settings, override, setting
from settings.shared import (
    Again,
    DataDir,
    Devices,
    Learning,
    Precision,
    Recordings,
    Res,
    Seed,
    SharedDisk,
    VisionChoice,
)
from settings.vision import FrameBatch

TOGETHER = 64  # frames that V encodes at once
UNITS = 256
MIXTURES = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerateRNNData(FrameBatch, Precision, SharedDisk, VisionChoice, Recordings, DataDir):
    """The settings of 03_generate_rnn_data.py."""

    batch_size: int = override(FrameBatch, "batch_size", default=TOGETHER)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedMemory(Settings):
    """What M is, and what it learns from."""

    units: int = setting(UNITS, "size of M's memory h", least=1, most=4096)
    latent_noise: float = setting(
        1.0,
        "share of V's uncertainty in the latents that M learns: 1, as in the paper, samples; 0 "
        "means, which are all that it meets in the world",
        least=0,
        most=1,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemorySteps(Settings):
    steps: int = setting(
        2000,
        "steps of M's training, rounded up to hundreds; 0: write M as initialised",
        least=0,
        most=10**7,
        unit="gradient steps",
    )
    batch_size: int = setting(100, "sequences in a batch", least=1, most=10_000, unit="sequences")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainRNN(
    TrainedMemory,
    MemorySteps,
    Learning,
    Devices,
    Again,
    VisionChoice,
    Recordings,
    Res,
    Seed,
    DataDir,
):
    """The settings of 04_train_rnn.py."""

    sequence: int = setting(
        200, "length of a sequence", least=2, most=1000, unit="environment steps"
    )
    mixtures: int = setting(
        MIXTURES, "components of the mixture for each latent dimension", least=1, most=100
    )
    reward_weight: float = setting(1.0, "weight of the tile head; 0: no head", least=0, most=1000)
    done_weight: float = setting(1.0, "weight of the done head; 0: no head", least=0, most=1000)

    def check(self) -> None:
        super().check()
        if self.finetune and not self.steps:
            raise BadInput("--finetune trains M further, which --steps 0 cannot; give more.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dreaming(Settings):
    temperature: float = setting(
        1.15, "how random the dream is", group="in the dream", least=0, most=100, above=True
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateDream(Dreaming, Res, DataDir):
    """The settings of evaluate_dream.py."""

    temperature: float = override(Dreaming, "temperature", default=1.0)
    models: tuple[Path, ...] = setting(
        REQUIRED, "directories of trained models", metavar="MODEL_DIR", saved=False
    )
