"""The losses of the VAE-GAN's adversary: what D minimises, G's for deceiving it, D's penalties, and
how far apart D's inner layers see a frame and its reconstruction, which E and G minimise.

Of D's answers, logits or a critic's numbers, (B, 1) each, to recorded frames (real), their
reconstructions and fantasies, G's frames of z ~ N(0, I).
"""

from runs import replicas

import tensorflow as tf

PENALTY = 10  # of WGAN-GP, on (‖gradient‖ - 1)²


def discrimination(adversary: str, real, reconstructed, fantasy) -> tf.Tensor:
    """D's loss from its logits (B, 1); half the weight on real frames, a quarter on each other."""
    if adversary == "wgan-gp":
        return (_mean(reconstructed) + _mean(fantasy)) / 2 - _mean(real)
    cost = tf.nn.relu if adversary == "hinge" else tf.nn.softplus
    margin = 1 if adversary == "hinge" else 0
    fakes = _mean(cost(margin + reconstructed)) + _mean(cost(margin + fantasy))
    return _mean(cost(margin - real)) / 2 + fakes / 4


def deception(adversary: str, reconstructed, fantasy) -> tf.Tensor:
    """G's loss from D's logits of its frames.

    `saturating` is minus D's loss: where D is sure, it has no gradient. `bce` is the form that
    keeps one (Goodfellow et al. 2014).
    """
    if adversary == "saturating":
        return -(_mean(tf.nn.softplus(reconstructed)) + _mean(tf.nn.softplus(fantasy))) / 4
    if adversary == "bce":
        return (_mean(tf.nn.softplus(-reconstructed)) + _mean(tf.nn.softplus(-fantasy))) / 2
    return -(_mean(reconstructed) + _mean(fantasy)) / 2


def feature_distance(real: list, reconstructed: list, relative: bool) -> tf.Tensor:
    """Mean squared distance between inner layers (B, …), averaged over the layers.

    `relative`: over the mean square of the real one, so that no layer drowns the others and D
    cannot change the loss by scaling its layers.
    """
    distances = []
    for one, other in zip(real, reconstructed, strict=True):
        one, other = tf.cast(one, tf.float32), tf.cast(other, tf.float32)
        distance = _mean(tf.square(one - other))
        distances.append(distance / (_mean(tf.square(one)) + 1e-8) if relative else distance)
    return tf.add_n(distances) / len(distances)


def gradient_penalty(discriminator, real, fake, seed) -> tf.Tensor:
    """WGAN-GP's 10 · (‖∇D‖ - 1)² between real and fake frames (Gulrajani et al. 2017, eq. 3)."""
    shape = tf.concat([tf.shape(real)[:1], tf.ones(len(real.shape) - 1, tf.int32)], axis=0)
    between = replicas.uniform(shape, seed)
    return PENALTY * _mean(tf.square(_slope(discriminator, fake + between * (real - fake)) - 1))


def r1(discriminator, real) -> tf.Tensor:
    """‖∇D‖² / 2 at real frames (Mescheder et al. 2018)."""
    return _mean(tf.square(_slope(discriminator, real))) / 2


def drift(real: tf.Tensor) -> tf.Tensor:
    """The mean square of D's answers to recorded frames (Karras et al. 2018, A.1).

    A critic's loss is the same whatever is added to all of its answers, so that nothing else keeps
    their mean from wandering off.
    """
    return _mean(tf.square(real))


def _slope(discriminator, inputs) -> tf.Tensor:
    """The norm of D's gradient at each frame, or point, (B,)."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logit = discriminator(inputs)[0]
    gradient = tape.gradient(logit, inputs)
    # The root of zero has no derivative; a discriminator at its start may have no slope.
    axes = range(1, len(inputs.shape))
    return tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=axes) + 1e-12)


def _mean(x) -> tf.Tensor:
    return replicas.mean(x)


def cost(real, reconstructed, fantasy) -> tf.Tensor:
    """D's mean binary cross-entropy in nats, real and false frames alike, whatever its own loss."""
    false = (_mean(tf.nn.softplus(reconstructed)) + _mean(tf.nn.softplus(fantasy))) / 2
    return (_mean(tf.nn.softplus(-real)) + false) / 2


def recognised(adversary: str, real, reconstructed, fantasy) -> dict[str, tf.Tensor]:
    """The share of each kind of frame that D takes for what it is.

    A Wasserstein critic knows no zero: its line runs midway between its means.
    """
    line = 0.0
    if adversary == "wgan-gp":
        line = _mean(real) / 2 + (_mean(reconstructed) + _mean(fantasy)) / 4
    return {
        "real_recognised": _mean(tf.cast(real > line, tf.float32)),
        "reconstruction_recognised": _mean(tf.cast(reconstructed < line, tf.float32)),
        "fantasy_recognised": _mean(tf.cast(fantasy < line, tf.float32)),
    }
