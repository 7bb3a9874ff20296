"""M: the mixture density recurrent network of World Models (Ha & Schmidhuber 2018, A.2).

Dimensions: B sequences, T steps, L latent numbers, K mixture components, H units.
"""

import functools
import itertools

from runs import replicas  # before Keras
from settings.memory import MIXTURES, UNITS

import keras
import tensorflow as tf
from keras import layers, ops

ACTIONS = 3
# What is tracked, and how a plot calls it.
LOSSES = {
    "loss": "loss, nats",
    "nll": "−log p of the next z, nats a number",
    "tile": "cross-entropy: a new tile, nats a step",
    "done": "cross-entropy: the end, nats a step",
}
LOG_ROOT_TWO_PI = 0.9189385332046727


def network(
    latent: int = 32,
    units: int = UNITS,
    mixtures: int = MIXTURES,
    heads: tuple[str, ...] = ("tile", "done"),
) -> keras.Model:
    """What M computes from a sequence and the memory it starts with.

    Inputs: `x` (B, T, L + 3), each latent followed by the action done on it; `h`, `c` (B, H).
    Outputs, a dictionary: `mixture` (B, T, 3·K·L), to be read by `split`; one logit (B, T) for
    each of `heads` (`tile`: the step reaches a new tile; `done`: it ends the episode); `h`, `c`
    (B, H) after the last step.
    """
    x = keras.Input((None, latent + ACTIONS), name="x")
    h = keras.Input((units,), name="h")
    c = keras.Input((units,), name="c")
    memory, last_h, last_c = layers.LSTM(
        units, return_sequences=True, return_state=True, name="lstm"
    )(x, initial_state=[h, c])
    outputs = {"mixture": layers.Dense(3 * mixtures * latent, name="mixture")(memory)}
    for head in heads:
        outputs[head] = ops.squeeze(layers.Dense(1, name=head)(memory), -1)
    return keras.Model([x, h, c], {**outputs, "h": last_h, "c": last_c}, name="mdn_rnn")


def size(latent: int, units: int, mixtures: int = 0) -> int:
    """The numbers of a network's LSTM, and of the kernel that makes mixtures of its outputs."""
    return 4 * units * (latent + ACTIONS + units + 1) + units * 3 * mixtures * latent


def split(mixture: tf.Tensor, latent: int) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Network output (..., 3·K·L) → log weights, means, log standard deviations (..., L, K)."""
    shape = tf.concat([tf.shape(mixture)[:-1], [latent, -1]], 0)
    logits, mean, log_sd = tf.split(tf.reshape(mixture, shape), 3, axis=-1)
    return tf.nn.log_softmax(logits), mean, log_sd


def negative_log_likelihood(mixture: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
    """-log p(z) of each latent number in nats: (..., 3·K·L), (..., L) → (..., L).

    Every latent dimension has its own mixture of K Gaussians; log-sum-exp keeps it finite.
    """
    log_weight, mean, log_sd = split(mixture, z.shape[-1])
    standard = (z[..., None] - mean) * tf.exp(-log_sd)
    log_density = -0.5 * tf.square(standard) - log_sd - LOG_ROOT_TWO_PI
    return -tf.reduce_logsumexp(log_weight + log_density, axis=-1)


def sample(
    mixture: tf.Tensor, latent: int, temperature: tf.Tensor | float, seed: tf.Tensor
) -> tf.Tensor:
    """Draw z from the mixture: (..., 3·K·L) → (..., L). See `draw` for the temperature."""
    which, noise = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
    shape = tf.concat([tf.shape(mixture)[:-1], [latent]], 0)
    uniform = tf.random.stateless_uniform(shape, which)
    normal = tf.random.stateless_normal(shape, noise)
    return draw(mixture, latent, temperature, uniform, normal)


def draw(
    mixture: tf.Tensor,
    latent: int,
    temperature: tf.Tensor | float,
    uniform: tf.Tensor,
    normal: tf.Tensor,
) -> tf.Tensor:
    """The z that these random numbers make of the mixture: (..., 3·K·L) → (..., L).

    `uniform` (..., L) in [0, 1) chooses the components, `normal` (..., L) the place in them.
    Temperature τ > 0 (paper, section 4): mixture logits divided by τ, standard deviations times
    √τ. The weights are renormalised after the division. As τ goes to 0, z goes to the mean of
    the heaviest component.
    """
    mixtures = mixture.shape[-1] // (3 * latent)
    log_weight, mean, log_sd = (
        tf.unstack(part, mixtures, axis=-1) for part in split(mixture, latent)
    )
    heaviest = functools.reduce(tf.maximum, log_weight)
    weight = [tf.exp((value - heaviest) / temperature) for value in log_weight]
    place = uniform * tf.add_n(weight)
    # The component in whose share of the whole the place lies. One component at a time, as
    # operations along so short an axis take several times as long.
    chosen_mean, chosen_log_sd = mean[-1], log_sd[-1]
    reached = list(itertools.accumulate(weight))
    for k in reversed(range(len(weight) - 1)):
        before_its_end = place < reached[k]
        chosen_mean = tf.where(before_its_end, mean[k], chosen_mean)
        chosen_log_sd = tf.where(before_its_end, log_sd[k], chosen_log_sd)
    spread = tf.sqrt(tf.cast(temperature, mixture.dtype))
    return chosen_mean + tf.exp(chosen_log_sd) * spread * normal


def mean_of(mixture: tf.Tensor, latent: int) -> tf.Tensor:
    """The mixture's mean: (..., 3·K·L) → (..., L)."""
    log_weight, mean, _ = split(mixture, latent)
    return tf.reduce_sum(tf.exp(log_weight) * mean, axis=-1)


