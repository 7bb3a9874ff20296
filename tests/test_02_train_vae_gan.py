"""02_train_vae_gan.py as a user runs it: for real, tiny, killed and resumed, and refused."""

import vae
from runs import records
from runs.directory import ModelDirectory, read_json
from vae import arch_vaegan, pictures, watch

import numpy as np
import pytest
from imageio import v3 as imageio

SCRIPT = "02_train_vae_gan.py"
TINY = ["--epochs", 3, "--batch-size", 20, "--depth", 4]


def arguments(data, res, *more) -> list:
    return ["--data-dir", data, "--res", res, *TINY, *more]


def has_saved(data) -> bool:
    state = data / "models" / "vaegan" / "vision.training.json"
    return state.exists() and read_json(state)["saves"] > 0


@pytest.fixture(scope="module")
def trained(chain, scripts, tmp_path_factory):
    """A trained V's data, its pictures, and the data as a kill after the first epoch leaves it."""
    folder = tmp_path_factory.mktemp("gan")
    data, res, killed = folder / "data", folder / "res", folder / "killed"
    chain.copy(data, "rollout")
    scripts.succeed_and_keep(lambda: has_saved(data), data, killed, SCRIPT, *arguments(data, res))
    return data, res, killed


def test_it_leaves_a_v_that_others_load(trained):
    data, _, _ = trained
    vision = vae.load(ModelDirectory(data / "models" / "vaegan"))
    mean, log_variance = vision.encoder(np.zeros((2, 64, 64, 3), np.uint8))
    assert mean.shape == log_variance.shape == (2, vision.latent) == (2, 32)
    assert vision.decoder(mean).shape == (2, 64, 64, 3)
    facts = read_json(data / "models" / "vaegan" / "model.json")["vision"]
    assert (facts["variant"], facts["depth"], facts["adversary"]) == ("repaired", 4, "hinge")
    assert facts["losses"]["bits"] > 0


def test_it_leaves_pictures(trained):
    _, res, _ = trained
    strip = imageio.imread(res / "vaegan_strip.png")
    assert strip.shape[0] == 2 * 64 * 2 and strip.std() > 0
    assert imageio.imread(res / "vaegan_curve.png").std() > 0
    video = imageio.imread(res / "vaegan_training.gif", index=None)
    assert video.ndim == 4 and len(video) >= 3
    # Under the step's number the upper row is the truth and stays, but for a GIF's few colours;
    # the lower changes. Their names stand at the left.
    video = video[:, pictures.LABEL :]
    changed = np.abs(video[0].astype(int) - video[-1])[:, pictures.MARGIN :].mean(axis=(1, 2))
    assert changed[:128].mean() < 2 and changed[128:].any()
    assert all(margin.min() < 50 for margin in np.split(video[0, :, : pictures.MARGIN], 2))


def curve(data) -> list:
    return records.read(data / "models" / "vaegan" / "video" / "curve.csv", watch.Point)


def test_its_curve_averages_to_what_each_epoch_says(trained):
    data, _, _ = trained
    points = curve(data)
    history = read_json(data / "models" / "vaegan" / "vision.training.json")["position"]["history"]
    assert [point.step for point in points] == list(range(1, len(points) + 1))
    for epoch, part in zip(history, np.split(np.array(points), len(history)), strict=True):
        for name in arch_vaegan.TRACKED:
            mean = np.mean([getattr(point, name) for point in part])
            assert mean == pytest.approx(epoch[name], rel=1e-3, abs=1e-3), name


def test_run_again_it_says_that_it_is_done_and_touches_nothing(trained, printed):
    data, res, _ = trained

    def times() -> dict:
        made = [*(data / "models" / "vaegan").rglob("[!.]*.*"), *res.iterdir()]
        return {path: path.stat().st_mtime_ns for path in made}

    before = times()
    assert "nothing to do" in printed(SCRIPT, *arguments(data, res))
    assert times() == before


def test_latents_can_be_made_with_it(trained, scripts):
    data, _, _ = trained
    scripts.succeed("03_generate_rnn_data.py", "--data-dir", data, "--vision", "vaegan")
    assert list((data / "series" / "vaegan").glob("*"))


def test_killed_and_resumed_it_is_what_it_would_have_been(trained, scripts, tmp_path):
    data, _, killed = trained
    assert not ModelDirectory(killed / "models" / "vaegan").has("vision")
    scripts.succeed(SCRIPT, *arguments(killed, tmp_path / "res"))
    whole, resumed = (vae.load(ModelDirectory(d / "models" / "vaegan")) for d in (data, killed))
    for one, other in ((whole.encoder, resumed.encoder), (whole.decoder, resumed.decoder)):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            assert np.array_equal(a, b)
    kept = [sorted((d / "models" / "vaegan" / "video").iterdir()) for d in (data, killed)]
    assert [one.name for one in kept[0]] == [other.name for other in kept[1]]
    assert [one.step for one in curve(data)] == [other.step for other in curve(killed)]


def test_published_trains_too_and_its_ingredients_can_be_changed(chain, scripts, tmp_path):
    chain.copy(tmp_path, "rollout")
    changed = ["--variant", "published", "--heads", "linear", "--epochs", 1]
    changed += ["--adversary", "wgan-gp", "--critic-steps", 2]
    scripts.succeed(SCRIPT, *arguments(tmp_path, tmp_path / "res", *changed))
    facts = read_json(tmp_path / "models" / "vaegan" / "model.json")["vision"]
    assert (facts["variant"], facts["heads"], facts["layers"]) == (
        "published",
        "linear",
        "published",
    )
    assert vae.name(facts) == "VAE-GAN published 4, wgan-gp, heads linear, critic steps 2"


def test_other_settings_are_refused_where_a_training_stands(trained, refuse):
    data, res, _ = trained
    said = refuse(SCRIPT, *arguments(data, res, "--deception", 0.5))
    assert "deception 0.2, not 0.5" in said and "--from-scratch" in said


@pytest.mark.parametrize(
    "flag, value, complaint",
    [
        ("--variant", "perfect", "invalid choice: 'perfect'"),
        ("--adversary", "judge", "invalid choice: 'judge'"),
        ("--depth", "1", "not a whole number from 2 to 256"),
        ("--deception", "-1", "not a number from 0"),
        ("--averaging", "1.5", "not a number from 0 to 1"),
        ("--critic-steps", "0", "not a whole number"),
    ],
)
def test_nonsense_is_refused_in_one_line(refuse, tmp_path, flag, value, complaint):
    assert complaint in refuse(SCRIPT, "--data-dir", tmp_path, flag, value)


def test_no_episodes_are_refused(refuse, tmp_path):
    assert "01_generate_data.py" in refuse(SCRIPT, "--data-dir", tmp_path)
