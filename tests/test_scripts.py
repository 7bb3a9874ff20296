"""The scripts as a user runs them: each for real, tiny, and its files opened."""

import csv
import filecmp
import json
import math

import rnn
import vae
from controller import arch
from controller.agent import Agent
from controller.driving import Scored
from controller.report import history
from controller.rollout import Job
from envs import rollouts, tracks
from rnn import arch as rnn_arch
from rnn import series
from runs import fitting
from runs.directory import DataDirectory, ModelDirectory, read_json
from vae import arch as vae_arch

import numpy as np
import pytest
from imageio import v3 as imageio


def picture(path) -> np.ndarray:
    read = imageio.imread(path)
    assert read.std() > 0, f"{path} is of one colour"
    return read


def video(path) -> np.ndarray:
    read = imageio.imread(path, index=None)
    assert read.ndim == 4 and read.std() > 0
    return read


def test_01_records_episodes_of_new_tracks(chain):
    found = rollouts.paths(DataDirectory(chain.data).rollout)
    assert [rollouts.track_of(path) for path in found] == tracks.recording(1, "random", 5)
    for path in found:
        episode = rollouts.read(path)
        assert len(episode) == 40 and not episode.done.any()
        assert episode.obs.std() > 10 and episode.reward.max() > 0
        assert (episode.action[:20] == [0, 1, 0]).all()
    printed = chain.printed["01_generate_data.py"]
    assert "5 episodes of at most 40 steps: up to 0.3 MB" in printed
    assert "5 new episodes, 200 steps" in printed


def test_01_gives_the_same_files_whatever_the_number_of_workers(chain, scripts, small, tmp_path):
    arguments = small("01_generate_data.py", tmp_path, tmp_path)
    scripts.succeed("01_generate_data.py", *arguments, "--workers", 1, "--episodes", 2)
    assert len(list((tmp_path / "rollout").glob("*.npz"))) == 2
    kept = (tmp_path / "rollout" / "0001000000.npz").stat().st_mtime_ns

    printed = scripts.succeed("01_generate_data.py", *arguments, "--workers", 3)
    assert "3 new episodes" in printed
    assert (tmp_path / "rollout" / "0001000000.npz").stat().st_mtime_ns == kept
    for path in (chain.data / "rollout").glob("*.npz"):
        assert filecmp.cmp(path, tmp_path / "rollout" / path.name, shallow=False), path.name

    printed = scripts.succeed("01_generate_data.py", *arguments)
    assert "All 5 episodes are in" in printed and "fewer steps" not in printed
    more = [*arguments, "--steps", 60]
    assert "5 of the episodes that are there were recorded with fewer steps (--steps, 40" in (
        scripts.succeed("01_generate_data.py", *more)
    )


def test_02_leaves_a_v_a_curve_and_a_strip(chain):
    vision = vae.load(ModelDirectory(chain.model))
    assert vision.latent == 32
    facts = read_json(chain.model / "model.json")["vision"]
    assert facts["architecture"] == "vae" and facts["epochs"] == 3 and facts["seed"] == 1
    assert np.isfinite(facts["losses"]["val_loss"])
    assert picture(chain.res / "vae_strip.png").shape == (2 * 128, 100 + 12 * 128, 3)
    picture(chain.res / "vae_curve.png")
    assert list((chain.model / "logs" / "vision").rglob("events.*"))
    told = f"Losses as they come: tensorboard --logdir {chain.model / 'logs' / 'vision'}"
    assert told in chain.printed["02_train_vae.py"]
    assert not list(chain.model.glob("vision.training[01].weights.h5"))


def test_02_learns(chain):
    losses = [
        row["val_loss"]
        for row in read_json(chain.model / "vision.training.json")["position"]["history"]
    ]
    assert len(losses) == 3 and losses[-1] < losses[0]


def test_02_says_when_its_loss_is_no_number_and_begins_again_as_it_advises(
    record, scripts, small, tmp_path
):
    record(tmp_path / "rollout", [40] * 3)
    arguments = [*small("02_train_vae.py", tmp_path, tmp_path), "--epochs", 1, "--latent", 4]
    spoilt = scripts.run("02_train_vae.py", *arguments, "--learning-rate", 1)
    assert spoilt.returncode == 2 and not (tmp_path / "models" / "vae" / "model.json").exists()
    assert "no longer a number in epoch 1" in spoilt.stderr
    advised = ["--from-scratch", "--learning-rate", 1e-3, "--kl-weight", 1000]
    done = scripts.run("02_train_vae.py", *arguments, *advised)
    assert done.returncode == 0, done.stderr
    directory = ModelDirectory(tmp_path / "models" / "vae")
    assert vae.load(directory).latent == 4 and directory.facts("vision")["kl_weight"] == 1000
    # Where the KL is all that counts, z says nothing.
    assert "Warning, epoch 1: a latent holds only" in done.stdout and "(kl_weight)" in done.stdout


