"""What M remembers, and what it expects: the next latents, step by step or left to itself."""

from rnn import arch
from rnn.saved import Memory

import numpy as np
import tensorflow as tf


def remembered(memory: Memory, z: np.ndarray, action: np.ndarray) -> np.ndarray:
    """M's h before every step: z (B, T, L), action (B, T, 3) → (B, T, H).

    Entry t is what C acts on beside z[t], of all before it; the first is 0.
    """
    none = tf.zeros((len(z), memory.units))
    lstm = memory.network.get_layer("lstm")
    after, _, _ = lstm(tf.concat([z, action], -1), initial_state=[none, none])
    return tf.concat([none[:, None], after[:, :-1]], 1).numpy()


def one_step(memory: Memory, z: np.ndarray, action: np.ndarray) -> np.ndarray:
    """The expected next latent at every step: z (B, T, L), action (B, T, 3) → (B, T, L).

    Entry t is the expectation of z[t + 1] after seeing z[:t + 1].
    """
    zeros = tf.zeros((len(z), memory.units))
    outputs = memory.network([tf.concat([z, action], -1), zeros, zeros])
    return arch.mean_of(outputs["mixture"], memory.latent).numpy()


def open_loop(
    memory: Memory, z: np.ndarray, action: np.ndarray, warm_up: int, seed: int | None = None
) -> np.ndarray:
    """Predict on M's own predictions: z (B, T, L), action (B, T, 3) → (B, T - warm_up, L).

    M sees the true latents of the first `warm_up` steps and after that only the actions. Entry t
    is what it then expects of z[warm_up + t]; with a seed, what it draws.
    """

    def following(mixture: tf.Tensor, t: int) -> tf.Tensor:
        if seed is None:
            return arch.mean_of(mixture, memory.latent)
        return arch.sample(mixture, memory.latent, 1.0, tf.constant([seed, t]))

    h = c = tf.zeros((len(z), memory.units))
    step = tf.function(memory.network)
    outputs = step([tf.concat([z[:, :warm_up], action[:, :warm_up]], -1), h, c])
    expected = [following(outputs["mixture"][:, -1], warm_up)]
    for t in range(warm_up, z.shape[1] - 1):
        x = tf.concat([expected[-1], action[:, t]], -1)[:, None]
        outputs = step([x, outputs["h"], outputs["c"]])
        expected.append(following(outputs["mixture"][:, 0], t + 1))
    return tf.stack(expected, 1).numpy()
