"""Settings that steps of all kinds share."""

import dataclasses
from pathlib import Path

from runs.aliases import earlier
from runs.arguments import HANG_TIMEOUT, LARGEST_SEED, MOST_WORKERS, PRECISIONS, BadInput
from runs.config import REQUIRED, Settings, setting
from runs.processors import cores
from runs.workplace import Workplace

MOST_DEVICES = 64  # of one machine


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
class FileName(Settings):
    """What a report's files are called. A step that has them gives the usual name."""

    name: str = setting(REQUIRED, "of the files, without their endings")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seed(Settings):
    seed: int = setting(1, "seed of everything random", least=0, most=LARGEST_SEED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster(Settings):
    """Where work runs, for steps that may leave this machine."""

    cluster: str | None = setting(
        None,
        "address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work",
        words="this machine alone",
        metavar="ADDRESS",
        saved=False,
    )
    hang_timeout: float = setting(
        HANG_TIMEOUT,
        "time without a sign of life after which a worker process is replaced",
        least=5,
        unit="seconds",
        saved=False,
    )

    @property
    def place(self) -> Workplace:
        return Workplace(hang_timeout=self.hang_timeout, cluster=self.cluster)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SharedDisk(Cluster):
    shared_disk: bool = setting(
        False,
        "the cluster's workers see DIR under the same path, and read and write episodes there "
        "themselves",
        saved=False,
    )

    def check(self) -> None:
        super().check()
        if self.shared_disk and self.cluster is None:
            raise BadInput("Without --cluster all work is done here; leave out --shared-disk.")

    @property
    def all_see_disk(self) -> bool:
        """Whether whoever works sees DIR."""
        return self.cluster is None or self.shared_disk


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerCount(Cluster):
    workers: int = setting(
        lambda: min(cores(), MOST_WORKERS),
        "processes that work at once",
        words="the processors there are",
        least=1,
        most=MOST_WORKERS,
        saved=False,
    )

    @property
    def place(self) -> Workplace:
        return Workplace(self.workers, self.hang_timeout, self.cluster)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Precision(Settings):
    precision: str = setting(
        "auto",
        "arithmetic of V's convolutions; auto: the fastest that the processor has natively, or the "
        "GPU where V trains and encodes; float16 is for GPUs alone, and auto takes it on those "
        "without bfloat16 (T4), where a VAE trains on one GPU, and where it encodes",
        choices=("auto", *PRECISIONS),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Devices(Settings):
    devices: int = setting(
        1,
        "GPUs that divide every batch among them; 0: all that can have equal parts of it; a "
        "training may go on with another number in the same precision (V has no float16 on "
        "several, so that T4s then compute in float32)",
        least=0,
        most=MOST_DEVICES,
        saved=False,
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
class VisionChoice(Settings):
    vision: str = setting(
        "vae", "which V the agent sees with", choices=("vae", "vaegan"), saved=False
    )

    @property
    def model_name(self) -> str:
        return self.vision


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
