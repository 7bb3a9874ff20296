"""What is ended at some moment and resumed is what was never ended, exactly.

By SIGKILL, by SIGTERM, as `kill`, `docker stop` and a machine that shuts down do it, by SIGHUP, as
a terminal that is closed, and by SIGINT, as Ctrl-C.
"""

import functools
import os
import random
import shutil
import signal
import time

import rnn
import vae
from controller import arch
from controller.report import history
from envs import rollouts
from runs.directory import ModelDirectory, locked, read_json

import numpy as np
import pytest

STOPPED = "Stopped. What is done is kept; give the same command to go on.\n"


def end_after(scripts, script, arguments, begun, how=signal.SIGKILL, within=0.3) -> None:
    """End a script by a signal to it alone, `within` so many seconds after `begun()` is true.

    It must not have come to its end; all that it started must end with it. Interrupted, it says so.
    """
    process = scripts.start(script, *arguments)
    while not begun():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(random.uniform(0, within))
    os.kill(process.pid, how)
    _, said = process.communicate()  # waits for its children too
    assert process.returncode == {signal.SIGINT: 130}.get(how, -how), "it ended by itself"
    if how == signal.SIGINT:
        assert said.endswith(STOPPED) and "Traceback" not in said


def saved(training, times: int = 1) -> bool:
    """Whether a training has saved a checkpoint so many times."""
    return training.exists() and read_json(training)["saves"] >= times


def same_weights(one: list, other: list) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_v(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout")
    model = tmp_path / "models" / "vae"
    arguments = small("02_train_vae.py", tmp_path, tmp_path / "res")
    state = model / "vision.training.json"
    for times, how in ((1, signal.SIGINT), (2, signal.SIGKILL)):
        begun = functools.partial(saved, state, times)
        end_after(scripts, "02_train_vae.py", arguments, begun, how, within=0.1)
    assert not ModelDirectory(model).has("vision")
    scripts.succeed("02_train_vae.py", *arguments)
    whole, resumed = (vae.load(ModelDirectory(m)) for m in (chain.model, model))
    assert same_weights(whole.encoder.get_weights(), resumed.encoder.get_weights())
    assert same_weights(whole.decoder.get_weights(), resumed.decoder.get_weights())
    assert whole.digest == resumed.digest
    assert (tmp_path / "res" / "vae_strip.png").exists()


def test_m(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout", "series")
    model = tmp_path / "models" / "vae"
    model.mkdir(parents=True)
    for name in ("vision.weights.h5", "model.json"):
        shutil.copy(chain.model / name, model)
    arguments = small("04_train_rnn.py", tmp_path, tmp_path / "res")
    begun = functools.partial(saved, model / "rnn.training.json")
    end_after(scripts, "04_train_rnn.py", arguments, begun, signal.SIGTERM)
    scripts.succeed("04_train_rnn.py", *arguments)
    whole, resumed = (rnn.load(ModelDirectory(m)) for m in (chain.model, model))
    assert same_weights(whole.network.get_weights(), resumed.network.get_weights())


def test_c(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "models")
    model = tmp_path / "models" / "vae"
    for path in model.glob("controller*"):
        path.unlink()
    arguments = small("05_train_controller.py", tmp_path, tmp_path / "res")
    state = model / "controller.training.json"
    # A commit comes before the first generation, and one after it.
    for times, how in ((1, signal.SIGINT), (2, signal.SIGHUP)):
        begun = functools.partial(saved, state, times)
        end_after(scripts, "05_train_controller.py", arguments, begun, how)
    printed = scripts.succeed("05_train_controller.py", *arguments)
    assert "Resuming after generation" in printed
    whole, resumed = (
        [
            (row.generation, row.best, row.mean, row.worst, row.sigma, row.steps, row.validation)
            for row in history.read(m / "controller.csv")
        ]
        for m in (chain.model, model)
    )
    assert whole == resumed
    one, other = (arch.load(ModelDirectory(m), 48) for m in (chain.model, model))
    assert np.array_equal(one, other)


def test_recordings(chain, scripts, tmp_path):
    folder, before = tmp_path / "rollout", chain.data / "rollout"
    arguments = ["--data-dir", tmp_path, "--episodes", 40, "--steps", 40, "--workers", 2]

    def begun() -> bool:
        return any(folder.glob("0*.npz"))

    end_after(scripts, "01_generate_data.py", arguments, begun, signal.SIGTERM, within=0)
    scripts.succeed("01_generate_data.py", *arguments)
    assert len(rollouts.paths(folder)) == 40
    for path in rollouts.paths(before):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_an_interrupt_ends_a_run_at_once_and_leaves_no_half_file(scripts, tmp_path):
    folder = tmp_path / "rollout"
    arguments = ["--data-dir", tmp_path, "--episodes", 10_000, "--steps", 200, "--workers", 2]
    process = scripts.start("01_generate_data.py", *arguments)
    while not list(folder.glob("0*.npz")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    printed, said = process.communicate()
    assert process.returncode == 130 and printed.count("\n") == 1
    assert said.endswith(STOPPED) and "Traceback" not in said
    for path in rollouts.paths(folder):
        assert len(rollouts.read(path)) <= 200


@pytest.mark.parametrize(
    "script, folder",
    [
        ("01_generate_data.py", "rollout"),
        ("02_train_vae.py", "models/vae"),
        ("03_generate_rnn_data.py", "series/vae"),
        ("04_train_rnn.py", "models/vae"),
        ("05_train_controller.py", "models/vae"),
    ],
)
def test_a_second_run_is_refused_while_one_runs(chain, refuse, small, tmp_path, script, folder):
    data = chain.copy(tmp_path, "rollout", "series", "models")
    with locked(data / folder):
        sentence = refuse(script, *small(script, data, data / "res"))
    assert f"Another process is writing to {data / folder}" in sentence
