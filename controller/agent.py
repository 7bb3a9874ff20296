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
        if (sees or arch.seen(directory)) == "zh":
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
        none = np.zeros((0, self.units), np.float32)
        self._memories: list = [none, none]
        self._policies: Sequence = arch.unpack(np.zeros((0, arch.size(self.features))))
        self.acted_on = np.zeros((0, self.features), np.float32)

    def add(self, parameters: np.ndarray) -> None:
        """Append rows with these policies (N, P) and empty memories."""
        empty = np.zeros((len(parameters), self.units), np.float32)
        self._memories = [tf.concat([part, empty], 0) for part in self._memories]
        policies = zip(self._policies, arch.unpack(parameters), strict=True)
        self._policies = [tf.concat(parts, 0) for parts in policies]

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        kept = np.array(rows, np.int32)
        self._memories = [tf.gather(part, kept) for part in self._memories]
        self._policies = [tf.gather(part, kept) for part in self._policies]

    def act(self, frames: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
        """Frames (B, 64, 64, 3) uint8, one for each row → actions (B, 3) float32.

        `noise` (B, 3) is added to the actions before they are squashed. [z, h] of the tick stays
        in `acted_on` (B, F).

        What a row gets does not depend on the other rows, to the last bit, where L and H are
        multiples of 8. For that a single row is computed as two: only for a batch of one does
        oneDNN add up in another order.
        """
        noise = np.zeros((len(frames), arch.ACTIONS)) if noise is None else noise
        state = [frames, *self._memories, *self._policies, noise.astype(np.float32)]
        if len(frames) == 1:
            twice = [tf.repeat(part, 2, axis=0) for part in state]
            action, self.acted_on, *memories = (part[:1] for part in self._tick(*twice))
        else:
            action, self.acted_on, *memories = self._tick(*state)
        self._memories = memories
        return action.numpy()

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
