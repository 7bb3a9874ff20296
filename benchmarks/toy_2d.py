"""What averaging does to a VAE and what an adversary changes, in two dimensions and one minute.

Points lie on two arcs: one factor says where along an arc, the other on which of the two. The
latent is one number, and to tell the arcs apart would cost more nats than it saves in squared
error: so a VAE draws every point between them, where none is. A VAE-GAN has to deceive a
discriminator as well. A WGAN-GP does nothing else, and has no encoder. All networks are perceptrons
of two hidden layers of 128.

Writes RES/toy_2d.png, toy_2d.md and toy_2d.json: the likelihood of reconstructions, and of
fantasies (the decoder's points of z ~ N(0, 1)), under the true density.
"""

import dataclasses
import time
from pathlib import Path

from runs import arguments, config, directory, fitting, plots
from runs.config import setting
from settings.shared import Res, Seed
from vae import adversarial_losses, arch

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

ARCS = (1.5, 2.5)  # their radii
WIDTH = 0.06  # SD of a point's distance from its arc
SPREAD = 0.8  # SD of the angle, in radians
UNLIKELY = 0.01  # share of true points at a lower density than what counts as on an arc

HIDDEN = 128
BATCH = 128
RATE = 1e-3  # of Adam; falls to a hundredth by a cosine
FEATURES = 0.5  # weight of the distance between D's hidden layers, against squared error + KL
DECEPTION = 1.0  # weight of deceiving D
CRITIC_STEPS = {"hinge": 1, "wgan-gp": 5}
AT_ONCE = 100  # steps in one graph
MEASURED, SHOWN = 20_000, 1_500  # points

