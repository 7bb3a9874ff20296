"""The settings of 04_train_cvae.py and evaluate_video.py."""

import dataclasses
from pathlib import Path

from runs.arguments import BadInput
from runs.config import REQUIRED, Settings, override, setting
from settings.shared import Again, DataDir, Devices, FileName, Learning, Recordings, Res, Seed

FUTURE = 10  # frames that a training predicts


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoSource(Recordings):
    source: str = setting(
        "carracing",
        "what the videos are: recordings of CarRacing, or robot pushing in a layout of BAIR's",
        choices=("carracing", "bair"),
    )
    path: Path | None = setting(
        None,
        "where they lie: episodes, TFRecords or folders of PNG and CSV",
        words="DIR/rollout for carracing",
        metavar="DIR",
        saved=False,
    )

    def check(self) -> None:
        super().check()
        if self.source == "bair" and self.path is None:
            raise BadInput("--source bair needs --path.")
        if self.source == "bair" and self.skip_damaged:
            raise BadInput("--skip-damaged needs --source carracing.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class VideoNetwork(Settings):
    """What the networks are."""

    width: float = setting(
        1.0,
        "channels of the convolutions, as a share of the full size's 64 to 512; 0.125 suits a "
        "processor",
        least=1 / 64,
        most=4,
    )
    past: int = setting(2, "frames that are seen before", least=1, most=100, unit="frames")
    prior: str = setting(
        "fixed",
        "of the latents: fixed, N(0, I); or learned from the frames so far (SVG-LP)",
        choices=("fixed", "learned"),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Annealing(Settings):
    kl_weight: float = setting(
        1e-4,
        "weight of the KL (β) at its highest, beside a mean squared error",
        least=0,
        most=1000,
        unit="mean squared errors a nat",
    )
    kl_anneal: str = setting(
        "cyclical",
        "how it gets there: in one rise, in cycles, or at once",
        choices=("monotonic", "cyclical", "none"),
    )
    kl_cycles: int = setting(3, "cycles, where there are any", least=1, most=1000)
    kl_rise: float | None = setting(
        None,
        "share of a cycle in which it rises",
        words="0.25 for monotonic, 0.5 for cyclical",
        least=0,
        most=1,
        above=True,
    )

    @property
    def cycles(self) -> int:
        return self.kl_cycles if self.kl_anneal == "cyclical" else 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherForcing(Settings):
    """The share of sequences that go on from true frames; the others from predicted ones."""

    teacher_forcing_start: int = setting(
        10, "epoch after which teacher forcing falls", least=0, most=10**6, unit="epochs"
    )
    teacher_forcing_step: float = setting(
        0.1, "by how much it falls an epoch; 0: never", least=0, most=1
    )
    teacher_forcing_floor: float = setting(0.0, "how far it falls", least=0, most=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainCVAE(
    VideoSource,
    VideoNetwork,
    Annealing,
    TeacherForcing,
    Learning,
    Devices,
    Again,
    Res,
    Seed,
    DataDir,
):
    """04_train_cvae.py"""

    learning_rate: float = override(Learning, "learning_rate", default=2e-3)
    epochs: int = setting(
        100, "epochs, of so many steps each", least=1, most=10**6, unit="epochs of steps"
    )
    epoch_steps: int = setting(
        300, "gradient steps of an epoch", least=1, most=10**6, unit="gradient steps"
    )
    batch_size: int = setting(12, "sequences in a batch", least=1, most=10_000, unit="sequences")
    future: int = setting(
        FUTURE, "frames that are predicted in training", least=2, most=500, unit="frames"
    )

    @property
    def model_name(self) -> str:
        return "cvae"

    def check(self) -> None:
        super().check()
        rises = self.kl_anneal != "none" and self.kl_weight > 0
        if rises and self.cycles % self.epochs == 0:
            raise BadInput(
                "Every epoch begins a cycle, so that the weight of the KL stays 0 (epochs: "
                f"{self.epochs}, cycles: {self.cycles}); give more --epochs, fewer --kl-cycles or "
                "--kl-anneal none."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateVideo(VideoSource, FileName, Res, Seed, DataDir):
    """evaluate_video.py"""

    cvae: Path = setting(REQUIRED, "directory of a trained CVAE", metavar="MODEL_DIR", saved=False)
    dreamer: Path | None = setting(
        None,
        "directory of a trained V and M whose dreams are measured beside it, on CarRacing",
        words="none",
        metavar="MODEL_DIR",
        saved=False,
    )
    everything: bool = setting(
        False, "measure on all sequences, none of which was trained on, not on those held out"
    )
    frames: int = setting(28, "frames to predict", least=2, most=500, unit="frames")
    samples: int = setting(20, "predictions of which the best is taken", least=1, most=1000)
    stride: int = setting(
        40,
        "frames from one stretch of a video that is predicted to the next",
        least=1,
        unit="frames",
    )
    name: str = override(FileName, "name", default="video")

    def check(self) -> None:
        super().check()
        if self.dreamer and self.source != "carracing":
            raise BadInput("--dreamer needs --source carracing.")
