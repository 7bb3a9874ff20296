"""Training a network so that it can be killed: its loop, its checkpoints, its optimiser."""

import contextlib
import math
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runs import replicas  # before Keras
from runs.arguments import BadInput
from runs.directory import ModelDirectory, require_space
from runs.facts import are_numbers, is_number, is_number_or_none, is_whole
from runs.progress import bar
from runs.training import Standing, Training
from runs.weights import load_weights, save_weights

import keras
import tensorflow as tf

MINUTES_BETWEEN_CHECKPOINTS = 2
BYTES = 4  # of a number
POSITION: dict[str, Callable[[Any], bool]] = {
    "epoch": is_whole,
    "batch": is_whole,
    "history": lambda rows: isinstance(rows, list) and all(map(are_numbers, rows)),
    "core_seconds": is_number_or_none,
    "averaged": lambda value: isinstance(value, dict),
}


class NetworkTraining(Training):
    """The training of a network, whose checkpoints hold its weights and those of its optimisers.

    It stands after `epoch` epochs and `batch` batches of the next one, with the losses of each
    epoch in `history`, and of the one under way what is `averaged`. It also counts `core_seconds`,
    the processor time of all sittings and of what it fine-tunes; None where that began before
    anybody counted.
    """

    def __init__(self, directory: ModelDirectory, part: str, settings: dict, from_scratch=False):
        super().__init__(directory, part, settings, from_scratch=from_scratch)
        at = self.position
        if not all(fits(at[name]) for name, fits in POSITION.items() if name in at):
            raise self.torn()
        self.epoch: int = at.get("epoch", 0)
        self.batch: int = at.get("batch", 0)
        self.history: list[dict] = at.get("history", [])
        self.averaged: dict[str, Any] = at.get("averaged", {})
        self.core_seconds: float | None = (
            at.get("core_seconds") if at else self._seconds_before_finetuning()
        )
        self._counted_till = time.process_time()

    def resume(self, model: keras.Model) -> bool:
        """Bring `model` to the last checkpoint if there is one."""
        if self.standing is not Standing.UNDER_WAY:
            return False
        load_weights(model, self.checkpoint())
        return True

    def save(self, model: keras.Model) -> None:
        self._count()
        self.commit(
            lambda path: save_weights(model, path),
            epoch=self.epoch,
            batch=self.batch,
            history=self.history,
            averaged=self.averaged,
            core_seconds=self.core_seconds,
        )

    def core_hours(self) -> float | None:
        """Processor time so far, on all cores together; None if not all of it is known."""
        self._count()
        return None if self.core_seconds is None else round(self.core_seconds / 3600, 4)

    def _seconds_before_finetuning(self) -> float | None:
        if not self.settings.get("finetune"):
            return 0.0
        # Without a look at the weights: a fine-tuning that was killed may have written its own.
        facts = self.directory.described(self.part)
        return None if facts.get("core_hours") is None else 3600 * facts["core_hours"]

    def _count(self) -> None:
        now = time.process_time()
        if self.core_seconds is not None:
            self.core_seconds += now - self._counted_till
        self._counted_till = now


def fit(
    model: keras.Model,
    training: NetworkTraining,
    epochs: int,
    batches_of: Callable[[int], tf.data.Dataset],
    batches_per_epoch: int,
    validation: tf.data.Dataset,
    callbacks: tuple = (),
    logged: frozenset[str] = frozenset(),
) -> None:
    """Train a compiled model from where `training` stands until `epochs` are over.

    `batches_of(epoch)` gives the batches of an epoch, always the same for the same number, so
    that a resumed epoch goes on with the batch that would have come next. `logged`: what each epoch
    must have on record, for it is shown in the end. Raises `BadInput` when the training stands
    where such a one never does.
    """
    can_stand = _can_stand(model, training, epochs, batches_per_epoch)
    if not can_stand or not all(logged <= row.keys() for row in training.history):
        raise training.torn()
    _require_space(model, training)
    validation = replicas.even(validation, model.distribute_strategy.num_replicas_in_sync)
    total = epochs * batches_per_epoch
    done = training.epoch * batches_per_epoch + training.batch
    folder = training.directory.path / "logs" / training.part
    print(f"Losses as they come: tensorboard --logdir {shlex.quote(str(folder))}", flush=True)
    logs = _Logs(folder)
    with bar(total, "batches", done=done) as progress:
        checkpoints = _Checkpoints(training, progress, batches_per_epoch, callbacks)
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


def _can_stand(
    model: keras.Model, training: NetworkTraining, epochs: int, batches_per_epoch: int
) -> bool:
    """Whether a training can stand there: its history has every epoch, with what is measured."""
    within = training.epoch <= epochs and training.batch < batches_per_epoch
    if not within or len(training.history) != training.epoch:
        return False
    if not training.history:
        return True
    first = training.history[0].keys()
    measured = {f"val_{metric.name}" for metric in model.metrics}
    # An earlier version measured one share less; its training goes on here with one more.
    enough = len(measured & first) >= max(1, len(measured) - 1)
    return enough and all(first <= row.keys() for row in training.history)


def _require_space(model: keras.Model, training: NetworkTraining) -> None:
    """Refuse a training whose files the disk cannot hold, before it begins.

    A checkpoint has the weights and, of Adam, two more numbers for each. Two lie there while the
    next is written, and in the end the result beside them.
    """
    numbers = sum(math.prod(variable.shape) for variable in model.weights)
    checkpoints = 1 if training.standing is Standing.UNDER_WAY else 3
    size = BYTES * numbers * (3 * checkpoints + 1)
    require_space(training.directory.path, size, f"The training of the {training.part}")


