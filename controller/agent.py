"""V, M and C driving a batch of worlds together."""

import rnn
import vae
from controller import arch
from runs.directory import ModelDirectory
from vae.arch import FRAME

import numpy as np
import tensorflow as tf


class Agent:
    """Steps any number of worlds with one call per tick.

    In each tick V encodes the frames (z is the mean), C acts on [z, h], and M takes (z, a, h) to
    the next h (Ha & Schmidhuber 2018, figure 8). The rows of a batch are worlds; every row has its
    own policy and memory.
    """

    def __init__(self, directory: ModelDirectory, dtype: str = "float32"):
        self.vision = vae.load(directory, dtype)
        self.memory = rnn.load(directory)
        self.features = self.vision.latent + self.memory.units
        self._cell = self.memory.network.get_layer("lstm").cell
        self._tick = tf.function(
            self._step,
            input_signature=[
                tf.TensorSpec((None, *FRAME), tf.uint8),
                tf.TensorSpec((None, self.memory.units)),
                tf.TensorSpec((None, self.memory.units)),
                tf.TensorSpec((None, self.features, arch.ACTIONS)),
                tf.TensorSpec((None, arch.ACTIONS)),
            ],
        )
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._h = self._c = np.zeros((0, self.memory.units), np.float32)
        self._kernel, self._bias = arch.unpack(np.zeros((0, arch.size(self.features))))

    def add(self, parameters: np.ndarray) -> None:
        """Append rows with these policies (N, P) and empty memories."""
        kernel, bias = arch.unpack(parameters)
        empty = np.zeros((len(parameters), self.memory.units), np.float32)
        self._h, self._c = np.concatenate([self._h, empty]), np.concatenate([self._c, empty])
        self._kernel = np.concatenate([self._kernel, kernel])
        self._bias = np.concatenate([self._bias, bias])

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        self._h, self._c = np.asarray(self._h)[rows], np.asarray(self._c)[rows]
        self._kernel, self._bias = np.asarray(self._kernel)[rows], np.asarray(self._bias)[rows]

    def act(self, frames: np.ndarray) -> np.ndarray:
        """Frames (B, 64, 64, 3) uint8, one for each row → actions (B, 3) float32.

        What a row gets does not depend on the other rows, to the last bit. For that a single row
        is computed as two: only for a batch of one does oneDNN add up in another order.
        """
        rows = len(frames)
        state = (frames, self._h, self._c, self._kernel, self._bias)
        if rows == 1:
            state = [np.repeat(part, 2, axis=0) for part in state]
        action, h, c = self._tick(*state)
        self._h, self._c = h[:rows], c[:rows]
        return action[:rows].numpy()

    def _step(self, frames, h, c, kernel, bias):
        z, _ = self.vision.encoder(frames)
        action = arch.act(tf.concat([z, h], -1), kernel, bias)
        _, (h, c) = self._cell(tf.concat([z, action], -1), [h, c])
        return action, h, c