# Whether there is an encoder, and which adversary.
MODELS = {"VAE": (True, None), "VAE-GAN": (True, "hinge"), "WGAN-GP": (False, "wgan-gp")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Toy(Seed, Res):
    """The settings of this script."""

    steps: int = setting(
        2000, "of each training, rounded up to hundreds", least=1, unit="gradient steps"
    )


def main() -> None:
    settings = config.parse(Toy, __doc__)
    rng = np.random.default_rng(settings.seed)
    learned, unseen = points(50_000, rng), points(MEASURED, rng)
    floor = np.quantile(log_density(unseen), UNLIKELY)
    drawn, rows = {}, {"true points": likelihood(unseen, floor)}
    for kind in MODELS:
        begun = time.monotonic()
        model = ToyModel(kind, settings.seed, settings.steps)
        for step in range(0, settings.steps, AT_ONCE):
            model.learn(tf.constant(learned), tf.constant(step))
        drawn[kind] = model.draw(unseen)
        rows |= {f"{kind}, {what}": likelihood(x, floor) for what, x in drawn[kind].items()}
        if "reconstructions" in drawn[kind]:
            squared = np.square(drawn[kind]["reconstructions"] - unseen).sum(axis=1)
            rows[f"{kind}, reconstructions"]["squared_error"] = float(squared.mean())
        print(f"{kind}: {settings.steps:,} steps, {time.monotonic() - begun:.0f} s", flush=True)
    directory.write_json(settings.res / "toy_2d.json", {**config.saved(settings), "rows": rows})
    directory.write_text(settings.res / "toy_2d.md", table(rows))
    picture(settings.res / "toy_2d.png", unseen, drawn)
    print(table(rows))


def points(count: int, rng: np.random.Generator) -> np.ndarray:
    """True points, (count, 2)."""
    angle = rng.normal(0, SPREAD, count)
    radius = rng.choice(ARCS, count) + rng.normal(0, WIDTH, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)


def log_density(x: np.ndarray) -> np.ndarray:
    """The true log-density at points (N, 2), (N,), in nats.

    In polar coordinates angle and radius are independent; an area is r times as large there.
    """
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    arcs = [_log_normal(radius - arc, WIDTH) - np.log(len(ARCS)) for arc in ARCS]
    return _log_normal(angle, SPREAD) + np.logaddexp(*arcs) - np.log(radius)


def _log_normal(x: np.ndarray, deviation: float) -> np.ndarray:
    return -0.5 * np.square(x / deviation) - np.log(deviation * np.sqrt(2 * np.pi))


def perceptron(inputs: int, outputs: tuple[int, ...]) -> keras.Model:
    """(B, inputs) → heads, (B, outputs[i]) each, and then its two hidden layers, (B, 128) each."""
    x = start = keras.Input((inputs,))
    hidden = [x := layers.Dense(HIDDEN, "relu")(x) for _ in range(2)]
    return keras.Model(start, [*(layers.Dense(size)(x) for size in outputs), *hidden])


class ToyModel:
    """One of `MODELS`. Each network minimises its own loss and nobody else's.

    E: squared error + features + KL
    G: squared error + features + deception of D
    D: discrimination, and for WGAN-GP its penalty
    """

    def __init__(self, kind: str, seed: int, steps: int):
        fitting.seed(seed)
        self.encodes, self.adversary = MODELS[kind]
        self.seed = seed
        self.encoder = perceptron(2, (1, 1))
        self.decoder = perceptron(1, (2,))
        self.critic = perceptron(2, (1,))
        # Gulrajani et al. 2017, algorithm 1.
        moments = {"beta_1": 0.0, "beta_2": 0.9} if self.adversary == "wgan-gp" else {}
        self.optimizers = {}
        each = CRITIC_STEPS.get(self.adversary, 1)
        for network, length in (
            (self.encoder, steps),
            (self.decoder, steps),
            (self.critic, each * steps),
        ):
            falling = keras.optimizers.schedules.CosineDecay(RATE, length, alpha=0.01)
            optimizer = keras.optimizers.Adam(falling, **moments)
            optimizer.build(network.trainable_variables)
            self.optimizers[network] = optimizer

    @tf.function
    def learn(self, learned: tf.Tensor, first: tf.Tensor) -> None:
        """`AT_ONCE` steps on points (N, 2)."""
        for step in tf.range(first, first + AT_ONCE):
            at = tf.stack([self.seed, step])
            x = self.batch(learned, at)
            with tf.GradientTape(persistent=True) as tape:
                fantasy = self.decoder(tf.random.stateless_normal((BATCH, 1), at + [1000, 0]))[0]
                drawn, kl = self.reconstruct(x, at) if self.encodes else (fantasy, 0.0)
                squared = tf.reduce_mean(tf.reduce_sum(tf.square(x - drawn), axis=1))
                common = squared if self.encodes else 0.0
                deception = 0.0
                if self.adversary:
                    answer, *its_layers = self.critic(drawn)
                    if self.encodes:
                        layers_of_x = self.critic(x)[1:]
                        common += FEATURES * adversarial_losses.feature_distance(
                            layers_of_x, its_layers, True
                        )
                    answers = answer, self.critic(fantasy)[0]
                    deception = DECEPTION * adversarial_losses.deception(self.adversary, *answers)
                encoder_loss, decoder_loss = common + kl, common + deception
            if self.encodes:
                self.improve(self.encoder, tape, encoder_loss)
            self.improve(self.decoder, tape, decoder_loss)
            if self.adversary:
                for turn in range(CRITIC_STEPS[self.adversary]):
                    self.discriminate(learned, drawn, fantasy, at + [2000 + 10 * turn, 0])

    def batch(self, learned: tf.Tensor, at: tf.Tensor) -> tf.Tensor:
        chosen = tf.random.stateless_uniform((BATCH,), at, 0, len(learned), tf.int32)
        return tf.gather(learned, chosen)

    def reconstruct(self, x: tf.Tensor, at: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The decoder's points of samples of x's latents, and the KL in nats a point."""
        mean, log_variance, *_ = self.encoder(x)
        z = arch.sample(mean, log_variance, at)
        return self.decoder(z)[0], tf.reduce_mean(arch.kl_divergence(mean, log_variance))

    def discriminate(self, learned, drawn, fantasy, at) -> None:
        """A step of D, on points that G no longer changes."""
        x = self.batch(learned, at)
        with tf.GradientTape() as tape:
            answers = tf.split(self.critic(tf.concat([x, drawn, fantasy], axis=0))[0], 3)
            loss = adversarial_losses.discrimination(self.adversary, *answers)
            if self.adversary == "wgan-gp":
                loss += adversarial_losses.gradient_penalty(self.critic, x, drawn, at + [1, 0])
        self.improve(self.critic, tape, loss)

    def improve(self, network: keras.Model, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        variables = network.trainable_variables
        self.optimizers[network].apply(tape.gradient(loss, variables), variables)

    def draw(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Reconstructions of the means of x's latents, where there is an encoder; fantasies."""
        prior = np.random.default_rng(self.seed).normal(size=(len(x), 1)).astype(np.float32)
        latents = {"fantasies": prior}
        if self.encodes:
            latents = {"reconstructions": self.encoder(x)[0], **latents}
        return {what: self.decoder(z)[0].numpy() for what, z in latents.items()}


def likelihood(x: np.ndarray, floor: float) -> dict[str, float]:
    """The mean and median log-density at points (N, 2), and the share over a `floor`."""
    found = log_density(x.astype(float))
    return {
        "mean": float(found.mean()),
        "median": float(np.median(found)),
        "on_an_arc": float((found >= floor).mean()),
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    head = ["", "mean log-density, nats", "median", "on an arc", "squared error"]
    lines = [head, ["---"] * len(head)]
    for name, row in rows.items():
        error = f"{row['squared_error']:.3f}" if "squared_error" in row else ""
        cells = [f"{row['mean']:.2f}", f"{row['median']:.2f}", f"{row['on_an_arc']:.1%}", error]
        lines.append([name, *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def picture(path: Path, truth: np.ndarray, drawn: dict[str, dict[str, np.ndarray]]) -> None:
    """Truth in grey; above reconstructions, coloured by the true angle, and below fantasies."""
    figure, axes = plt.subplots(2, len(drawn), figsize=(9, 7), sharex=True, sharey=True)
    angle = np.arctan2(truth[:SHOWN, 1], truth[:SHOWN, 0])
    for column, (kind, found) in zip(axes.T, drawn.items(), strict=True):
        for axis, what in zip(column, ("reconstructions", "fantasies"), strict=True):
            axis.scatter(*truth[:SHOWN].T, s=2, color="0.8", linewidths=0)
            axis.set(title=f"{kind}: {what}", aspect="equal", xlim=(-2.5, 3), ylim=(-3, 3))
            if what == "fantasies":
                axis.scatter(*found[what][:SHOWN].T, s=2, color="C3", linewidths=0)
            elif what in found:
                axis.scatter(*found[what][:SHOWN].T, s=2, c=angle, cmap="turbo", linewidths=0)
            else:
                axis.text(0, 0, "no encoder", ha="center", color="0.4")
    figure.tight_layout()
    plots.save_figure(figure, path)


if __name__ == "__main__":
    arguments.run(main)
