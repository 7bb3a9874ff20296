"""What a trained CVAE predicts: arrays in, arrays out."""

from rnn.video.arch_cvae import LATENT, Networks

import numpy as np
import tensorflow as tf


def sampled(networks: Networks, frames: np.ndarray, condition: np.ndarray, seed: int) -> np.ndarray:
    """One prediction with z from the prior; see `imagined`."""
    noise = np.random.default_rng(seed).normal(size=(*condition.shape[:2], LATENT))
    return imagined(networks, frames, condition, noise.astype(np.float32))


def imagined(
    networks: Networks, frames: np.ndarray, condition: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Predict T - P frames (B, T - P, 64, 64, 3) from condition (B, T, K) and noise (B, T, Z).

    Of the frames (B, ≥P, 64, 64, 3) uint8 the first P are looked at. Returns float32 in [0, 1].
    """
    imagine = tf.function(networks.imagine, reduce_retracing=True)
    return imagine(frames[:, : networks.past], condition, noise).numpy()
