"""Trains each network on one device and on two, which TensorFlow makes of the processors.

A program of its own, for TensorFlow must be told before it is first used:
`python -m tests.two_devices FOLDER NETWORK…` prints what came of it as JSON.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from runs import fitting, replicas
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from settings import adversary
from tests.stopping import Stop

import numpy as np
import tensorflow as tf

EPOCHS, BATCHES, ROWS, STOP = 1, 2, 4, 1


def frames(seed: int, *shape: int) -> np.ndarray:
    """Bright and dark frames: the halves of a batch are unlike."""
    shade = np.random.default_rng(seed).integers(0, 200, (*shape, 1, 1, 1))
    grain = np.random.default_rng(seed).integers(0, 56, (*shape, 64, 64, 3))
    return (shade + grain).astype(np.uint8)


def pictures(seed: int, rows: int) -> np.ndarray:
    return frames(seed, rows)


def sequences(seed: int, rows: int) -> dict[str, np.ndarray]:
    """Latents for M, of unequal length."""
    rng, steps = np.random.default_rng(seed), 6
    valid = (np.arange(steps) < rng.integers(3, steps + 1, (rows, 1))).astype(np.float32)
    values = {name: rng.normal(size=(rows, steps, 4)) for name in ("mean", "log_variance")}
    values["action"] = rng.uniform(-1, 1, (rows, steps, 3))
    values |= {name: rng.random((rows, steps)) < 0.3 for name in ("tile", "done")}
    made = {name: value.astype(np.float32) for name, value in values.items()}
    return {**made, "valid": valid, "following": np.roll(valid, -1, 1) * (np.arange(steps) < 5)}


def videos(seed: int, rows: int) -> dict[str, np.ndarray]:
    condition = np.random.default_rng(seed).uniform(-1, 1, (rows, 5, 3))
    return {"frames": frames(seed, rows, 5), "condition": condition.astype(np.float32)}


def vision() -> replicas.Model:
    from vae import arch

    model = arch.VAE(arch.encoder(4), arch.decoder(4))
    model.compile(fitting.adam(1e-3, EPOCHS * BATCHES))
    return model


def vision_gan(**changes) -> replicas.Model:
    from vae import arch_vaegan

    recipe = adversary.recipe(ramp_start=0.0, ramp_end=0.0, moments=0.1, **changes)
    parts = arch_vaegan.encoder(4, 2, recipe), arch_vaegan.generator(4, 2, recipe)
    critic, steps = arch_vaegan.discriminator(2, recipe), EPOCHS * BATCHES
    model = arch_vaegan.VAEGAN(*parts, critic, recipe, steps)
    model.compile(*arch_vaegan.optimizers(recipe, steps))
    return model


def memory() -> replicas.Model:
    from rnn import arch

    model = arch.MDNRNN(4, 6, 3, {"tile": 50.0, "done": 1.0})
    # Gradients of the tiles are above what is clipped.
    model.compile(fitting.adam(1e-2, EPOCHS * BATCHES, clip=0.1))
    return model


def video() -> replicas.Model:
    from rnn.video.arch_cvae import Networks
    from rnn.video.training import CVAE

    model = CVAE(Networks(3, 1 / 64), 3)
    model.compile(fitting.adam(1e-3, EPOCHS * BATCHES))
    return model


NETWORKS: dict[str, tuple[Callable, Callable]] = {
    "vision": (vision, pictures),
    "hinge": (lambda: vision_gan(variant="repaired"), pictures),
    "wgan-gp": (lambda: vision_gan(variant="published", adversary="wgan-gp"), pictures),
    "memory": (memory, sequences),
    "video": (video, videos),
}


def sit(folder: Path, name: str, devices: int, stop: int | None = None):
    """One sitting of a training in a folder; its losses and weights in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    make, data = NETWORKS[name]
    fitting.seed(1)
    with replicas.strategy(devices, ROWS).scope():
        model = make()
    run = fitting.NetworkTraining(ModelDirectory(folder), "rnn", {"made": name})
    run.resume(model)

    def batches(seed: int, rows: int) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(data(seed, rows)).batch(ROWS)

    # The last of what is held out is one row: a device has nothing of it.
    held_out = batches(99, ROWS + 1 if data is pictures else ROWS)
    callbacks = () if stop is None else (Stop(stop),)
    fitting.fit(
        model,
        run,
        EPOCHS,
        lambda epoch: batches(epoch, BATCHES * ROWS),
        BATCHES,
        held_out,
        callbacks,
    )
    return run.history, [weights.tolist() for weights in model.get_weights()]


def trained(folder: Path, name: str) -> dict:
    """What came of it: on one device, begun on two and ended on one, and the other way round."""
    found = {"1": sit(folder / "1", name, 1)}
    for first, then in ((2, 1), (1, 2)) if name == "memory" else ((2, 1),):
        place = folder / f"{first}{then}"
        try:
            sit(place, name, first, STOP)
        except InterruptedError:
            found[f"{first}, {then}"] = sit(place, name, then)
    return found


def refusal(devices: int, batch_size: int) -> str:
    try:
        replicas.strategy(devices, batch_size)
    except BadInput as problem:
        return problem.message({})
    return ""


def main(folder: Path, names: list[str]) -> None:
    [processors] = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(processors, [half, half])
    # A checkpoint after every batch.
    fitting.MINUTES_BETWEEN_CHECKPOINTS = 0
    found = {name: trained(folder / name, name) for name in names}
    refusals = [refusal(3, 6), refusal(2, 5)]
    (folder / "found.json").write_text(json.dumps({"trained": found, "refusals": refusals}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
