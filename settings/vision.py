"""The settings of 02_train_vae.py and evaluate_vision.py."""

import dataclasses
from pathlib import Path

from runs.aliases import earlier
from runs.config import Settings, override, setting
from settings.shared import (
    Again,
    DataDir,
    Devices,
    FileName,
    Learning,
    Models,
    Precision,
    Recordings,
    Res,
    Seed,
)

LATENT = 32  # numbers that a frame becomes, in the paper and by default
DEPTH = 32  # filters of the encoder's first layer, likewise


@dataclasses.dataclass(frozen=True, kw_only=True)
class Passes(Settings):
    epochs: int = setting(
        10, "passes of V's training over all frames", least=1, most=10_000, unit="epochs"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stride(Settings):
    frame_stride: int = setting(
        1,
        "a pass visits one of so many frames of each episode, other ones each time: neighbours are "
        "nearly alike",
        least=1,
        most=1000,
        unit="frames",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FrameBatch(Settings):
    batch_size: int = setting(100, "frames in a batch", least=1, most=10_000, unit="frames")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Depth(Settings):
    depth: int = setting(
        DEPTH,
        "filters that all layers are multiples of; fewer are faster, to train and to drive with",
        least=2,
        most=256,
        unit="filters",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class KLDivergence(Settings):
    kl_weight: float = setting(
        1.0,
        "weight of the KL, in nats a frame",
        least=0,
        most=1_000_000,
        aliases=earlier("kl_weight"),
    )
    kl_tolerance: float = setting(
        0.5,
        "KL for each latent dimension that costs nothing",
        least=0,
        most=1000,
        unit="nats",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainVision(
    Passes, Stride, FrameBatch, Depth, Devices, Precision, Again, Recordings, Res, Seed, DataDir
):
    """The settings of the training of any V."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainVAE(KLDivergence, Learning, TrainVision):
    """02_train_vae.py"""

    latent: int = setting(LATENT, "numbers that a frame becomes", least=1, most=1024)

    @property
    def model_name(self) -> str:
        return "vae"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sparse(Settings):
    every: int = setting(2, "of so many frames, measure one", least=1, unit="frames")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateVision(Sparse, Models, Recordings, FileName, Res, Seed, DataDir):
    """evaluate_vision.py"""

    unseen: Path | None = setting(
        None,
        "episodes to measure on",
        words="the held-out tenth of the data directory's",
        metavar="DIR",
    )
    against: str = setting(
        "first",
        "which model's measures are taken from each one's: the first's or those of the one before "
        "it",
        choices=("first", "above"),
    )
    name: str = override(FileName, "name", default="vision")
