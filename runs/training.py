"""Trainings that can be killed: checkpoints of weights, optimisers and position, and resuming."""

import contextlib
import math
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import runs.quiet  # noqa: F401 - before Keras
from runs import aliases, config
from runs.arguments import BadInput
from runs.directory import ModelDirectory, digest, read_json, write_json, write_whole
from runs.progress import bar

import keras
import tensorflow as tf

MINUTES_BETWEEN_CHECKPOINTS = 2
STATE = {"settings", "epoch", "batch", "saves", "finished", "digest", "history", "core_seconds"}


class Training:
    """The training of one part of a model directory, over any number of sittings.

    `<part>.training.json` says where it stands (settings, epochs over, batches done of the next
    one, history) and names the weights file that goes with it, which also holds the optimisers.
    Two weights files take turns, so that a kill while writing one leaves the other.

    It also counts `core_seconds`, the processor time of all sittings and of what it fine-tunes;
    None where that began before anybody counted.
    """

    def __init__(
        self, directory: ModelDirectory, part: str, settings: dict, from_scratch: bool = False
    ):
        self.directory = directory
        self.part = part
        self.from_scratch = from_scratch
        self.settings = settings
        self.state_file = directory.path / f"{part}.training.json"
        self.epoch = 0
        self.batch = 0
        self.saves = 0
        self.finished = False
        self.history: list[dict] = []
        self.core_seconds = self._seconds_before_finetuning()
        self._counted_till = time.process_time()

    def resume(self, model: keras.Model) -> bool:
        """Bring `model` to the newest checkpoint of this training; False if there is none.

        Raises `BadInput` when the directory holds a training with other settings, unless this
        one starts from scratch, or fine-tunes the result of that one, which must be over.
        """
        if not self.state_file.exists():
            return False
        state = {"core_seconds": None, **read_json(self.state_file)}
        if state.keys() != STATE:
            raise BadInput(f"{self.state_file} is not the state of a training; remove it.")
        if state["finished"] and not self.directory.has(self.part):
            return False  # What it had made was removed: it is made anew.
        state["settings"] = aliases.renamed(state["settings"])
        if state["settings"] != self.settings:
            if self.from_scratch or (state["finished"] and self.settings.get("finetune")):
                return False
            raise BadInput(
                f"{self.directory.path} holds a training with other settings "
                f"({config.differences(state['settings'], self.settings)}): give the same, "
                "train its finished result further with --finetune, or start over with "
                "--from-scratch."
            )
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.saves, self.finished = state["saves"], state["finished"]
        self.history = state["history"]
        self.core_seconds = state["core_seconds"]
        if not self.finished:
            weights = self._weights()
            if not weights.exists() or digest(weights) != state["digest"]:
                raise BadInput(
                    f"{weights} is not the checkpoint of {self.state_file}; remove both."
                )
            load_weights(model, weights)
        return True

    def core_hours(self) -> float | None:
        """Processor time so far, on all cores together; None if not all of it is known."""
        self._count()
        return None if self.core_seconds is None else round(self.core_seconds / 3600, 4)

    def _seconds_before_finetuning(self) -> float | None:
        if not self.settings.get("finetune") or not self.directory.model_json.exists():
            return 0.0
        # Without a look at the weights: a fine-tuning that was killed may have written its own.
        facts = self.directory.described(self.part)
        return None if facts.get("core_hours") is None else 3600 * facts["core_hours"]

    def _count(self) -> None:
        now = time.process_time()
        if self.core_seconds is not None:
            self.core_seconds += now - self._counted_till
        self._counted_till = now

    def save(self, model: keras.Model) -> None:
        """Write a checkpoint: the weights first, then the small file that names them."""
        self.saves += 1
        save_weights(model, self._weights())
        self._describe()

    def finish(self) -> None:
        """Mark the training as over and drop its checkpoints, which nobody needs any more."""
        self.finished = True
        self._describe()
        for turn in (0, 1):
            self._weights(turn).unlink(missing_ok=True)

    def _weights(self, turn: int | None = None) -> Path:
        turn = self.saves % 2 if turn is None else turn
        return self.directory.path / f"{self.part}.training{turn}.weights.h5"

    def _describe(self) -> None:
        self._count()
        state = {
            "settings": self.settings,
            "epoch": self.epoch,
            "batch": self.batch,
            "saves": self.saves,
            "finished": self.finished,
            "digest": digest(self._weights()),
            "history": self.history,
            "core_seconds": self.core_seconds,
        }
        assert state.keys() == STATE
        write_json(self.state_file, state)


