"""What a trained CVAE predicts: arrays in, arrays out."""

import functools

from rnn.video.arch_cvae import LATENT, Networks
from vae.arch import FRAME

import numpy as np
import tensorflow as tf


def sampled(networks: Networks, frames: np.ndarray, condition: np.ndarray, seed: int) -> np.ndarray:
    """One prediction with z from the prior; see `imagined`."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((*condition.shape[:2], LATENT), np.float32)
    return imagined(networks, frames, condition, noise)


def imagined(
    networks: Networks, frames: np.ndarray, condition: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Predict T - P frames (B, T - P, 64, 64, 3) from condition (B, T, K) and noise (B, T, Z).

    Of the frames (B, ≥P, 64, 64, 3) uint8 the first P are looked at. Returns float32 in [0, 1].
    """
    return _compiled(networks)(frames[:, : networks.past], condition, noise).numpy()


@functools.lru_cache(1)
def _compiled(networks: Networks):
    """`imagine` as one graph for any number of stretches and frames: tracing takes seconds."""
    signature = [
        tf.TensorSpec((None, networks.past, *FRAME), tf.uint8),
        tf.TensorSpec((None, None, networks.condition), tf.float32),
        tf.TensorSpec((None, None, LATENT), tf.float32),
    ]
    return tf.function(networks.imagine, input_signature=signature)
