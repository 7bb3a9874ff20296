"""V: the convolutional variational autoencoder of World Models (Ha & Schmidhuber 2018, A.1).

Dimensions: B frames in a batch, 64×64×3 bytes each, L latent numbers. The paper's depth is 32.
"""

from runs import replicas
from settings.vision import DEPTH, LATENT

import keras
import tensorflow as tf
from keras import layers, ops

FRAME = (64, 64, 3)
# What is tracked, and how a plot calls it.
LOSSES = {
    "loss": "loss of a frame",
    "reconstruction": "squared error of a frame, sum of pixels",
    "kl": "KL, nats a frame",
}


class Conv2DTranspose(layers.Conv2DTranspose):
    """Keras' own, with one pixel computed as the matrix product that it is: (B, 1, 1, C).

    As a convolution oneDNN takes eight times as long for it, on processors with AVX2 as on those
    with AVX-512, which was more than a third of a training step of V. The class has the name of
    Keras' own because that is what the weights have in a file.
    """

    def call(self, inputs):
        if inputs.shape[1:3] != (1, 1):
            return super().call(inputs)
        # The kernel is (height, width, filters, C).
        kernel = ops.reshape(self.kernel, (-1, inputs.shape[-1]))
        outputs = ops.matmul(inputs[:, 0, 0], ops.transpose(kernel))
        outputs = ops.reshape(outputs, (-1, *self.kernel_size, self.filters))
        return self.activation(outputs + self.bias)


def encoder(latent: int = LATENT, depth: int = DEPTH, dtype: str = "float32") -> keras.Model:
    """Frames (B, 64, 64, 3) uint8 → mean and log-variance of their latents, (B, L) float32 each.

    `dtype` is a Keras policy; `mixed_bfloat16` and `mixed_float16` keep the weights and halve the
    arithmetic.
    """
    frames = keras.Input(FRAME, dtype="uint8", name="frames")
    x = layers.Rescaling(1 / 255, dtype=dtype)(frames)
    for filters in (depth, 2 * depth, 4 * depth, 8 * depth):
        x = layers.Conv2D(filters, 4, strides=2, activation="relu", dtype=dtype)(x)
    x = layers.Flatten(dtype=dtype)(x)  # (B, 2·2·8·depth)
    z_mean = layers.Dense(latent, name="mean", dtype="float32")(x)
    z_log_var = layers.Dense(latent, name="log_variance", dtype="float32")(x)
    return keras.Model(frames, [z_mean, z_log_var], name="encoder")


def decoder(latent: int = LATENT, depth: int = DEPTH, dtype: str = "float32") -> keras.Model:
    """Latents (B, L) float32 → frames (B, 64, 64, 3) float32 in [0, 1]."""
    z = keras.Input((latent,), name="z")
    x = layers.Dense(32 * depth, dtype=dtype)(z)
    x = layers.Reshape((1, 1, 32 * depth), dtype=dtype)(x)
    for filters, kernel in ((4 * depth, 5), (2 * depth, 5), (depth, 6)):
        x = Conv2DTranspose(filters, kernel, strides=2, activation="relu", dtype=dtype)(x)
    x = layers.Conv2DTranspose(3, 6, strides=2, dtype=dtype)(x)
    frames = layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model(z, frames, name="decoder")


def autoencoder(encoder: keras.Model, decoder: keras.Model) -> keras.Model:
    """Both in one model, all weights of either: what a weights file holds.

    Frames → the reconstruction of their mean, and the log-variance, whose layer would otherwise
    not be part of the model and be left out of the file.
    """
    z_mean, z_log_var = encoder.output
    return keras.Model(encoder.input, [decoder(z_mean), z_log_var], name="vision")


def to_unit(frames: tf.Tensor) -> tf.Tensor:
    """Bytes → float32 in [0, 1]."""
    return tf.cast(frames, tf.float32) / 255


def sample(z_mean: tf.Tensor, z_log_var: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """z ~ N(z_mean, exp(z_log_var)), by the reparametrisation trick (Kingma & Welling 2014)."""
    noise = replicas.normal(tf.shape(z_mean), seed)
    return z_mean + tf.exp(z_log_var / 2) * noise


def kl_divergence(z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
    """KL(N(z_mean, exp(z_log_var)) ‖ N(0, I)) of each frame in nats, (B, L) → (B,)."""
    return 0.5 * tf.reduce_sum(tf.square(z_mean) + tf.exp(z_log_var) - z_log_var - 1, axis=-1)


def off_moments(z: tf.Tensor) -> tf.Tensor:
    """How far a batch (B, L) is from mean 0 and variance 1, averaged over dimensions."""
    mean = replicas.mean(z, axis=0)
    variance = replicas.mean(tf.square(z - mean), axis=0)
    return replicas.mean(tf.square(mean) + tf.square(variance - 1))


class VAE(replicas.Model):
    """Trains an encoder and a decoder on frames.

    Loss per frame: the sum of squared errors + `kl_weight` · max(KL, `kl_tolerance` · L) nats;
    below that tolerance the KL term gives no gradient ("free bits"), and weights other than 1 are
    those of the β-VAE (Higgins et al. 2017, eq. 4). `seed` makes the noise; it is drawn from the
    step number, so that a resumed training sees the noise it would have seen.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        kl_tolerance=0.5,
        seed=1,
        kl_weight=1.0,
    ):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.free_nats = kl_tolerance * encoder.output[0].shape[-1]
        self.kl_weight = kl_weight
        self.seed = seed
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True

    def compile(self, optimizer):
        if any(layer.compute_dtype == "float16" for layer in self._flatten_layers()):
            # A gradient under 6e-8 is zero in float16, and most are at the end of a training.
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().compile(optimizer)
        # Built now, so that a checkpoint finds its place before the first step.
        optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        return [self.loss_tracker, self.reconstruction_tracker, self.kl_tracker]

    def call(self, frames):
        return self.decoder(self.encoder(frames)[0])

    def losses_of(self, frames, noise_seed):
        z_mean, z_log_var = self.encoder(frames)
        reconstruction = self.decoder(sample(z_mean, z_log_var, noise_seed))
        squared = tf.square(to_unit(frames) - reconstruction)
        reconstruction_loss = replicas.mean(tf.reduce_sum(squared, axis=(1, 2, 3)))
        kl = kl_divergence(z_mean, z_log_var)
        cost = replicas.mean(tf.maximum(kl, self.free_nats))
        loss = reconstruction_loss + self.kl_weight * cost
        return loss, reconstruction_loss, replicas.mean(kl)

    def train_step(self, frames):
        noise_seed = tf.stack([self.seed, tf.cast(self.optimizer.iterations, tf.int32)])
        with tf.GradientTape() as tape:
            loss, reconstruction_loss, kl = self.losses_of(frames, noise_seed)
            scaled = self.optimizer.scale_loss(replicas.part(loss))
        gradients = tape.gradient(scaled, self.trainable_variables)
        # Takes the scale out again; where there is one, it also skips what has overflowed.
        replicas.apply(self.optimizer, gradients, self.trainable_variables)
        return self.track(loss, reconstruction_loss, kl)

    def test_step(self, frames):
        return self.track(*self.losses_of(frames, tf.constant([self.seed, -1])))

    def track(self, loss, reconstruction_loss, kl):
        replicas.update(self.loss_tracker, loss)
        replicas.update(self.reconstruction_tracker, reconstruction_loss)
        replicas.update(self.kl_tracker, kl)
        return {metric.name: metric.result() for metric in self.metrics}
