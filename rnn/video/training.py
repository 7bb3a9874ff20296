"""Trains the CVAE: its loss over time, and what is measured on held-out videos meanwhile."""

from rnn.video.arch_cvae import LATENT, Networks, kl_between
from runs import replicas
from vae.arch import sample, to_unit

import keras
import tensorflow as tf

HORIZONS = (1, 2, 5, 10)  # frames ahead
LOSSES = ("loss", "mse", "kl")
MOVING_AVERAGES = ("moving_mean", "moving_variance")  # of batch normalisation


class CVAE(replicas.Model):
    """Trains the networks on batches of `frames` (B, T, 64, 64, 3) uint8, `condition` (B, T, K).

    Maximises L = E_q log p(x_t | x_<t, z_≤t, c_<t) - KL(q(z_t | x_≤t) ‖ p(z_t)) for each frame
    after the first, with p(z_t) = N(0, I), or p(z_t | x_<t) where the prior is learned: the loss is
    Σ_t mean squared error + β Σ_t KL. Posterior and prior do not see c. The noise, and which
    sequences are teacher-forced, follow from `seed` and the step number, so that a resumed training
    draws what it would have.
    """

    def __init__(self, networks: Networks, future: int, seed: int = 1):
        super().__init__()
        self.networks = networks
        self.seed = seed
        self.kl_weight = self.add_weight(name="kl_weight", initializer="zeros", trainable=False)
        self.teacher_forcing = self.add_weight(
            name="teacher_forcing", initializer="ones", trainable=False
        )
        self.horizons = [horizon for horizon in HORIZONS if horizon <= future]
        names = [*LOSSES, "psnr", "copy"]
        names += [f"{kind}_{horizon}" for kind in ("psnr", "copy") for horizon in self.horizons]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    def compile(self, optimizer):
        # XLA compiles no loop in which a network's moving averages change.
        super().compile(optimizer, jit_compile=False)
        # Built now, so that a checkpoint finds its place before the first step.
        optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        return list(self.trackers.values())

    @property
    def logged(self) -> frozenset[str]:
        """What there is to say of each epoch: its losses, and all that is measured on others."""
        return frozenset([*LOSSES, *(f"val_{name}" for name in self.trackers)])

    def losses_of(self, batch, seed, training: bool) -> dict[str, tf.Tensor]:
        """The loss, and its parts for each frame: `mse`, and `kl` in nats.

        Outside of training all sequences are teacher-forced.
        """
        noise_seed, forcing_seed = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        true, condition = to_unit(batch["frames"]), batch["condition"]
        features, skips = self.networks.encode(true, training)
        z_mean, z_log_var = self.networks.infer(features)
        z = sample(z_mean, z_log_var, noise_seed)

        def at_once():
            return self.networks.forced(features, skips, z, condition, training)

        if training:
            # One draw a sequence; where all are forced, there is no need to go step by step.
            uniform = replicas.uniform(tf.shape(z)[:1], forcing_seed)
            forced = uniform < self.teacher_forcing
            predicted, p_mean, p_log_var = tf.cond(
                tf.reduce_all(forced),
                at_once,
                lambda: self.networks.free(features, skips, z, condition, forced, training),
            )
        else:
            predicted, p_mean, p_log_var = at_once()
        mse = replicas.mean(tf.square(true[:, 1:] - predicted))
        kl = replicas.mean(kl_between(z_mean[:, 1:], z_log_var[:, 1:], p_mean, p_log_var))
        frames = true.shape[1] - 1
        return {"loss": frames * (mse + self.kl_weight * kl), "mse": mse, "kl": kl}

    def train_step(self, batch):
        seed = tf.stack([self.seed, tf.cast(self.optimizer.iterations, tf.int32)])
        with tf.GradientTape() as tape:
            losses = self.losses_of(batch, seed, training=True)
            part = replicas.part(losses["loss"])
        gradients = tape.gradient(part, self.trainable_variables)
        replicas.apply(self.optimizer, gradients, self.trainable_variables)
        # Each device normalises its own part of a batch; what they predict with is one.
        replicas.share([one for one in self.networks.variables if one.name in MOVING_AVERAGES])
        return self.track(losses)

    def test_step(self, batch):
        """The same losses, teacher-forced; and PSNR of what is predicted without, z ~ p(z)."""
        seed = tf.constant([self.seed, -1])
        losses = self.losses_of(batch, seed, training=False)
        frames, condition = batch["frames"], batch["condition"]
        shape = tf.concat([tf.shape(condition)[:2], [LATENT]], 0)
        noise = replicas.normal(shape, seed)
        true = to_unit(frames)
        last = true[:, self.networks.past - 1, None]
        true = true[:, self.networks.past :]
        psnr = psnr_of(true, self.networks.imagine(frames, condition, noise))
        copy = psnr_of(true, last)
        measured = {"psnr": replicas.mean(psnr), "copy": replicas.mean(copy)}
        for horizon in self.horizons:
            measured[f"psnr_{horizon}"] = replicas.mean(psnr[:, horizon - 1])
            measured[f"copy_{horizon}"] = replicas.mean(copy[:, horizon - 1])
        return self.track({**losses, **measured})

    def track(self, values):
        for name, value in values.items():
            replicas.update(self.trackers[name], value)
        return {name: self.trackers[name].result() for name in values}


def psnr_of(true: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """PSNR of each frame in dB: (B, T, 64, 64, 3) in [0, 1], twice → (B, T)."""
    error = tf.reduce_mean(tf.square(true - other), axis=(2, 3, 4))
    return -10 * tf.math.log(tf.maximum(error, 1e-10)) / tf.math.log(10.0)
