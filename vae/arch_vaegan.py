"""V with an adversary: the VAE-GAN (Larsen et al. 2016), as published and as repaired.

Three networks: the encoder E, the generator G (the decoder) and the discriminator D, which tells
recorded frames from reconstructions and from fantasies, G's frames of z ~ N(0, I). E and G also
learn from how far apart D's inner layers see a frame and its reconstruction.

A recipe (`settings.adversary`) holds all that the variants differ in. `published` is the model that
was used with World Models, as it effectively was: BatchNorm was never told that it was training, so
it neither measured nor mixed a batch and is here, too, a learned scale and shift; the
discriminator's first convolution was dead, as the second read the frame again. Its random
horizontal flips, which show the track mirrored under actions that are not, have to be asked for
(`flips`). `repaired` starts from the VAE: its layers, its pixel error and its free bits, to which
the adversary is added gently.

Dimensions: B frames in a batch, 64×64×3 each, L latent numbers.
"""

from runs import replicas
from settings.adversary import REPAIRED, Recipe
from vae import adversarial_losses, arch

import keras
import tensorflow as tf
from keras import layers

# Log-variances outside say nothing more (exp(-8) is a standard deviation of 0.02), but overflow.
LOG_VARIANCE = (-8.0, 4.0)
# Larsen's rule: D rests while its cost lies under the first, G ignores it over the second (nats).
# Theirs asks real and false frames apart; but a D that takes all for real then rests for ever.
EQUILIBRIUM = (0.68 - 0.35, 0.68 + 0.35)
MOST_WEIGHT = 1e4  # of the deception, however small its gradient


def encoder(
    latent: int = arch.LATENT, depth: int = 32, recipe: Recipe = REPAIRED, dtype: str = "float32"
) -> keras.Model:
    """Frames (B, 64, 64, 3) uint8 → mean and log-variance of their latents, (B, L) float32 each.

    At depth 32 the layers `vae` are exactly the VAE's. `dtype` is a Keras policy, as in
    `arch.encoder`. Heads through tanh keep every standard deviation between 0.61 and 1.65: at
    most 0.95 bit a dimension.
    """
    frames = keras.Input(arch.FRAME, dtype="uint8", name="frames")
    x = layers.Rescaling(1 / 255, dtype=dtype)(frames)
    if recipe.layers == "published":
        for filters in (2 * depth, 4 * depth, 8 * depth):
            x = layers.Conv2D(filters, 5, strides=2, padding="same", dtype=dtype)(x)
            x = _scaled(x, dtype)
        x = layers.Flatten(dtype=dtype)(x)  # (B, 8·8·8·depth)
        x = _scaled(layers.Dense(latent, dtype=dtype)(x), dtype)
    else:
        for filters in (depth, 2 * depth, 4 * depth, 8 * depth):
            x = layers.Conv2D(filters, 4, strides=2, activation="relu", dtype=dtype)(x)
        x = layers.Flatten(dtype=dtype)(x)  # (B, 2·2·8·depth)
    activation = "tanh" if recipe.heads == "tanh" else None
    z_mean = layers.Dense(latent, activation, name="mean", dtype="float32")(x)
    z_log_var = layers.Dense(latent, activation, name="log_variance", dtype="float32")(x)
    z_log_var = keras.ops.clip(z_log_var, *LOG_VARIANCE)
    return keras.Model(frames, [z_mean, z_log_var], name="encoder")


