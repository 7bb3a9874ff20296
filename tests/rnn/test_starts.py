import rnn
import vae
from envs import rollouts
from rnn import series, starts
from runs.arguments import BadInput

import numpy as np
import pytest

LATENT = 4


def write_episode(path, reward, first: float) -> None:
    steps = len(reward)
    mean = np.full((steps, LATENT), first, np.float32) + np.arange(steps, dtype=np.float32)[:, None]
    episode = rollouts.Episode(
        obs=np.zeros((steps, 64, 64, 3), np.uint8),
        action=np.zeros((steps, 3), np.float32),
        reward=np.array(reward, np.float32),
        done=np.zeros(steps, bool),
    )
    series.write(path, episode, mean, np.zeros_like(mean))


def test_starts_are_first_latents_and_what_a_tile_is_worth(own_dreamer, tmp_path):
    paths = [tmp_path / "1.npz", tmp_path / "2.npz"]
    # Two tiles of 3.3 and one step with two: (3.3 + 3.3 + 6.6) / 3 = 4.4.
    write_episode(paths[0], [3.2, -0.1, 3.2], first=10)
    write_episode(paths[1], [-0.1, 6.5], first=20)
    starts.write(own_dreamer, paths, vae.load(own_dreamer))
    found = starts.read(own_dreamer, rnn.load(own_dreamer))
    np.testing.assert_array_equal(found.z, [[10] * LATENT, [20] * LATENT])
    assert found.tile == pytest.approx(4.4)


def test_starts_anywhere_are_every_50th_latent(own_dreamer, tmp_path):
    write_episode(tmp_path / "1.npz", [3.2] + [-0.1] * 100 + [6.5], first=0)
    starts.write(own_dreamer, [tmp_path / "1.npz"], vae.load(own_dreamer))
    found = starts.read(own_dreamer, rnn.load(own_dreamer), "anywhere")
    np.testing.assert_array_equal(found.z[:, 0], [0, 50, 100])
    # 3.3 at the first step and 6.6 at the last.
    assert found.tile == pytest.approx(4.95)
    with pytest.raises(BadInput, match="start at 'somewhere'"):
        starts.read(own_dreamer, rnn.load(own_dreamer), "somewhere")


def test_without_any_tile_its_usual_worth_counts(own_dreamer, tmp_path):
    write_episode(tmp_path / "1.npz", [-0.1, -0.1], first=0)
    starts.write(own_dreamer, [tmp_path / "1.npz"], vae.load(own_dreamer))
    assert starts.read(own_dreamer, rnn.load(own_dreamer)).tile == pytest.approx(1000 / 300)


def test_refuses_missing_starts(own_dreamer):
    starts.path_in(own_dreamer).unlink()
    with pytest.raises(BadInput, match=r"starts\.npz does not exist.*04_train_rnn\.py"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


def test_refuses_starts_of_another_latent_size(own_dreamer):
    vision = own_dreamer.facts("vision")["digest"]
    starts.save(own_dreamer, np.zeros((3, LATENT + 1)), np.zeros(3), np.ones(3), np.ones(3), vision)
    with pytest.raises(BadInput, match=r"z is \(3, 5\) float32, not \(T, 4\)"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


def test_refuses_starts_of_another_vision(own_dreamer):
    starts.save(own_dreamer, np.zeros((3, LATENT)), np.zeros(3), np.ones(3), np.ones(3), "0" * 16)
    with pytest.raises(BadInput, match="made by another V"):
        starts.read(own_dreamer, rnn.load(own_dreamer))