@pytest.mark.parametrize("part, arch", [("vision", vae_arch), ("rnn", rnn_arch)])
def test_all_losses_are_plotted_under_words_and_not_under_internal_names(chain, part, arch):
    history = read_json(chain.model / f"{part}.training.json")["position"]["history"]
    assert arch.LOSSES.keys() == {name.removeprefix("val_") for name in history[0]}
    assert not any("_" in words or words == name for name, words in arch.LOSSES.items())


def test_03_encodes_every_frame(chain):
    directory = ModelDirectory(chain.model)
    vision = vae.load(directory)
    latents = series.paths(chain.data / "series" / "vae", 32, vision.digest)
    recorded = rollouts.paths(chain.data / "rollout")
    assert [path.name for path in latents] == [path.name for path in recorded]
    episode, encoded = rollouts.read(recorded[-1]), series.read(latents[-1], 32)
    mean, log_variance = vision.encoder(episode.obs)
    np.testing.assert_allclose(encoded["mean"], mean, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(encoded["log_variance"], log_variance, rtol=1e-3, atol=1e-4)
    assert np.array_equal(encoded["action"], episode.action)


def test_03_run_again_does_what_is_missing_only(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout", "models", "series")
    removed = tmp_path / "series" / "vae" / "0001000002.npz"
    removed.unlink()
    printed = scripts.succeed(
        "03_generate_rnn_data.py", *small("03_generate_rnn_data.py", tmp_path, tmp_path)
    )
    assert "1 new latent episodes" in printed and "5 in all" in printed
    assert filecmp.cmp(removed, chain.data / "series" / "vae" / removed.name, shallow=False)


def test_04_leaves_an_m_a_curve_and_its_predictions(chain):
    memory = rnn.load(ModelDirectory(chain.model))
    assert (memory.latent, memory.units, memory.heads) == (32, 16, ("tile", "done"))
    history = read_json(chain.model / "rnn.training.json")["position"]["history"]
    assert len(history) == 2 and history[1]["loss"] < history[0]["loss"]
    assert picture(chain.res / "vae_rnn_predictions.png").shape == (4 * 128, 100 + 12 * 128, 3)
    picture(chain.res / "vae_rnn_curve.png")


def test_04_without_a_step_leaves_m_as_initialised(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout", "series", "models")
    arguments = [*small("04_train_rnn.py", tmp_path, tmp_path), "--steps", 0]
    scripts.succeed("04_train_rnn.py", *arguments, "--from-scratch")
    model = ModelDirectory(tmp_path / "models" / "vae")
    fitting.seed(1)
    untouched = rnn_arch.MDNRNN(32, 16, rnn_arch.MIXTURES, {"tile": 1.0, "done": 1.0}, 1).network
    for had, has in zip(untouched.weights, rnn.load(model).network.weights, strict=True):
        assert np.array_equal(had, has), had.path
    # Nothing learned: a Gaussian as wide as what z is drawn from has 1.4 nats, two heads ln 2.
    losses = model.facts("rnn")["losses"]
    assert losses["val_nll"] > 1 and losses["val_tile"] == pytest.approx(np.log(2), abs=0.2)
    assert picture(tmp_path / "vae_rnn_predictions.png").shape == (4 * 128, 100 + 12 * 128, 3)
    assert "nothing to do" in scripts.succeed("04_train_rnn.py", *arguments)


def test_05_leaves_a_c_a_csv_a_curve_and_a_gif(chain):
    parameters = arch.load(ModelDirectory(chain.model), 32 + 16)
    assert parameters.shape == (3 * (32 + 16) + 3,) and parameters.any()
    rows = history.read(chain.model / "controller.csv")
    assert [row.generation for row in rows] == [1, 2]
    assert [row.validation is not None for row in rows] == [False, True]
    assert all(row.worst <= row.mean <= row.best and row.steps > 0 for row in rows)
    with open(chain.model / "controller.csv", newline="") as file:
        assert next(csv.reader(file))[:3] == ["stage", "generation", "best"]
    facts = read_json(chain.model / "model.json")["controller"]
    assert facts["validation"]["mean"] == rows[-1].validation
    picture(chain.res / "vae_controller_curve.png")
    agent, job = Agent(ModelDirectory(chain.model)), Job(parameters, tracks.validation(1)[0])
    [(_, lap)] = Scored(patience=15, stock=True)(agent, [(0, job)], 1)
    assert video(chain.res / "vae.gif").shape == (math.ceil(lap.steps / 5), 192, 384, 3)


def test_05_evolves_a_c_that_sees_z_alone_without_any_m(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "models")
    model = ModelDirectory(tmp_path / "models" / "vae")
    for path in [*model.path.glob("controller.*"), *model.path.glob("rnn.*")]:
        path.unlink()
    arguments = [*small("05_train_controller.py", tmp_path, tmp_path), "--sees", "z"]
    arguments += ["--from-scratch", "--generations", 1, "--sigma", 0.0001]
    scripts.succeed("05_train_controller.py", *arguments)
    assert arch.load(model, 32).shape == (3 * 32 + 3,)
    facts = model.facts("controller")
    assert facts["sees"] == "z" and facts["vision"] == model.facts("vision")["digest"]
    assert video(tmp_path / "vae.gif").shape[1:] == (192, 384, 3)


@pytest.mark.parametrize("script", ["02_train_vae.py", "04_train_rnn.py"])
def test_a_finished_training_says_so_and_touches_nothing(chain, scripts, small, tmp_path, script):
    data = chain.copy(tmp_path, "rollout", "series", "models")

    def times() -> dict:
        model = data / "models" / "vae"
        return {path.name: path.stat().st_mtime_ns for path in model.glob("[!.]*.*")}

    before = times()
    assert "nothing to do" in scripts.succeed(script, *small(script, data, data / "res"))
    assert times() == before


@pytest.fixture(scope="module")
def scored(racer, scripts, tmp_path_factory):
    """An agent scored on two tracks by two workers, and on the second by one: (RES, printed)."""
    runs = []
    for count, first, more in (
        (2, tracks.EVALUATION, []),
        (1, tracks.EVALUATION + 1, ["--scores-only"]),
    ):
        res = tmp_path_factory.mktemp("scores")
        arguments = [racer, "--tracks", count, "--first-track", first]
        arguments += ["--workers", count, "--res", res, *more]
        runs.append((res, scripts.succeed("evaluate.py", *arguments)))
    return runs


def test_evaluate_scores_on_stock_car_racing_and_unseen_tracks(scored):
    res, printed = scored[0]
    [(name, score)] = json.loads((res / "scores.json").read_text()).items()
    assert name == "vae" and score["environment"] == "CarRacing-v3"
    assert score["tracks"] == len(score["episodes"]) == 2
    assert score["first_track"] == tracks.EVALUATION
    scores = [episode["score"] for episode in score["episodes"]]
    assert score["mean"] == pytest.approx(np.mean(scores))
    assert score["interval"][0] <= score["mean"] <= score["interval"][1]
    assert f"| vae | {score['mean']:.1f} ± {score['sd']:.1f} |" in printed
    for name in ("vae_lap.gif", "vae_worst.gif"):
        assert video(res / name).shape[1:] == (192, 384, 3)
        assert (res / name).stat().st_size <= 3e6
    picture(res / "curves.png")


def test_evaluate_gives_the_same_scores_whoever_drives_and_whatever_else(scored):
    two, one = (json.loads((res / "scores.json").read_text())["vae"] for res, _ in scored)
    assert len(two["episodes"]) == 2 and len(one["episodes"]) == 1
    assert one["first_track"] == two["first_track"] + 1
    assert two["episodes"][1] == one["episodes"][0]


def test_finetuning_goes_on_from_the_finished_weights(chain, scripts, small, tmp_path):
    chain.copy(tmp_path, "rollout", "models")
    before = vae.load(ModelDirectory(chain.model)).encoder.get_weights()
    arguments = small("02_train_vae.py", tmp_path, tmp_path / "res")
    finetuning = [*arguments, "--finetune", "--epochs", 1, "--learning-rate", 1e-6]
    scripts.succeed("02_train_vae.py", *finetuning)
    after = vae.load(ModelDirectory(tmp_path / "models" / "vae")).encoder.get_weights()
    moved = max(np.abs(a - b).max() for a, b in zip(before, after, strict=True))
    # Three steps of Adam at 1e-6 move a weight by about as much, not by a new initialisation.
    assert 0 < moved < 1e-5
    assert "nothing to do" in scripts.succeed("02_train_vae.py", *finetuning)


def test_01_records_a_trained_agent_the_same_for_any_number_of_workers(chain, scripts, tmp_path):
    for workers in (1, 2):
        data = tmp_path / str(workers)
        chain.copy(data, "models")
        arguments = ["--policy", "agent", "--episodes", 17, "--steps", 4, "--workers", workers]
        scripts.succeed("01_generate_data.py", "--data-dir", data, *arguments)
    names = sorted(path.name for path in (tmp_path / "1" / "rollout").glob("*.npz"))
    assert names == [f"{track:010d}.npz" for track in tracks.recording(1, "agent", 17)]
    for name in names:
        one, other = tmp_path / "1" / "rollout" / name, tmp_path / "2" / "rollout" / name
        assert filecmp.cmp(one, other, shallow=False), name
    episodes = [rollouts.read(tmp_path / "1" / "rollout" / name) for name in names]
    assert len({episode.action.tobytes() for episode in episodes}) == 17