def measure(model: keras.Model, training: NetworkTraining, validation: tf.data.Dataset) -> None:
    """Save a compiled model as it is, with its losses on `validation`, in place of training it."""
    with readable_errors():
        losses = model.evaluate(validation, return_dict=True, verbose=0)
    training.history = [{f"val_{name}": float(value) for name, value in losses.items()}]
    training.save(model)


def sized(dataset: tf.data.Dataset, elements: int) -> tf.data.Dataset:
    """The data set with its size known, which it forgets where one file gives many elements."""
    return dataset.apply(tf.data.experimental.assert_cardinality(elements))


class _Logs(keras.callbacks.Callback):
    """Writes the losses of each epoch for TensorBoard.

    Keras' own callback opens new files, and keeps memory, with every call of `fit`: each epoch.
    """

    def __init__(self, folder: Path):
        super().__init__()
        kinds = ("training", "held_out")
        self.writers = {kind: tf.summary.create_file_writer(str(folder / kind)) for kind in kinds}

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            kind = "held_out" if name.startswith("val_") else "training"
            with self.writers[kind].as_default():
                tf.summary.scalar(name.removeprefix("val_"), value, step=epoch + 1)
        for writer in self.writers.values():
            writer.flush()


class Averaging(keras.callbacks.Callback):
    """A callback that goes on in mid-epoch: `state`, which JSON can hold, is saved and set."""

    state: dict[str, Any]


class _Checkpoints(keras.callbacks.Callback):
    """Saves the training every two minutes and after each epoch, and moves the bar.

    Keras averages losses over an epoch: in one that is resumed, over all of it.
    """

    def __init__(
        self, training: NetworkTraining, progress, batches_per_epoch: int, callbacks: tuple
    ):
        super().__init__()
        self.training = training
        self.progress = progress
        self.batches_per_epoch = batches_per_epoch
        self.averaging = [one for one in callbacks if isinstance(one, Averaging)]
        self.saved_at = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        # Keras has just set them to nothing. Earlier versions did not save them.
        if self.training.averaged:
            try:
                self._go_on(self.training.averaged)
            except (KeyError, TypeError, ValueError):
                raise self.training.torn() from None

    def _go_on(self, before: dict) -> None:
        # An earlier version tracked one share less: averages begin anew in this epoch.
        if len(before["metrics"]) == len(self._averages()) - 2:
            return
        if not all(map(is_number, before["metrics"])):
            raise ValueError("averages that are no numbers")
        for variable, value in zip(self._averages(), before["metrics"], strict=True):
            variable.assign(float(value))
        for callback, state in zip(self.averaging, before["callbacks"], strict=True):
            if not _is_like(state, callback.state):
                raise ValueError("the state of another callback")
            callback.state = state

    def _averages(self) -> list:
        """The sums and counts that Keras sets to nothing as an epoch begins."""
        return [variable for metric in self.model.metrics for variable in metric.variables]

    def on_train_batch_end(self, batch, logs=None):
        self._refuse_what_is_no_number(logs)
        self.training.batch += 1
        self.progress.update()
        self.progress.set_postfix_str(_words(logs), refresh=False)
        due = time.monotonic() - self.saved_at > 60 * MINUTES_BETWEEN_CHECKPOINTS
        # Never at an epoch's last batch: it would resume with nothing left to fit.
        if due and self.training.batch < self.batches_per_epoch:
            self.training.averaged = {
                "metrics": [float(variable.numpy()) for variable in self._averages()],
                "callbacks": [callback.state for callback in self.averaging],
            }
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        # Again: the epoch's last step may have spoilt the weights, which only what is held out saw.
        self._refuse_what_is_no_number(logs)
        self.training.epoch, self.training.batch, self.training.averaged = epoch + 1, 0, {}
        self.training.history.append({name: float(value) for name, value in logs.items()})
        self.progress.write(f"epoch {epoch + 1}: {_words(logs)}")
        self._save()

    def _refuse_what_is_no_number(self, logs):
        if not all(math.isfinite(value) for value in (logs or {}).values()):
            raise BadInput(
                f"The loss is no longer a number in epoch {self.training.epoch + 1}: "
                "begin from scratch with a lower learning rate.",
                options=("from_scratch", "learning_rate"),
            )

    def _save(self):
        self.training.save(self.model)
        self.saved_at = time.monotonic()


def _is_like(value: Any, known: Any) -> bool:
    """Whether a value has the names and the numbers of a known one, whatever numbers."""
    if not isinstance(known, dict):
        return is_number(value)
    alike = isinstance(value, dict) and value.keys() == known.keys()
    return alike and all(_is_like(value[name], known[name]) for name in known)


def seed(value: int) -> None:
    """Seed Python, NumPy and TensorFlow: the initial weights follow from it."""
    keras.utils.set_random_seed(value)


def adam(learning_rate: float, steps: int, clip: float | None = None) -> keras.optimizers.Adam:
    """Adam whose learning rate falls to a hundredth over `steps` steps by a cosine.

    Gradients are clipped, number by number, to [-clip, clip].
    """
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=0.01)
    return keras.optimizers.Adam(schedule, clipvalue=clip)


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