def generator(
    latent: int = arch.LATENT, depth: int = 32, recipe: Recipe = REPAIRED, dtype: str = "float32"
) -> keras.Model:
    """Latents (B, L) float32 → frames (B, 64, 64, 3) float32 in [0, 1]."""
    z = keras.Input((latent,), name="z")
    if recipe.layers == "published":
        x = _scaled(layers.Dense(8 * 8 * 8 * depth, dtype=dtype)(z), dtype)
        x = layers.Reshape((8, 8, 8 * depth), dtype=dtype)(x)
        for filters in (8 * depth, 4 * depth, depth):
            x = layers.Conv2DTranspose(filters, 5, strides=2, padding="same", dtype=dtype)(x)
            x = _scaled(x, dtype)
        x = layers.Conv2D(3, 5, padding="same", dtype=dtype)(x)
    else:
        x = layers.Dense(32 * depth, dtype=dtype)(z)
        x = layers.Reshape((1, 1, 32 * depth), dtype=dtype)(x)
        for filters, kernel in ((4 * depth, 5), (2 * depth, 5), (depth, 6)):
            x = layers.Conv2DTranspose(filters, kernel, strides=2, activation="relu", dtype=dtype)(
                x
            )
        x = layers.Conv2DTranspose(3, 6, strides=2, dtype=dtype)(x)
    frames = layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model(z, frames, name="generator")


