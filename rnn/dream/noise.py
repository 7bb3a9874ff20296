"""Random numbers that a row's key and tick determine, whatever batch the row is in.

TensorFlow's generators give one stream to a whole batch, so a world would dream otherwise alone
than among a thousand others. Here every number is a hash of (key, tick, place): worlds with the
same key meet the same random numbers, and a batch is drawn in a few element-wise operations.
"""

import tensorflow as tf

# Odd, with bits as irregular as those of the golden ratio: neighbours are thrown far apart.
STRIDES = (0x9E3779B9, 0x85EBCA6B)
# The multipliers and shifts of Wellons' "lowbias32", found by search for the least bias.
SHIFTS, MULTIPLIERS = (16, 15, 16), (0x7FEB352D, 0x846CA68B)


def uniform(keys: tf.Tensor, ticks: tf.Tensor, count: int) -> tf.Tensor:
    """Numbers uniform in (0, 1): keys (B,) uint32, ticks (B,) uint32 → (B, count) float32."""
    row = _hash(_hash(keys) ^ (ticks * tf.constant(STRIDES[0], tf.uint32)))
    places = tf.cast(tf.range(count), tf.uint32) * tf.constant(STRIDES[1], tf.uint32)
    bits = tf.bitwise.right_shift(_hash(row[:, None] ^ places), tf.constant(9, tf.uint32))
    # 23 bits and the half fit a float32 exactly, so neither 0 nor 1 comes out.
    return (tf.cast(tf.cast(bits, tf.int32), tf.float32) + 0.5) * 2.0**-23


def normal(uniform: tf.Tensor) -> tf.Tensor:
    """Uniform numbers in (0, 1) → standard normal ones."""
    return tf.math.ndtri(uniform)


def _hash(x: tf.Tensor) -> tf.Tensor:
    """A permutation of the 32-bit numbers in which every bit depends on every other."""
    first, second, third = (tf.constant(shift, tf.uint32) for shift in SHIFTS)
    x = (x ^ tf.bitwise.right_shift(x, first)) * tf.constant(MULTIPLIERS[0], tf.uint32)
    x = (x ^ tf.bitwise.right_shift(x, second)) * tf.constant(MULTIPLIERS[1], tf.uint32)
    return x ^ tf.bitwise.right_shift(x, third)