class MDNRNN(replicas.Model):
    """Trains M on latent sequences.

    Each batch is a dictionary of `mean`, `log_variance` (B, T, L), `action` (B, T, 3), `tile`,
    `done`, `valid` (B, T) and `following` (B, T): whether step t is of the episode at all, and
    whether step t + 1 is. z is drawn anew from N(mean, noise² · exp(log_variance)) for every
    batch: with `noise` 1, as in the paper, M never sees the same sequence twice; with 0 it sees
    the means, as in the world, and its dreams are as sharp.

    Loss: the mean over steps and latent dimensions of -log p(z' | z, a, h) in nats, plus
    `reward_weight` times the cross-entropy of the tile head and `done_weight` times that of the
    done head (0 leaves a head out).
    """

    def __init__(
        self,
        latent: int,
        units: int,
        mixtures: int,
        weights: dict[str, float],
        seed: int = 1,
        noise: float = 1.0,
    ):
        super().__init__()
        self.noise = noise
        self.latent = latent
        self.units = units
        self.head_weights = {head: weight for head, weight in weights.items() if weight > 0}
        self.network = network(latent, units, mixtures, tuple(self.head_weights))
        self.seed = seed
        names = ["loss", "nll", *self.head_weights]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    def compile(self, optimizer):
        super().compile(optimizer)
        # Built now, so that a checkpoint finds its place before the first step.
        optimizer.build(self.trainable_variables)

    @property
    def metrics(self):
        return list(self.trackers.values())

    def losses_of(self, batch, noise_seed) -> dict[str, tf.Tensor]:
        drawn = replicas.normal(tf.shape(batch["mean"]), noise_seed)
        z = batch["mean"] + self.noise * tf.exp(batch["log_variance"] / 2) * drawn
        zeros = tf.zeros((tf.shape(z)[0], self.units))
        outputs = self.network([tf.concat([z, batch["action"]], -1), zeros, zeros])
        nll = negative_log_likelihood(outputs["mixture"][:, :-1], z[:, 1:])
        losses = {"nll": masked_mean(tf.reduce_mean(nll, -1), batch["following"][:, :-1])}
        for head in self.head_weights:
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(batch[head], outputs[head])
            losses[head] = masked_mean(entropy, batch["valid"])
        return losses

    def total(self, losses: dict[str, tf.Tensor]) -> tf.Tensor:
        heads = [weight * losses[head] for head, weight in self.head_weights.items()]
        return losses["nll"] + sum(heads)

    def train_step(self, batch):
        noise_seed = tf.stack([self.seed, tf.cast(self.optimizer.iterations, tf.int32)])
        with tf.GradientTape() as tape:
            losses = self.losses_of(batch, noise_seed)
            loss = self.total(losses)
            part = replicas.part(loss)
        gradients = tape.gradient(part, self.trainable_variables)
        replicas.apply(self.optimizer, gradients, self.trainable_variables)
        return self.track({"loss": loss, **losses})

    def test_step(self, batch):
        losses = self.losses_of(batch, tf.constant([self.seed, -1]))
        return self.track({"loss": self.total(losses), **losses})

    def track(self, losses):
        for name, value in losses.items():
            replicas.update(self.trackers[name], value)
        return {name: tracker.result() for name, tracker in self.trackers.items()}


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The mean of the values where the mask is 1, over the whole batch."""
    summed, steps = replicas.total([tf.reduce_sum(values * mask), tf.reduce_sum(mask)])
    return summed / tf.maximum(steps, 1)
