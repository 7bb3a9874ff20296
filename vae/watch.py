"""Watching a training as a person would: the same frames again and again, and warnings."""

import dataclasses
import math
from pathlib import Path

from runs import plots, records
from runs.arguments import BadInput
from runs.directory import require_file
from runs.fitting import Averaging
from runs.videos import save_video
from vae import arch_vaegan, pictures

import keras
import numpy as np
from imageio import v3 as imageio

PICTURES = 24  # of a training
SECONDS = 0.15  # each, in the video
PAUSE = 3  # seconds that the last one stays
POINTS = 100  # of a training, on its curves

# D is winning when it takes this share of each kind of frame for what it is.
WON = 0.98
RECOGNISED = ("real_recognised", "reconstruction_recognised", "fantasy_recognised")
# Under this many bits a frame cannot say where the road is.
COLLAPSED = 5


def folder(model: Path) -> Path:
    """Where a model directory keeps a training's pictures, and its curve in `curve.csv`.

    What an earlier version kept under other names is taken over.
    """
    here = model / "video"
    if (model / "film").is_dir() and not here.exists():
        (model / "film").rename(here)
    if (here / "course.csv").is_file() and not (here / "curve.csv").exists():
        (here / "course.csv").rename(here / "curve.csv")
    return here


class TrainingVideo(keras.callbacks.Callback):
    """Keeps what a model makes of some frames, at moments spread over its training.

    The pictures lie in a directory, so that a resumed training adds to what is there.
    """

    def __init__(self, directory: Path, frames: np.ndarray, steps: int, *, resumed: bool):
        super().__init__()
        self.directory = directory
        self.frames = frames
        # Close together at first, when most changes.
        shares = np.linspace(0, 1, PICTURES) ** 2
        self.moments = set(np.unique(np.maximum(1, np.round(shares * steps))).astype(int))
        if not resumed:
            for old in directory.glob("*.png"):
                old.unlink()

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.encoder_optimizer.iterations)
        if step in self.moments:
            self.keep(step)

    def keep(self, step: int) -> None:
        rows = [self.frames, self.model(self.frames)]
        pictures.strip(self.directory / f"{step:08d}.png", rows)

    def save(self, path: Path) -> None:
        """Put the pictures together into a video; above each stands its step."""
        kept = sorted(self.directory.glob("*.png"))
        shown = [picture(one) for one in kept]
        if len({one.shape for one in shown}) > 1:
            raise BadInput(f"The pictures in {self.directory} differ in size; remove them.")
        rows = ("recorded", "what V keeps")
        named = [
            pictures.framed(one, rows, (f"step {int(path.stem):,}",))
            for path, one in zip(kept, shown, strict=True)
        ]
        save_video(path, named, SECONDS, pause=PAUSE)


def picture(path: Path) -> np.ndarray:
    """A picture that was kept. Raises `BadInput` when it cannot be read."""
    try:
        return imageio.imread(require_file(path))
    except Exception as problem:  # Pillow raises any of a dozen, of bombs too.
        raise BadInput(f"{path} cannot be read ({problem}); remove it.") from None


Point = dataclasses.make_dataclass(
    "Point",  # None: from before it was tracked
    [("step", int), *((name, float | None, None) for name in arch_vaegan.TRACKED)],
    frozen=True,
)


class TrainingCurve(Averaging):
    """Keeps what a model tracks, averaged from point to point, in a CSV: an epoch is too coarse.

    The file stays, so that a resumed training adds to what is there.
    """

    def __init__(self, path: Path, steps: int, *, resumed: bool):
        super().__init__()
        self.path = path
        self.every = max(1, steps // POINTS)
        self.points = records.read(path, Point) if resumed else []

    def on_train_begin(self, logs=None):
        # What was kept after the checkpoint is trained, and kept, again.
        step = int(self.model.encoder_optimizer.iterations)
        self.points = [point for point in self.points if point.step <= step]

    def on_epoch_begin(self, epoch, logs=None):
        # Batches of the epoch till now, till the last point, and the sums of them till then.
        self.state = {"batches": 0, "since": 0, "sums": dict.fromkeys(arch_vaegan.TRACKED, 0.0)}

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.encoder_optimizer.iterations)
        batches, since = self.state["batches"] + 1, self.state["since"]
        self.state["batches"] = batches
        if step % self.every == 0:
            # Keras gives the averages since the epoch began.
            sums = {name: batches * float(logs[name]) for name in arch_vaegan.TRACKED}
            before = self.state["sums"]
            means = {name: (sums[name] - before[name]) / (batches - since) for name in sums}
            self.state |= {"since": batches, "sums": sums}
            if all(map(math.isfinite, means.values())):
                self.points.append(Point(step, **means))
                records.write(self.path, Point, self.points)

    def save(self, path: Path, history: list[dict], title: str) -> None:
        """Plot the points, with what each epoch of `history` found on held-out frames."""
        rows = [dataclasses.asdict(point) for point in self.points]
        steps = [row.pop("step") for row in rows]
        plots.training_curve(path, steps, rows, history, title, arch_vaegan.TRACKED)


class Warnings(keras.callbacks.Callback):
    """Says so after an epoch in which the latent went empty, or an adversary won."""

    def on_epoch_end(self, epoch, logs=None):
        for sentence in warnings(logs):
            print(f"Warning, epoch {epoch + 1}: {sentence}")


def warnings(logs: dict) -> list[str]:
    """What is wrong with an epoch's averages, of a VAE or a VAE-GAN, in sentences."""
    found = []
    recognised = [share for name, share in logs.items() if name in RECOGNISED]
    if recognised and min(recognised) > WON:
        found.append(
            "D tells every frame for what it is and has little left to teach; "
            "lower its learning rate (critic_rate) or raise R1 (r1)."
        )
    bits = logs["bits"] if "bits" in logs else logs["kl"] / np.log(2)
    if bits < COLLAPSED:
        found.append(
            f"a latent holds only {bits:.1f} bits: the posterior collapses; "
            "lower the weight of the KL (kl_weight) or raise its tolerance (kl_tolerance)."
        )
    return found
