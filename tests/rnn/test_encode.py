import vae
from envs import rollouts
from rnn import encode, series
from runs.arguments import BadInput
from vae import arch

import keras
import numpy as np
import pytest


@pytest.fixture(scope="module")
def vision():
    keras.utils.set_random_seed(1)
    return vae.Vision(arch.encoder(4), arch.decoder(4), "digest")


@pytest.mark.slow
def test_every_frame_becomes_its_latent(tmp_path, vision, record):
    sources = record(tmp_path / "rollout", [5, 1, 8])
    made = list(encode.episodes(vision, sources, tmp_path / "series", batch_size=3))
    assert [path.name for path in made] == [path.name for path in sources]
    for source, target in zip(sources, made, strict=True):
        recorded, latents = rollouts.read(source), series.read(target, 4)
        mean, log_variance = vision.encoder(recorded.obs)
        np.testing.assert_allclose(latents["mean"], mean, atol=1e-5)
        np.testing.assert_allclose(latents["log_variance"], log_variance, atol=1e-5)
        for name in ("action", "reward", "done"):
            assert np.array_equal(latents[name], getattr(recorded, name)), name


def test_nothing_to_encode(tmp_path, vision):
    assert list(encode.episodes(vision, [], tmp_path, 3)) == []


def test_what_was_made_before_a_bad_episode_stays(tmp_path, vision, record):
    sources = record(tmp_path / "rollout", [4, 4, 4])
    sources[1].write_bytes(b"torn")
    with pytest.raises(BadInput, match="0000000001.npz cannot be read"):
        list(encode.episodes(vision, sources, tmp_path / "series", 3))
    assert [path.name for path in (tmp_path / "series").iterdir()] == ["0000000000.npz"]