def fit(
    model: keras.Model,
    training: Training,
    epochs: int,
    batches_of: Callable[[int], tf.data.Dataset],
    batches_per_epoch: int,
    validation: tf.data.Dataset,
    callbacks: tuple = (),
) -> None:
    """Train a compiled model from where `training` stands until `epochs` are over.

    `batches_of(epoch)` gives the batches of an epoch, always the same for the same number, so
    that a resumed epoch goes on with the batch that would have come next.
    """
    total = epochs * batches_per_epoch
    done = training.epoch * batches_per_epoch + training.batch
    logs = keras.callbacks.TensorBoard(training.directory.path / "logs" / training.part)
    with bar(total, "batches", done=done) as progress:
        checkpoints = _Checkpoints(training, progress, batches_per_epoch)
        while training.epoch < epochs:
            with readable_errors():
                model.fit(
                    sized(
                        batches_of(training.epoch).skip(training.batch),
                        batches_per_epoch - training.batch,
                    ),
                    initial_epoch=training.epoch,
                    epochs=training.epoch + 1,
                    validation_data=validation,
                    callbacks=[*callbacks, logs, checkpoints],
                    shuffle=False,
                    verbose=0,
                )


def measure(model: keras.Model, training: Training, validation: tf.data.Dataset) -> None:
    """Save a compiled model as it is, with its losses on `validation`, in place of training it."""
    with readable_errors():
        losses = model.evaluate(validation, return_dict=True, verbose=0)
    training.history = [{f"val_{name}": float(value) for name, value in losses.items()}]
    training.save(model)


def sized(dataset: tf.data.Dataset, elements: int) -> tf.data.Dataset:
    """The data set with its size known, which it forgets where one file gives many elements."""
    return dataset.apply(tf.data.experimental.assert_cardinality(elements))


class _Checkpoints(keras.callbacks.Callback):
    """Saves the training every two minutes and after each epoch, and moves the bar."""

    def __init__(self, training: Training, progress, batches_per_epoch: int):
        super().__init__()
        self.training = training
        self.progress = progress
        self.batches_per_epoch = batches_per_epoch
        self.saved_at = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if not all(math.isfinite(value) for value in (logs or {}).values()):
            raise BadInput(
                "The loss is no longer a number; give a lower --learning-rate. "
                f"{self.training.state_file.parent} keeps the last checkpoint."
            )
        self.training.batch += 1
        self.progress.update()
        self.progress.set_postfix_str(_words(logs), refresh=False)
        due = time.monotonic() - self.saved_at > 60 * MINUTES_BETWEEN_CHECKPOINTS
        # Never at an epoch's last batch: it would resume with nothing left to fit.
        if due and self.training.batch < self.batches_per_epoch:
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        self.training.epoch, self.training.batch = epoch + 1, 0
        self.training.history.append({name: float(value) for name, value in logs.items()})
        self.progress.write(f"epoch {epoch + 1}: {_words(logs)}")
        self._save()

    def _save(self):
        self.training.save(self.model)
        self.saved_at = time.monotonic()


def seed(value: int) -> None:
    """Seed Python, NumPy and TensorFlow: the initial weights follow from it."""
    keras.utils.set_random_seed(value)


def adam(learning_rate: float, steps: int, clip: float | None = None) -> keras.optimizers.Adam:
    """Adam whose learning rate falls to a hundredth over `steps` steps by a cosine.

    Gradients are clipped, number by number, to [-clip, clip].
    """
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.01)
    return keras.optimizers.Adam(schedule, clipvalue=clip)


def save_weights(model: keras.Model, path: Path) -> None:
    with write_whole(path) as beside:
        model.save_weights(beside)


def load_weights(model: keras.Model, path: Path) -> None:
    """Load a weights file. Raises `BadInput` when it is missing, torn or of another shape."""
    try:
        with warnings.catch_warnings():
            # Keras only warns of a layer that the file lacks and leaves it untrained.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist.") from None
    except (OSError, ValueError, KeyError, UserWarning) as problem:
        first = str(problem).strip().splitlines()[0]
        raise BadInput(f"{path} does not fit the model ({first}); train it again.") from None


@contextlib.contextmanager
def buildable(facts: dict):
    """Turn what Keras raises over architecture numbers that no network has into `BadInput`."""
    try:
        yield
    except (TypeError, ValueError) as problem:
        if isinstance(problem, BadInput):
            raise
        raise BadInput(
            f"model.json describes a network that cannot be built ({dict(facts)}); train it again."
        ) from None


@contextlib.contextmanager
def readable_errors():
    """Turn TensorFlow's report of a `BadInput` inside an input pipeline into that `BadInput`."""
    try:
        yield
    except tf.errors.OpError as problem:
        found = re.search(r"BadInput: (.*)", problem.message)
        if not found:
            raise
        raise BadInput(found.group(1)) from None


def _words(logs: dict | None) -> str:
    return "  ".join(f"{name} {float(value):.4g}" for name, value in (logs or {}).items())