def discriminator(
    depth: int = 32, recipe: Recipe = REPAIRED, dtype: str = "float32"
) -> keras.Model:
    """Frames (B, 64, 64, 3) float32 in [0, 1] → logit (B, 1), then the inner layers compared.

    Published: one inner layer of 16·16·8·depth numbers (65,536 at depth 32; as the first
    convolution is dead, the third must halve the picture to come to that). Living: three, and
    half the encoder's widths, for a step costs three passes of D forth and back. LayerNorm,
    unlike BatchNorm, lets every frame be judged by itself, which WGAN-GP demands.
    """
    frames = keras.Input(arch.FRAME, name="frames")
    x, inner = layers.Rescaling(2, -1, dtype=dtype)(frames), []
    if recipe.discriminator == "published":
        x = layers.Conv2D(8 * depth, 5, strides=2, padding="same", dtype=dtype)(frames)
        x = _scaled(x, dtype)
        x = layers.Conv2D(8 * depth, 5, strides=2, padding="same", dtype=dtype)(x)
        inner.append(x)
        x = layers.Flatten(dtype=dtype)(_scaled(x, dtype))
        x = _scaled(layers.Dense(8 * depth, dtype=dtype)(x), dtype)
    else:
        for filters in (max(4, depth // 2), depth, 2 * depth):
            x = layers.Conv2D(filters, 4, strides=2, padding="same", dtype=dtype)(x)
            x = layers.LayerNormalization(dtype=dtype)(x)
            x = layers.LeakyReLU(0.2, dtype=dtype)(x)
            inner.append(x)
        x = layers.Flatten(dtype=dtype)(x)
    logit = layers.Dense(1, dtype="float32")(x)
    return keras.Model(frames, [logit, *inner], name="discriminator")


def _scaled(x, dtype: str = "float32"):
    """The published BatchNorm and LeakyReLU; see the module's words on BatchNorm."""
    x = layers.BatchNormalization(dtype=dtype)(x, training=False)
    return layers.LeakyReLU(0.2, dtype=dtype)(x)


class VAEGAN(replicas.Model):
    """Trains E, G and D on frames; each minimises its own loss and nobody else's.

        E: pixels + features + max(KL, free nats) + moments
        G: pixels + features + deception of D
        D: discrimination of real frames from reconstructions and fantasies, + its penalties

    `steps` is the length of the training, of which the ramp of the deception is a share. Noise is
    drawn from `seed` and the step number, so that a resumed training sees what it would have seen.
    """

    def __init__(self, encoder, generator, discriminator, recipe: Recipe, steps: int, seed=1):
        super().__init__()
        self.encoder = encoder
        self.generator = generator
        self.discriminator = discriminator
        self.recipe = recipe
        self.steps = steps
        self.seed = seed
        self.free_nats = recipe.kl_tolerance * encoder.output[0].shape[-1]
        self.trackers = {name: keras.metrics.Mean(name=name) for name in TRACKED}
        self.built = True

    def compile(self, encoder_optimizer, generator_optimizer, discriminator_optimizer):
        super().compile(optimizer=None)
        self.encoder_optimizer = encoder_optimizer
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        # Built now, so that a checkpoint finds its place before the first step.
        encoder_optimizer.build(self.encoder.trainable_variables)
        generator_optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    @property
    def metrics(self):
        return list(self.trackers.values())

    def call(self, frames):
        return self.generator(self.encoder(frames)[0])

    def train_step(self, frames):
        step = tf.cast(self.encoder_optimizer.iterations, tf.int32)
        if self.recipe.flips:
            frames = mirrored(frames, tf.stack([self.seed + 3000, step]))
        real = arch.to_unit(frames)
        with tf.GradientTape(persistent=True) as tape:
            view = self.view(frames, real, step)
            common = self.recipe.pixels * view["pixels"] + self.recipe.features * view["features"]
            encoder_loss = common + self.recipe.kl_weight * view["cost"]
            encoder_loss += self.recipe.moments * view["off_moments"]
            with tape.stop_recording():
                weight = self.deception_weight(tape, view, common, step)
            generator_loss = replicas.part(common + weight * view["deception"])
            encoder_loss = replicas.part(encoder_loss)
        _apply(self.encoder_optimizer, tape, encoder_loss, self.encoder)
        _apply(self.generator_optimizer, tape, generator_loss, self.generator)
        self.discriminate(real, view["reconstruction"], view["fantasy"], step)
        return self.track(view | {"deception_weight": weight})

    def test_step(self, frames):
        step = tf.constant(-1)
        view = self.view(frames, arch.to_unit(frames), step)
        return self.track(view | {"deception_weight": self.ramp(self.steps)})

    def view(self, frames, real, step) -> dict[str, tf.Tensor]:
        """One pass through the three networks: the images, and every term of the losses."""
        z_mean, z_log_var = self.encoder(frames)
        z = arch.sample(z_mean, z_log_var, tf.stack([self.seed, step]))
        reconstruction = self.generator(z)
        # Seeds end at 999, so these streams meet no other run's.
        prior = replicas.normal(tf.shape(z), tf.stack([self.seed + 1000, step]))
        fantasy = self.generator(prior)
        real_logit, *real_layers = self.discriminator(real)
        logit, *its_layers = self.discriminator(reconstruction)
        fantasy_logit = self.discriminator(fantasy)[0]
        logits = real_logit, logit, fantasy_logit
        kl = arch.kl_divergence(z_mean, z_log_var)
        adversary = self.recipe.adversary
        return {
            "reconstruction": reconstruction,
            "fantasy": fantasy,
            "logits": logits,
            "pixels": replicas.mean(
                tf.reduce_sum(tf.square(real - reconstruction), axis=(1, 2, 3))
            ),
            "features": adversarial_losses.feature_distance(
                real_layers, its_layers, self.recipe.relative
            ),
            "off_moments": arch.off_moments(z),
            "cost": replicas.mean(tf.maximum(kl, self.free_nats)),
            "bits": replicas.mean(kl) / tf.math.log(2.0),
            "deception": adversarial_losses.deception(adversary, logit, fantasy_logit),
            "discrimination": adversarial_losses.discrimination(adversary, *logits),
            "real_answer": replicas.mean(real_logit),
            **adversarial_losses.recognised(adversary, *logits),
        }

    def discriminate(self, real, reconstruction, fantasy, step) -> None:
        """Let D learn from frames that E and G no longer change."""
        for turn in range(self.recipe.critic_steps):
            with tf.GradientTape() as tape:
                # Three passes, not one over all: real and false frames never share a batch.
                logits = [self.discriminator(x)[0] for x in (real, reconstruction, fantasy)]
                loss = adversarial_losses.discrimination(self.recipe.adversary, *logits)
                if self.recipe.adversary == "wgan-gp":
                    fake = fantasy if turn % 2 else reconstruction
                    seed = tf.stack([self.seed + 2000 + turn, step])
                    loss += adversarial_losses.gradient_penalty(
                        self.discriminator, real, fake, seed
                    )
                if self.recipe.drift:
                    loss += self.recipe.drift * adversarial_losses.drift(logits[0])
                if self.recipe.r1:
                    loss += self.recipe.r1 * adversarial_losses.r1(self.discriminator, real)
                loss = replicas.part(loss)
            if self.recipe.equilibrium:
                self._learn_if(adversarial_losses.cost(*logits) > EQUILIBRIUM[0], tape, loss)
            else:
                _apply(self.discriminator_optimizer, tape, loss, self.discriminator)

    def _learn_if(self, condition, tape, loss) -> None:
        variables = self.discriminator.trainable_variables
        replicas.apply_if(
            condition,
            self.discriminator_optimizer,
            lambda: tape.gradient(loss, variables),
            variables,
        )

    def deception_weight(self, tape, view, common, step) -> tf.Tensor:
        """The weight of deceiving D at this step.

        Adaptive (after Esser et al. 2021, eq. 7, at G's output instead of its last layer): times
        the gradient of the other losses at the reconstruction over the deception's own.
        """
        weight = self.ramp(step)
        if self.recipe.adaptive:
            reconstruction = view["reconstruction"]
            gradients = [tape.gradient(one, reconstruction) for one in (common, view["deception"])]
            others, own = (replicas.norm(replicas.part(gradient)) for gradient in gradients)
            weight *= tf.minimum(others / (own + 1e-8), MOST_WEIGHT)
        if self.recipe.equilibrium:
            losing = adversarial_losses.cost(*view["logits"]) > EQUILIBRIUM[1]
            weight = tf.where(losing, 0.0, weight)
        return weight

    def ramp(self, step) -> tf.Tensor:
        """The deception's weight before it is adapted: zero, rising over the ramp, full."""
        start, end = self.recipe.ramp_start * self.steps, self.recipe.ramp_end * self.steps
        share = (tf.cast(step, tf.float32) - start) / max(end - start, 1)
        return self.recipe.deception * tf.clip_by_value(share, 0.0, 1.0)

    def finalize(self) -> None:
        """Put the moving averages, kept by the optimisers, in the place of E's and G's weights."""
        self.encoder_optimizer.finalize_variable_values(self.encoder.trainable_variables)
        self.generator_optimizer.finalize_variable_values(self.generator.trainable_variables)

    def track(self, values: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        for name, tracker in self.trackers.items():
            replicas.update(tracker, values[name])
        return {name: tracker.result() for name, tracker in self.trackers.items()}


# What is tracked, in training and on held-out frames, and how a plot calls it.
TRACKED = {
    "pixels": "squared error of a frame, sum of pixels",
    "features": "feature distance in D",
    "bits": "KL, bits a frame",
    "off_moments": "distance of z's moments from N(0, 1)",
    "discrimination": "D's loss",
    "deception": "G's adversarial loss",
    "deception_weight": "weight of G's adversarial loss",
    "real_answer": "D's mean answer to recorded frames",
    "real_recognised": "share of recorded frames D is right on",
    "reconstruction_recognised": "share of reconstructions D is right on",
    "fantasy_recognised": "share of prior samples D is right on",
}


def mirrored(frames: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Frames (B, 64, 64, 3), each left or, with probability a half, mirrored left to right."""
    draws = replicas.uniform(tf.stack([tf.shape(frames)[0], 1, 1, 1]), seed)
    return tf.where(draws < 0.5, tf.reverse(frames, axis=[2]), frames)


def _apply(optimizer, tape, loss, network) -> None:
    variables = network.trainable_variables
    replicas.apply(optimizer, tape.gradient(loss, variables), variables)


def optimizers(recipe: Recipe, steps: int) -> list[keras.optimizers.Adam]:
    """Adam for E, G and D, for a training of `steps` steps, in each of which D has several."""

    def adam(rate, steps, **more):
        if recipe.falling:
            rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.01)
        return keras.optimizers.Adam(rate, **more)

    average = {}
    if recipe.averaging:
        kept = 1 - 1 / max(1, recipe.averaging * steps)
        average = {"use_ema": True, "ema_momentum": kept}
    momentum, second = recipe.critic_momentum, 0.999 if recipe.adversary != "wgan-gp" else 0.9
    critic = adam(recipe.critic_rate, steps * recipe.critic_steps, beta_1=momentum, beta_2=second)
    others = [adam(recipe.learning_rate, steps, **average) for _ in range(2)]
    return [*others, critic]
