"""What the benchmarks of the agent and of the trainings share."""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import rnn
import vae
from envs import rollouts
from envs.car_racing import CarRacing
from envs.recording import EpisodeLog
from rnn import arch as rnn_arch
from runs import config, fitting
from runs.directory import ModelDirectory, digest
from runs.following import LEADER
from runs.recipe import Stage
from vae import arch as vae_arch

import keras
import numpy as np
import tensorflow as tf
from environment import recorded_drive

TOP = Path(__file__).resolve().parent.parent
FIRST_TRACK = 1
MATRIX = 2048  # rows and columns of the matrices whose product shows the processor's rate


def run_script(command: list) -> dict[str, float]:
    """Run a script of this repository, with its arguments, to its end.

    Returns the processor time of it and its workers in seconds, and its memory in MiB. Where it
    stops, this process stops too, and the other way round.
    """
    script, *arguments = map(str, command)
    led = {**os.environ, LEADER: str(os.getpid())}
    with subprocess.Popen([sys.executable, str(TOP / script), *arguments], env=led) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)  # It has said what is wrong.
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024}


def run_stage(stage: Stage) -> dict[str, float]:
    """Run a stage of a recipe to its end, as `run_script` does."""
    return run_script([stage.script, *config.flags(stage.settings)])


@contextlib.contextmanager
def model_directory(given: Path | None) -> Iterator[ModelDirectory]:
    """The model directory given, or one with an untrained V and M that is removed afterwards."""
    if given is not None:
        yield ModelDirectory(given)
        return
    with tempfile.TemporaryDirectory() as place:
        directory = ModelDirectory(Path(place) / "vae")
        fitting.seed(1)
        parts = vae_arch.encoder(), vae_arch.decoder()
        vae.save(directory, *parts, {"architecture": "vae", "latent": vae_arch.LATENT})
        facts = {
            "latent": vae_arch.LATENT,
            "units": rnn_arch.UNITS,
            "mixtures": rnn_arch.MIXTURES,
            "heads": ["tile", "done"],
            "vision": digest(directory.weights("vision")),
        }
        rnn.save(directory, rnn_arch.network(), facts)
        yield directory


def record(folder: Path, episodes: int, steps: int) -> list[Path]:
    """Drive and record episodes along their tracks, at most `steps` long each."""
    world = CarRacing()
    for track in range(FIRST_TRACK, FIRST_TRACK + episodes):
        actions = recorded_drive(track, steps)
        log = EpisodeLog()
        frame, _ = world.reset(seed=track)
        for action in actions:
            following, reward, terminated, _, _ = world.step(action)
            log.add(frame, action, reward, terminated)
            frame = following
        rollouts.write(rollouts.path_of(folder, track), log.episode())
    return rollouts.paths(folder)


def float_encoder(encoder: keras.Model) -> keras.Model:
    """The layers of V's encoder behind another input: frames that are float32 in [0, 1] already."""
    _, _, *layers, mean, log_variance = encoder.layers
    frames = x = keras.Input(vae_arch.FRAME)
    for layer in layers:
        x = layer(x)
    return keras.Model(frames, [mean(x), log_variance(x)])


def multiply_adds(network: keras.Model, without: tuple[str, ...] = ()) -> int:
    """Products summed for one frame, those at the borders of a padded picture included.

    A kernel is applied at every pixel that comes out of a convolution, and at every pixel that
    goes into a transposed one.
    """
    total = 0
    for layer in network.layers:
        if hasattr(layer, "kernel") and layer.name not in without:
            transposed = isinstance(layer, keras.layers.Conv2DTranspose)
            pixels = (layer.input if transposed else layer.output).shape[1:-1]
            total += int(np.prod(layer.kernel.shape)) * int(np.prod(pixels))
    return total


def encoder_operations(encoder: keras.Model) -> int:
    """Floating point operations for the mean of one frame: two for each product of a matrix."""
    return 2 * multiply_adds(encoder, without=("log_variance",))


def matrix_rate(dtype: tf.DType) -> float:
    """Operations a second of processor time in the product of two large matrices."""
    matrix = tf.cast(tf.random.stateless_uniform((MATRIX, MATRIX), (1, 1)), dtype)
    tf.matmul(matrix, matrix)
    start = time.process_time()
    tf.matmul(matrix, matrix)
    return 2 * MATRIX**3 / (time.process_time() - start)


def one_thread() -> None:
    """Let TensorFlow compute in one thread. Call it before anything is computed."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def medians(measured: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in measured.items()}


def ratio(above: list[float], below: list[float]) -> float:
    """The median over the rounds of what one round's figures are to one another."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def row(name: str, *cells: str) -> None:
    """Print a line of a table."""
    print(f"{name:<40}" + "".join(f"{cell:>20}" for cell in cells))
