"""How fast V and M train, and that the memory it takes does not grow with the data.

    python benchmarks/training.py

V, streaming uint8 frames from episodes on disk, against plain `fit` on the same frames held in
memory as float32. M, reading random stretches of latent episodes, against the same batches held
in memory: its LSTM is Keras's own, as a loop with its gradient written by hand and an unrolled
one took as long. Contestants take turns; times are of the clock on the wall, with all cores, from
the end of a first batch to the end of the last.
"""

import multiprocessing
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from envs import rollouts
from rnn import arch as rnn_arch
from rnn import series
from runs import fitting
from runs.arguments import PRECISIONS, BadInput, run, whole
from runs.directory import write_json
from runs.processors import native_precisions
from vae import arch, frames

import command_line
import common
import keras
import numpy as np
import tensorflow as tf

GROWTH = 4  # so many times the data for the second figure of memory
SEQUENCES = 50  # in a batch of M
LATENT_EPISODES, LATENT_STEPS = 40, 400
TO_REACH = 1.0


class PlainVAE(arch.VAE):
    """The same training on frames that are float32 in [0, 1] already."""

    def losses_of(self, frames, noise_seed):
        z_mean, z_log_var = self.encoder(frames)
        reconstruction = self.decoder(arch.sample(z_mean, z_log_var, noise_seed))
        squared = tf.square(frames - reconstruction)
        reconstruction_loss = tf.reduce_mean(tf.reduce_sum(squared, axis=(1, 2, 3)))
        kl = arch.kl_divergence(z_mean, z_log_var)
        loss = reconstruction_loss + tf.reduce_mean(tf.maximum(kl, self.free_nats))
        return loss, reconstruction_loss, tf.reduce_mean(kl)


class Stopwatch(keras.callbacks.Callback):
    """The seconds from the end of the first batch to the end of the last."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append(time.perf_counter())

    @property
    def seconds_a_batch(self) -> float:
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def batch_time(model: keras.Model, data, **more) -> float:
    """Seconds that `fit` takes for a batch."""
    watch = Stopwatch()
    model.fit(data, callbacks=[watch], verbose=0, **more)
    return watch.seconds_a_batch


def compiled(model: keras.Model) -> keras.Model:
    model.compile(fitting.adam(1e-3, 10_000, clip=1.0))
    return model


def measure_v(episodes: list[Path], rounds: int, batches: int, batch_size: int) -> dict:
    """Frames a second, and the ratio to plain `fit`. A round is one turn of each."""
    ours = {
        name: compiled(arch.VAE(arch.encoder(dtype=dtype), arch.decoder(dtype=dtype)))
        for name, dtype in PRECISIONS.items()
        if name in native_precisions()
    }
    plain = compiled(PlainVAE(common.float_encoder(arch.encoder()), arch.decoder()))
    held = np.concatenate([rollouts.read(path).obs for path in episodes]).astype(np.float32)
    held /= 255
    measured = defaultdict(list)
    for number in range(rounds + 1):
        # The first round, with what is made on first use, is short and does not count.
        turn = batches if number > 0 else 2
        part = held[: batch_size * turn]
        for name, model in ours.items():
            stream = fitting.sized(frames.batches(episodes, batch_size, (1, number)), turn)
            measured[name].append(batch_size / batch_time(model, stream, shuffle=False))
        measured["plain fit"].append(batch_size / batch_time(plain, part, batch_size=batch_size))
    measured = {name: rates[1:] for name, rates in measured.items()}
    return {
        "frames_per_s": common.medians(measured),
        "ratios": {name: common.ratio(measured[name], measured["plain fit"]) for name in ours},
    }


def measure_m(rounds: int, batches: int, sequence: int) -> dict:
    """Steps a second, and the ratio to batches in memory. A round is one turn of each."""
    latent = arch.LATENT
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as place:
        paths = [Path(place) / f"{number:010d}.npz" for number in range(LATENT_EPISODES)]
        for path in paths:
            episode = rollouts.Episode(
                obs=None,
                action=rng.uniform(-1, 1, (LATENT_STEPS, 3)).astype(np.float32),
                reward=rng.choice(np.array([-0.1, 3.2], np.float32), LATENT_STEPS),
                done=np.arange(LATENT_STEPS) == LATENT_STEPS - 1,
            )
            mean = rng.normal(size=(LATENT_STEPS, latent)).astype(np.float32)
            series.write(path, episode, mean, mean - 3)
        heads = {"tile": 1.0, "done": 1.0}
        model = compiled(rnn_arch.MDNRNN(latent, rnn_arch.UNITS, rnn_arch.MIXTURES, heads))
        measured = defaultdict(list)
        for number in range(rounds + 1):
            turn = batches if number > 0 else 2
            stream = series.batches(paths, latent, SEQUENCES, sequence, turn, (1, number))
            held = tf.data.Dataset.from_tensors(next(iter(stream))).cache().repeat(turn)
            for name, data in {"ours": stream, "batches in memory": held}.items():
                steps = SEQUENCES * sequence
                measured[name].append(steps / batch_time(model, data, shuffle=False))
    measured = {name: rates[1:] for name, rates in measured.items()}
    return {
        "steps_per_s": common.medians(measured),
        "ratios": {
            "batches in memory": common.ratio(measured["ours"], measured["batches in memory"])
        },
    }


def peak_memory(episodes: list[Path], batch_size: int) -> float:
    """The most MiB that a process of its own ever took to pass once over the episodes."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(pass_over, (episodes, batch_size))


