"""Settings that steps of all kinds share."""

import dataclasses
from pathlib import Path

from runs.arguments import LARGEST_SEED, PRECISIONS, best_precision, cores
from runs.config import REQUIRED, Settings, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataDir(Settings):
    data_dir: Path = setting(
        Path("data"), "directory of everything generated", metavar="DIR", folder=True, saved=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Res(Settings):
    res: Path = setting(
        Path("res"), "directory of the pictures", metavar="DIR", folder=True, saved=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seed(Settings):
    seed: int = setting(1, "seed of everything random", least=0, most=LARGEST_SEED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workers(Settings):
    workers: int = setting(
        cores,
        "processes that work at once",
        words="the processors there are",
        least=1,
        most=4096,
        saved=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Precision(Settings):
    precision: str = setting(
        best_precision,
        "arithmetic of V's convolutions",
        words="bfloat16 where the processor has it",
        choices=tuple(PRECISIONS),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Again(Settings):
    """What to do where a finished training with other settings, or on other data, stands."""

    refine: bool = setting(
        False,
        "train the finished weights further, with these settings and the data there are now",
        exclusive="again",
    )
    anew: bool = setting(
        False,
        "start over from nothing in place of a training with other settings or data",
        exclusive="again",
        saved=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vision(Settings):
    vision: str = setting(
        "vae", "which V the agent sees with", choices=("vae", "vaegan"), saved=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Models(Settings):
    models: tuple[str, ...] = setting(
        REQUIRED, "directories of trained models", metavar="[NAME=]MODEL_DIR", saved=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learning(Settings):
    learning_rate: float = setting(
        1e-3,
        "Adam's, at the start; falls to a hundredth by a cosine",
        least=0,
        most=1,
        above=True,
    )
