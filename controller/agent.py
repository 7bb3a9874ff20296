"""V, M and C driving a batch of worlds together."""

from collections.abc import Callable, Sequence

import rnn
import vae
from controller import arch
from runs.directory import ModelDirectory
from vae.arch import FRAME

import keras
import numpy as np
import tensorflow as tf

# A matrix product may add up the last rows of a batch in another order than the rows before them.
# That depends on how many are left over from the tiles that a processor computes at once (4, 6, 8
# or more of them, which all share these counts), and from some size on the batch is cut in parts.
ROWS = 6
MOST_ROWS = 72


class Agent:
    """Steps any number of worlds with one call per tick.

    In each tick V encodes the frames (z is the mean), C acts on [z, h], and M takes (z, a, h) to
    the next h (Ha & Schmidhuber 2018, figure 8). The rows of a batch are worlds; every row has its
    own policy and memory.

    `sees` says what C acts on, by default what that of the directory was evolved on; where that
    is z alone, h has no numbers, and M is neither needed nor run.
    """

    def __init__(self, directory: ModelDirectory, dtype: str = "float32", sees: str | None = None):
        self.directory = directory
        self.vision = vae.load(directory, dtype)
        self._encode = frozen(self.vision.encoder)
        self.memory, self.units = None, 0
        if (sees or arch.policy_inputs(directory)) == "zh":
            self.memory = rnn.load(directory)
            self.units = self.memory.units
            self._remember = frozen(self.memory.network.get_layer("lstm").cell)
        self.features = self.vision.latent + self.units
        self._tick = tf.function(
            self._step,
            input_signature=[
                tf.TensorSpec((None, *FRAME), tf.uint8),
                tf.TensorSpec((None, self.units)),
                tf.TensorSpec((None, self.units)),
                tf.TensorSpec((None, self.features, arch.ACTIONS)),
                tf.TensorSpec((None, arch.ACTIONS)),
                tf.TensorSpec((None, arch.ACTIONS)),
            ],
        )
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self.rows = 0
        none = np.zeros((0, self.units), np.float32)
        self._memories: list = [none, none]
        self._policies: Sequence = arch.unpack(np.zeros((0, arch.size(self.features))))
        self.acted_on = np.zeros((0, self.features), np.float32)

    def add(self, parameters: np.ndarray) -> None:
        """Append rows with these policies (N, P) and empty memories."""
        empty = np.zeros((len(parameters), self.units), np.float32)
        added = [empty, empty, *arch.unpack(parameters)]
        there = [part[: self.rows] for part in (*self._memories, *self._policies)]
        self._hold([tf.concat(parts, 0) for parts in zip(there, added, strict=True)])

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        kept = np.array(rows, np.int32)
        self._hold([tf.gather(part, kept) for part in (*self._memories, *self._policies)])

    def _hold(self, parts: list) -> None:
        self.rows = len(parts[0])
        h, c, *policies = map(self._filled, parts)
        self._memories, self._policies = [h, c], policies

    def act(self, frames: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Frames (B, 64, 64, 3) uint8, one for each row → actions (B, 3) float32.

        `noise` (B, 3) is added to the actions before they are squashed. [z, h] of the tick stays
        in `acted_on` (B, F).

        What a row gets does not depend on the other rows, to the last bit, where L and H are
        multiples of 8 and TensorFlow computes on one thread (as all workers do). For that the
        batch is filled up to a whole number of ROWS and computed MOST_ROWS at a time.
        """
        assert len(frames) == self.rows, (len(frames), self.rows)
        noise = np.zeros((self.rows, arch.ACTIONS)) if noise is None else noise
        frames, noise = self._filled(frames), self._filled(noise.astype(np.float32))
        state = [frames, *self._memories, *self._policies, noise]
        action, acted_on, *self._memories = self._tick_in_parts(state)
        self.acted_on = acted_on[: self.rows]
        return action[: self.rows].numpy()

    def _filled(self, part):
        """An array or tensor of all rows, with rows of zeros up to a whole number of ROWS."""
        spare = -self.rows % ROWS
        return tf.pad(part, [[0, spare], *[[0, 0]] * (len(part.shape) - 1)]) if spare else part

    def _tick_in_parts(self, state: list) -> list[tf.Tensor]:
        rows = len(state[0])
        if rows <= MOST_ROWS:
            return self._tick(*state)
        parts = [slice(first, first + MOST_ROWS) for first in range(0, rows, MOST_ROWS)]
        ticks = [self._tick(*(whole[part] for whole in state)) for part in parts]
        return [tf.concat(outputs, 0) for outputs in zip(*ticks, strict=True)]

    def _step(self, frames, h, c, kernel, bias, noise):
        z, _ = self._encode(frames)
        features = tf.concat([z, h], -1)
        action = arch.act(features, kernel, bias + noise)
        if self.memory is not None:
            _, (h, c) = self._remember(tf.concat([z, action], -1), [h, c])
        return action, features, h, c


def frozen(layer: keras.Layer) -> Callable:
    """A layer with its weights as they are now, as constants of the graph that calls it.

    Variables would be cast and brought into the processor's order in every tick, constants once.
    """
    trainable = [variable.numpy() for variable in layer.trainable_variables]
    others = [variable.numpy() for variable in layer.non_trainable_variables]

    def call(*inputs):
        outputs, _ = layer.stateless_call(trainable, others, *inputs)
        return outputs

    return call
