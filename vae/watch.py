"""Watching a training as a person would: the same frames again and again, and warnings."""

import dataclasses
from pathlib import Path

from runs import plots, records
from runs.directory import write_whole
from vae import arch_vaegan, pictures

import keras
import numpy as np
from imageio import v3 as imageio

PICTURES = 24  # of a training
SECONDS = 0.15  # each, in the GIF; the last stays longer
POINTS = 100  # of a training, on its curves

# D is winning when it takes this share of each kind of frame for what it is.
WON = 0.98
RECOGNISED = ("real_recognised", "reconstruction_recognised", "fantasy_recognised")
# Under this many bits a frame cannot say where the road is.
COLLAPSED = 5


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
        """Put the pictures together into a GIF."""
        seen = [imageio.imread(kept) for kept in sorted(self.directory.glob("*.png"))]
        durations = [1000 * SECONDS] * (len(seen) - 1) + [3000]
        with write_whole(path) as beside:
            imageio.imwrite(beside, np.stack(seen), duration=durations, loop=0)


Point = dataclasses.make_dataclass(
    "Point", [("step", int), *((name, float) for name in arch_vaegan.TRACKED)], frozen=True
)


class TrainingCurve(keras.callbacks.Callback):
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
        self.since, self.sums = 0, dict.fromkeys(arch_vaegan.TRACKED, 0.0)

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.encoder_optimizer.iterations)
        if step % self.every == 0:
            # Keras gives the averages since the epoch, or what is left of it, began.
            sums = {name: (batch + 1) * logs[name] for name in self.sums}
            length = batch + 1 - self.since
            means = {name: (sums[name] - self.sums[name]) / length for name in sums}
            self.points.append(Point(step, **means))
            self.since, self.sums = batch + 1, sums
            records.write(self.path, Point, self.points)

    def save(self, path: Path, history: list[dict], title: str) -> None:
        """Plot the points, with what each epoch of `history` found on held-out frames."""
        rows = [dataclasses.asdict(point) for point in self.points]
        steps = [row.pop("step") for row in rows]
        plots.training_curve(path, steps, rows, history, title)


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