def pass_over(episodes: list[Path], batch_size: int) -> float:
    """Train V on one batch, then read all others; return the most MiB this process ever took."""
    model = compiled(arch.VAE(arch.encoder(), arch.decoder()))
    model.fit(frames.batches(episodes, batch_size, (1, 0)).take(1), shuffle=False, verbose=0)
    for _ in frames.batches(episodes, batch_size, (1, 1)):
        pass
    import resource  # not on Windows, where the rest of this file can be imported

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (20 if sys.platform == "darwin" else 10)


def measure_memory(episodes: list[Path], place: Path, batch_size: int) -> dict:
    """Peak memory for the episodes and for GROWTH times as many, which are links to the same."""
    many = []
    for copy in range(GROWTH):
        for path in episodes:
            many.append(rollouts.path_of(place, copy * 1000 + rollouts.track_of(path)))
            many[-1].parent.mkdir(exist_ok=True)
            many[-1].hardlink_to(path)
    return {
        "frames": sum(map(rollouts.length, episodes)),
        "growth_of_data": GROWTH,
        "mib": [peak_memory(episodes, batch_size), peak_memory(many, batch_size)],
    }


def print_table(result: dict) -> None:
    v, m, memory = result["v"], result["m"], result["memory"]
    common.row("training V, all cores", "frames/s", "ratio", "to reach")
    common.row("plain fit on float32 in memory", f"{v['frames_per_s']['plain fit']:,.0f}")
    for name, ratio in v["ratios"].items():
        rate = v["frames_per_s"][name]
        common.row(f"ours, {name}", f"{rate:,.0f}", f"{ratio:.2f} x", f"{TO_REACH} x")
    print()
    few, many = memory["mib"]
    count = memory["frames"]
    common.row("memory of training V", f"{count:,} frames", f"{GROWTH * count:,}", "growth")
    common.row("at most, MiB", f"{few:,.0f}", f"{many:,.0f}", f"{many / few:.2f} x")
    print()
    common.row("training M, all cores", "steps/s", "ratio")
    common.row("batches in memory", f"{m['steps_per_s']['batches in memory']:,.0f}")
    ratio = m["ratios"]["batches in memory"]
    common.row("ours", f"{m['steps_per_s']['ours']:,.0f}", f"{ratio:.2f} x")


def main() -> None:
    parser = command_line.parser(__doc__, __file__, rounds=5)
    command_line.add_episodes(parser, 32)
    parser.add_argument(
        "--batches", type=whole(3), default=16, help="timed each time, of V and of M (default: 16)"
    )
    command_line.add(parser, "--batch-size", default=100, help="frames in a batch of V")
    parser.add_argument(
        "--sequence", type=whole(2), default=200, help="steps of a sequence of M (default: 200)"
    )
    arguments = parser.parse_args()
    rounds, batches, batch_size = arguments.rounds, arguments.batches, arguments.batch_size
    with tempfile.TemporaryDirectory() as place:
        episodes = common.record(Path(place) / "rollout", arguments.episodes, arguments.steps)
        if batch_size * batches > sum(map(rollouts.length, episodes)):
            raise BadInput("The episodes hold fewer frames than the batches; give more --episodes.")
        result = {
            "settings": {
                "rounds": rounds,
                "batches": batches,
                "batch_size": batch_size,
                "sequences": SEQUENCES,
                "sequence": arguments.sequence,
            },
            "memory": measure_memory(episodes, Path(place) / "many", batch_size),
            "v": measure_v(episodes, rounds, batches, batch_size),
            "m": measure_m(rounds, batches, arguments.sequence),
        }
    print_table(result)
    write_json(arguments.json, result)


if __name__ == "__main__":
    run(main)
