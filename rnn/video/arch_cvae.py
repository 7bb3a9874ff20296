"""A conditional VAE that predicts video, after SVG (Denton & Fergus 2018).

Dimensions: B sequences, T frames of 64×64×3, G features of a frame, Z latent numbers, K numbers of
the condition, P past frames. Frame t is predicted from the frame before it, from z[t] and from
condition[t - 1], what was known and done on seeing frame t - 1.
"""

import runs.quiet  # noqa: F401 - before Keras
from vae.arch import FRAME, to_unit

import keras
import tensorflow as tf
from keras import layers, ops

FEATURES = 128
LATENT = 64
UNITS = 256
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3))  # channels, convolutions; at 64, 32, 16, 8 pixels
MOMENTUM = 0.9  # of the moving averages of batch normalisation
LEAST_LOG_VAR, MOST_LOG_VAR = -12, 6  # beyond, a first bad step ends in infinities


def channels(full: int, width: float) -> int:
    return max(1, round(full * width))


def size(width: float, condition: int) -> int:
    """A number of weights that no CVAE is below: of its widest convolution, and the condition's."""
    return 9 * channels(1024, width) * channels(512, width) + UNITS * condition


def unit(x, filters: int):
    """Convolution 3×3, batch normalisation, LeakyReLU."""
    x = layers.Conv2D(filters, 3, padding="same")(x)
    return _normalised(x)


def _normalised(x):
    x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-5)(x)
    return layers.LeakyReLU(negative_slope=0.2)(x)


def encoder(width: float = 1.0) -> keras.Model:
    """Frames (B, 64, 64, 3) float in [0, 1] → features (B, G) in (-1, 1), and four skips.

    The skips are what the blocks give at 64, 32, 16 and 8 pixels.
    """
    frames = x = keras.Input(FRAME, name="frames")
    skips = []
    for filters, convolutions in BLOCKS:
        for _ in range(convolutions):
            x = unit(x, channels(filters, width))
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(FEATURES, 4)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-5)(x)
    features = layers.Flatten()(layers.Activation("tanh")(x))
    return keras.Model(frames, [features, *skips], name="encoder")


def decoder(width: float = 1.0) -> keras.Model:
    """Features (B, G) and the encoder's four skips → frames (B, 64, 64, 3) in [0, 1]."""
    g = keras.Input((FEATURES,), name="features")
    skips = [
        keras.Input((size, size, channels(filters, width)), name=f"skip_{size}")
        for size, (filters, _) in zip((64, 32, 16, 8), BLOCKS, strict=True)
    ]
    x = layers.Reshape((1, 1, FEATURES))(g)
    x = _normalised(layers.Conv2DTranspose(channels(512, width), 4)(x))
    after = ((512, 512, 256), (256, 256, 128), (128, 64), (64,))
    for skip, filters in zip(reversed(skips), after, strict=True):
        x = layers.Concatenate()([layers.UpSampling2D()(x), skip])
        for count in filters:
            x = unit(x, channels(count, width))
    x = layers.Conv2DTranspose(3, 3, padding="same")(x)
    frames = layers.Activation("sigmoid")(x)
    return keras.Model([g, *skips], frames, name="decoder")


def gaussian(name: str) -> keras.Model:
    """Features of frames so far → a Gaussian for each: posterior or learned prior.

    Inputs: `x` (B, T, G) and the memory `h`, `c` (B, H). Outputs: mean and log-variance
    (B, T, Z), and the memory after the last step.
    """
    x = keras.Input((None, FEATURES), name="x")
    h, c = keras.Input((UNITS,), name="h"), keras.Input((UNITS,), name="c")
    memory = layers.Dense(UNITS)(x)
    memory, last_h, last_c = layers.LSTM(UNITS, return_sequences=True, return_state=True)(
        memory, initial_state=[h, c]
    )
    z_mean = layers.Dense(LATENT, name="mean")(memory)
    z_log_var = layers.Dense(LATENT, name="log_variance")(memory)
    z_log_var = ops.clip(z_log_var, LEAST_LOG_VAR, MOST_LOG_VAR)
    return keras.Model([x, h, c], [z_mean, z_log_var, last_h, last_c], name=name)


