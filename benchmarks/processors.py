"""How fast the agent trains and drives on plainer processors than this one, in absolute figures.

    python benchmarks/processors.py
    python benchmarks/processors.py --model res/published/vae

oneDNN, which computes nearly everything here, can be told to do without a processor's newer
instructions, so that a fast machine shows what the same work takes on a plain one: AVX2 and float32
are what most laptops have. Every kind is a process of its own with both trainings on all cores, and
as many workers as there are cores for driving; V is as deep as the model's. Times are of the clock
on the wall: let nothing else run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from controller.fleet import Fleet
from controller.rollout import Job
from rnn import arch as rnn_arch
from runs import fitting
from runs.arguments import PRECISIONS, run
from runs.directory import ModelDirectory, write_json
from runs.processors import best_precision, cores
from runs.workplace import Workplace
from vae.arch import DEPTH, FRAME, LATENT, VAE, decoder, encoder

import command_line
import common
import numpy as np
import tensorflow as tf
from workers import around

KINDS = {
    "as it is": {},
    "AVX-512, float32": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    "AVX2, float32": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "AVX2, float32, without oneDNN": {"ONEDNN_MAX_CPU_ISA": "AVX2", "TF_ENABLE_ONEDNN_OPTS": "0"},
}
WORK = {
    "V: training": "frames/s",
    "V: encoding": "frames/s",
    "V: decoding": "frames/s",
    "M: training": "steps/s",
    "evolution: driving": "steps/s",
}
FRAMES, SEQUENCES, STEPS = 100, 50, 200  # of a batch of V, and of one of M


def rate(done: int, work: Callable[[], object], rounds: int) -> float:
    """How much is done in a second, by the median of some rounds."""
    work()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return done / statistics.median(seconds)


def measure(directory: ModelDirectory, rounds: int, policies: int) -> dict[str, float]:
    """The rates of this process, by the names of WORK."""
    rng = np.random.default_rng(1)
    precision = best_precision()
    dtype = PRECISIONS[precision]
    frames = tf.constant(rng.integers(0, 256, (FRAMES, *FRAME), dtype=np.uint8))
    depth = directory.facts("vision").get("depth", DEPTH)
    vae = VAE(encoder(LATENT, depth, dtype), decoder(LATENT, depth, dtype))
    vae.compile(fitting.adam(1e-3, 100))
    train_v, encode, decode = map(tf.function, (vae.train_step, vae.encoder, vae.decoder))
    latents = tf.constant(rng.normal(size=(FRAMES, LATENT)), tf.float32)

    m = rnn_arch.MDNRNN(LATENT, rnn_arch.UNITS, rnn_arch.MIXTURES, {"tile": 1, "done": 1})
    m.compile(fitting.adam(1e-3, 100, clip=1.0))
    train_m, sequences = tf.function(m.train_step), latent_sequences(rng)
    return {
        "V: training": rate(FRAMES, lambda: train_v(frames), rounds),
        "V: encoding": rate(FRAMES, lambda: encode(frames), rounds),
        "V: decoding": rate(FRAMES, lambda: decode(latents), rounds),
        "M: training": rate(SEQUENCES * STEPS, lambda: train_m(sequences), rounds),
        "evolution: driving": drive(directory, precision, policies),
    }


def latent_sequences(rng: np.random.Generator) -> dict[str, tf.Tensor]:
    """A batch as M trains on; see `rnn.arch.MDNRNN`."""
    shape = (SEQUENCES, STEPS)
    ones = np.ones(shape)
    batch = {
        "mean": rng.normal(size=(*shape, LATENT)),
        "log_variance": rng.normal(-3, 1, (*shape, LATENT)),
        "action": rng.uniform(-1, 1, (*shape, rnn_arch.ACTIONS)),
        **{name: ones for name in ("tile", "done", "valid", "following")},
    }
    return {name: tf.constant(values, tf.float32) for name, values in batch.items()}


def drive(directory: ModelDirectory, precision: str, policies: int) -> float:
    """Steps a second of a generation: every policy drives one track."""
    parameters = around(directory, policies)
    jobs = [Job(policy, common.FIRST_TRACK) for policy in parameters]
    with Fleet(directory, precision, Workplace(cores()), worlds=36) as fleet:
        fleet.drive(jobs[: 2 * fleet.workers], patience=1)
        start = time.perf_counter()
        outcomes = fleet.drive(jobs, patience=100)
        return sum(outcome.steps for outcome in outcomes) / (time.perf_counter() - start)


def of_kind(kind: str, arguments: argparse.Namespace) -> dict[str, float]:
    """`measure` in a process of its own, with the kernels of such a processor."""
    command = [sys.executable, __file__, "--measure", "--rounds", str(arguments.rounds)]
    command += ["--policies", str(arguments.policies)]
    command += ["--model", str(arguments.model)] if arguments.model else []
    done = subprocess.run(command, env={**os.environ, **KINDS[kind]}, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.returncode)  # It has said what is wrong.
    return json.loads(done.stdout)


def model_name() -> str:
    """What the processor calls itself."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def main() -> None:
    parser = command_line.parser(__doc__, __file__, rounds=9)
    command_line.add(parser, "--model")
    command_line.add(parser, "--policies", default=64)
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        with common.model_directory(arguments.model) as directory:
            print(json.dumps(measure(directory, arguments.rounds, arguments.policies)))
        return
    rates = {kind: of_kind(kind, arguments) for kind in arguments.kinds}
    print(f"{model_name()}, {cores()} cores, {best_precision()}")
    common.row("", *WORK)
    common.row("", *WORK.values())
    for kind, of_one in rates.items():
        common.row(kind, *(f"{of_one[work]:,.0f}" for work in WORK))
    result = {"processor": model_name(), "cores": cores(), "precision": best_precision()}
    write_json(arguments.json, {**result, "rates": rates})


if __name__ == "__main__":
    run(main)
