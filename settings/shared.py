"""Settings that steps of all kinds share."""

import dataclasses
from pathlib import Path

from runs.aliases import earlier
from runs.arguments import HANG_TIMEOUT, LARGEST_SEED, MOST_WORKERS, PRECISIONS
from runs.config import REQUIRED, Settings, setting
from runs.processors import cores


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
        lambda: min(cores(), MOST_WORKERS),
        "processes that work at once",
        words="the processors there are",
        least=1,
        most=MOST_WORKERS,
        saved=False,
    )
    hang_timeout: float = setting(
        HANG_TIMEOUT,
        "time without a sign of life after which a worker process is replaced",
        least=5,
        unit="seconds",
        saved=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Precision(Settings):
    precision: str = setting(
        "auto",
        "arithmetic of V's convolutions; auto: the fastest that the processor has natively, or the "
        "GPU where V trains and encodes; float16 is for GPUs alone",
        choices=("auto", *PRECISIONS),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Again(Settings):
    """What to do where a finished training with other settings, or on other data, stands."""

    finetune: bool = setting(
        False,
        "train the finished weights further, with these settings and the data there are now",
        exclusive="again",
        aliases=earlier("finetune"),
    )
    from_scratch: bool = setting(
        False,
        "start over from scratch in place of a finished training, or of any with other settings or "
        "data",
        exclusive="again",
        saved=False,
        aliases=earlier("from_scratch"),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vision(Settings):
    vision: str = setting(
        "vae", "which V the agent sees with", choices=("vae", "vaegan"), saved=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recordings(Settings):
    skip_damaged: bool = setting(
        False,
        "read all episodes first, name those that are damaged, and leave them out",
        saved=False,
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