def predictor(condition: int) -> keras.Model:
    """What the next frame's features are.

    Inputs: `x` (B, T, G + Z + K), features of a frame, the next one's latent and the condition;
    the memories of two LSTMs (B, H) each. Outputs: features (B, T, G), the memories afterwards.
    """
    x = keras.Input((None, FEATURES + LATENT + condition), name="x")
    before = [keras.Input((UNITS,), name=name) for name in ("h1", "c1", "h2", "c2")]
    memory = layers.Dense(UNITS)(x)
    after = []
    for layer in (0, 1):
        memory, h, c = layers.LSTM(UNITS, return_sequences=True, return_state=True)(
            memory, initial_state=before[2 * layer : 2 * layer + 2]
        )
        after += [h, c]
    features = layers.Dense(FEATURES, activation="tanh")(memory)
    return keras.Model([x, *before], [features, *after], name="predictor")


class Networks(keras.Model):
    """The networks together: what a weights file holds, and what predicts.

    `prior` is "fixed", N(0, I), or "learned": a Gaussian that the frames so far give (SVG-LP).
    """

    def __init__(self, condition: int, width: float = 1.0, past: int = 2, prior: str = "fixed"):
        super().__init__()
        self.condition, self.past = condition, past
        self.encoder = encoder(width)
        self.decoder = decoder(width)
        self.posterior = gaussian("posterior")
        self.predictor = predictor(condition)
        self.prior = gaussian("prior") if prior == "learned" else None
        self.built = True

    def encode(self, frames: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, list]:
        """Frames (B, T, 64, 64, 3) in [0, 1] → features (B, T, G), and the past's skips (B, P, …).

        All frames go through together, and so through the same batch normalisation.
        """
        steps = frames.shape[1]
        flat = self.encoder(tf.reshape(frames, (-1, *FRAME)), training=training)
        features, *skips = [tf.reshape(part, (-1, steps, *part.shape[1:])) for part in flat]
        return features, [skip[:, : self.past] for skip in skips]

    def infer(self, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The posterior of every frame's latent: (B, T, G) → mean, log-variance (B, T, Z)."""
        z_mean, z_log_var, *_ = self.posterior([features, *_empty(features, 2)])
        return z_mean, z_log_var

    def forced(self, features, skips, z, condition, training: bool = False):
        """Predict every frame from the true one before it, all at once.

        features (B, T, G), z (B, T, Z) and condition (B, T, K) → frames (B, T - 1, 64, 64, 3), and
        the prior's mean and log-variance (B, T - 1, Z), zeros where it is fixed.
        """
        steps = features.shape[1] - 1
        memories = _empty(features, 4), _empty(features, 2)
        observed = self._observed(skips, steps)
        found, _ = self._advance(
            features[:, :-1], observed, z[:, 1:], condition[:, :-1], memories, training, False
        )
        return found

    def free(self, features, skips, z, condition, is_forced, training: bool = False, drawn=False):
        """Predict the frames after the past one by one, each from what was predicted before it.

        features (B, T, G), of which only those of the past are used, except where `is_forced`
        (B,) holds: these sequences are teacher-forced. z and condition as in `forced`; with
        `drawn`, z is noise from N(0, I), of which a learned prior makes the latents. Returns what
        `forced` does.
        """
        past, last = self.past, tf.shape(condition)[1] - 1
        memories = _empty(features, 4), _empty(features, 2)
        observed = self._observed(skips, past)
        begin, memories = self._advance(
            features[:, :past],
            observed,
            z[:, 1 : past + 1],
            condition[:, :past],
            memories,
            training,
            drawn,
        )
        skips = [skip[:, -1:] for skip in skips]

        def step(t, frame, memories, kept):
            own = self.encoder(frame, training=training)[0]
            true = features[:, tf.minimum(t, tf.shape(features)[1]) - 1]
            h = tf.ensure_shape(tf.where(is_forced[:, None], true, own), (None, FEATURES))
            made, memories = self._advance(
                h[:, None],
                skips,
                z[:, t, None],
                condition[:, t - 1, None],
                memories,
                training,
                drawn,
            )
            place = t - past - 1
            kept = [array.write(place, part[:, 0]) for array, part in zip(kept, made, strict=True)]
            return t + 1, made[0][:, 0], memories, kept

        arrays = [
            tf.TensorArray(tf.float32, last - past, element_shape=(None, *part.shape[2:]))
            for part in begin
        ]
        start = past + 1, begin[0][:, -1], memories, arrays
        *_, kept = tf.while_loop(lambda t, *_: t <= last, step, start)
        after = [tf.einsum("tb...->bt...", array.stack()) for array in kept]
        return tuple(tf.concat(parts, 1) for parts in zip(begin, after, strict=True))

    def _observed(self, skips, steps: int) -> list[tf.Tensor]:
        """The skips (B, steps, …) with which frames 1, 2, … are drawn."""
        observed = last_observed(tf.range(1, steps + 1), self.past)
        return [tf.gather(skip, observed, axis=1) for skip in skips]

    def _advance(self, h, skips, z, condition, memories, training: bool, drawn: bool):
        """Predict S frames from features (B, S, G) of those before each, and all else of them.

        Returns the frames and the prior's mean and log-variance, and the memories afterwards.
        """
        memory, prior_memory = memories
        z_mean = z_log_var = tf.zeros_like(z)
        if self.prior is not None:
            z_mean, z_log_var, *prior_memory = self.prior([h, *prior_memory])
            if drawn:
                z = z_mean + tf.exp(z_log_var / 2) * z
        g, *memory = self.predictor([tf.concat([h, z, condition], -1), *memory])
        flat = [tf.reshape(part, (-1, *part.shape[2:])) for part in (g, *skips)]
        frames = self.decoder(flat, training=training)
        frames = tf.reshape(frames, (-1, h.shape[1], *FRAME))
        return (frames, z_mean, z_log_var), (memory, prior_memory)

    def imagine(self, frames: tf.Tensor, condition: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Predict on from the past, by noise (B, T, Z) from N(0, I), or zeros for the likeliest z.

        frames (B, ≥P, 64, 64, 3) uint8, of which the first P are looked at; condition (B, T, K).
        Returns frames (B, T - P, 64, 64, 3) in [0, 1].
        """
        features, skips = self.encode(to_unit(frames[:, : self.past]))
        nobody = tf.zeros(tf.shape(features)[:1], tf.bool)
        found, *_ = self.free(features, skips, noise, condition, nobody, drawn=True)
        return found[:, self.past - 1 :]


def last_observed(frame, past: int):
    """The last frame of the past that is seen before frame number `frame` ≥ 1.

    Its skips draw that frame. Code that takes a frame's skips only while `frame < past` draws the
    whole future with those of frame past - 2.
    """
    return tf.minimum(frame, past) - 1


def _empty(features: tf.Tensor, count: int) -> list[tf.Tensor]:
    """Memories (B, H) that hold nothing."""
    return [tf.zeros((tf.shape(features)[0], UNITS)) for _ in range(count)]


def kl_between(q_mean, q_log_var, p_mean, p_log_var) -> tf.Tensor:
    """KL(N(q_mean, exp(q_log_var)) ‖ N(p_mean, exp(p_log_var))) in nats, (…, Z) → (…)."""
    spread = tf.exp(q_log_var - p_log_var)
    distance = tf.square(q_mean - p_mean) * tf.exp(-p_log_var)
    return 0.5 * tf.reduce_sum(spread + distance - 1 + p_log_var - q_log_var, axis=-1)
