"""A batch divided among devices, with the losses that one device would have.

Under TensorFlow's `MirroredStrategy` every device has a copy of the weights and some rows of each
batch. What a loss is a mean of goes over the whole batch here, and noise is drawn for the whole
batch, so that a training is the same whatever the number of devices, but for rounding. Where there
is one device, all of this is a plain mean, a plain draw and a plain step.
"""

import functools
from collections.abc import Callable, Sequence

import runs.quiet  # noqa: F401 - before TensorFlow
from runs.arguments import BadInput

import keras
import tensorflow as tf

DEVICES = ("devices",)  # the option


def strategy(devices: int, batch_size: int) -> tf.distribute.Strategy:
    """What divides batches of so many rows among so many devices; 0: all that can have equal parts.

    Variables must be made in its scope. Devices are GPUs, or where there is none what TensorFlow
    has made of the processors, which is one device. Raises `BadInput` when there are fewer, or
    they cannot have equal parts.
    """
    gpus = tf.config.list_logical_devices("GPU")
    there = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    if devices > len(there):
        found = "is 1" if len(there) == 1 else f"are {len(there)}"
        raise BadInput(
            f"{devices} devices are asked for, and there {found}{'' if gpus else ', no GPU'}; ask "
            "for fewer.",
            options=DEVICES,
        )
    if devices == 0:
        devices = max(n for n in range(1, len(there) + 1) if batch_size % n == 0)
    if batch_size % devices:
        raise BadInput(
            f"{devices} devices cannot have equal parts of a batch of {batch_size}; choose one of "
            f"{batch_size + -batch_size % devices}.",
            options=("batch_size", *DEVICES),
        )
    if devices == 1:
        return tf.distribute.get_strategy()
    return _mirrored(tuple(there[:devices]))


def require_parts(strategy: tf.distribute.Strategy, frames: int, batch_size: int) -> None:
    """Refuse so few frames that they are one small batch, which devices cannot have equal parts of.

    oneDNN's convolutions fail on a device that has none of them.
    """
    devices = strategy.num_replicas_in_sync
    if frames < batch_size and frames % devices:
        raise BadInput(
            f"{devices} devices cannot have equal parts of the only batch, which has the {frames} "
            "frames that an epoch visits; ask for fewer devices, or record more.",
            options=DEVICES,
        )


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    # One for a process: each numbers what devices exchange from the same number up, and TensorFlow
    # remembers what had it.
    return tf.distribute.MirroredStrategy(devices)


def count() -> int:
    """How many devices share the batch that is computed on here."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def even(batches: tf.data.Dataset, devices: int) -> tf.data.Dataset:
    """Batches that devices can have equal parts of; one that they cannot, each gets whole.

    Such a one is the last of what is held out. A device without a row is no way out: oneDNN's
    convolutions fail without any.
    """
    if devices == 1:
        return batches

    def evened(batch):
        rows = tf.shape(tf.nest.flatten(batch)[0])[0]
        times = tf.where(rows % devices == 0, 1, devices)

        def repeated(part: tf.Tensor) -> tf.Tensor:
            return tf.tile(part, tf.concat([[times], tf.ones(part.shape.rank - 1, tf.int32)], 0))

        return tf.nest.map_structure(repeated, batch)

    return batches.map(evened)


def total(value):
    """The sum of what each device has here, on all of them; its gradient goes through."""
    if count() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, value)


def mean(values: tf.Tensor, axis: int | None = None) -> tf.Tensor:
    """The mean over the whole batch, of all numbers or along `axis`, which is the batch's."""
    if count() == 1:
        return tf.reduce_mean(values, axis)
    own = tf.reduce_sum(values, axis)
    numbers = tf.size(values) if axis is None else tf.shape(values)[axis]
    summed, size = total([own, tf.cast(numbers, values.dtype)])
    return summed / size


def norm(values: tf.Tensor) -> tf.Tensor:
    """The Euclidean norm of the whole batch's numbers."""
    return tf.sqrt(total(tf.reduce_sum(tf.square(values))))


def normal(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """N(0, 1) for the rows of this device, of what is drawn for all rows; `shape` is its own."""
    return _own_rows(tf.random.stateless_normal, shape, seed)


def uniform(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """The same of [0, 1)."""
    return _own_rows(tf.random.stateless_uniform, shape, seed)


def _own_rows(draw: Callable, shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    if count() == 1:
        return draw(shape, seed)
    here = tf.distribute.get_replica_context().replica_id_in_sync_group
    own = shape[0]
    # In float32, which every kind of device can sum up.
    sizes = total(tf.one_hot(here, count()) * tf.cast(own, tf.float32))
    sizes = tf.cast(sizes, tf.int32)
    begin = tf.reduce_sum(sizes[:here])
    drawn = draw(tf.concat([[tf.reduce_sum(sizes)], shape[1:]], 0), seed)
    return drawn[begin : begin + own]


def part(loss: tf.Tensor) -> tf.Tensor:
    """What a device differentiates of a loss that all have computed: its part.

    An optimiser adds up the devices' gradients, and through `total` each device's loss has all
    devices' numbers in it.
    """
    return loss if count() == 1 else loss / count()


def apply(optimizer: keras.optimizers.Optimizer, gradients: Sequence, variables: Sequence) -> None:
    """Let an optimiser take a step by the gradients of `part(loss)`."""
    if count() > 1 and optimizer.clipvalue:
        # It would clip what each device adds: give it the sum, clipped.
        limit = optimizer.clipvalue
        gradients = [part(tf.clip_by_value(one, -limit, limit)) for one in total(list(gradients))]
    optimizer.apply(gradients, variables)


def apply_if(
    condition: tf.Tensor,
    optimizer: keras.optimizers.Optimizer,
    gradients: Callable[[], list],
    variables: Sequence,
) -> None:
    """`apply` where `condition`, the same on all devices, holds."""

    def step(found) -> bool:
        apply(optimizer, found, variables)
        return True

    if count() == 1:
        tf.cond(condition, lambda: step(gradients()), lambda: False)
        return

    # Devices meet in an optimiser, and may not do so in a branch that each enters by itself.
    def together(strategy, condition, found) -> None:
        [first, *_] = strategy.experimental_local_results(condition)
        tf.cond(
            first,
            lambda: strategy.extended.call_for_each_replica(step, args=(found,)) and True,
            lambda: False,
        )

    context = tf.distribute.get_replica_context()
    context.merge_call(together, args=(condition, gradients()))


def share(variables: Sequence[keras.Variable]) -> None:
    """Give all devices the mean of what each has counted in these variables by itself."""
    if count() == 1:
        return
    context, values = tf.distribute.get_replica_context(), [one.value for one in variables]
    means = context.all_reduce(tf.distribute.ReduceOp.MEAN, [tf.identity(one) for one in values])
    for variable, value in zip(variables, means, strict=True):
        variable.assign(value)


def update(tracker: keras.metrics.Mean, value: tf.Tensor) -> None:
    """Track a value that all devices have, once."""
    if count() == 1:
        tracker.update_state(value)
    else:
        tracker.update_state(value, sample_weight=1 / count())


class Model(keras.Model):
    """A model whose batches may be divided among devices."""

    def _maybe_symbolic_build(self, *_, **__) -> None:
        """Nothing: the model is built.

        Keras would take a batch for it, of which there are none to waste, and average it over the
        devices, which must be equal parts of floats.
        """
