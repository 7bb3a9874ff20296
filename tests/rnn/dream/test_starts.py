import rnn
import vae
from envs import rollouts
from rnn import series
from rnn.dream import starts
from runs.arguments import BadInput
from runs.directory import read_json, write_json

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


def write(directory, paths) -> None:
    starts.write(directory, paths, vae.load(directory), rnn.load(directory))


def save(directory, latent: int, vision: str) -> None:
    z, h = np.zeros((3, latent)), np.zeros((3, rnn.load(directory).units))
    made_by = vision, directory.facts("rnn")["digest"]
    starts.save(directory, z, h, h, np.zeros(3), np.ones(3), np.ones(3), *made_by)


def test_starts_are_first_latents_and_what_a_tile_is_worth(own_dreamer, tmp_path):
    paths = [tmp_path / "1.npz", tmp_path / "2.npz"]
    # Two tiles of 3.3 and one step with two: (3.3 + 3.3 + 6.6) / 3 = 4.4.
    write_episode(paths[0], [3.2, -0.1, 3.2], first=10)
    write_episode(paths[1], [-0.1, 6.5], first=20)
    write(own_dreamer, paths)
    found = starts.read(own_dreamer, rnn.load(own_dreamer))
    np.testing.assert_array_equal(found.z, [[10] * LATENT, [20] * LATENT])
    assert not found.h.any() and not found.c.any()
    assert found.tile == pytest.approx(4.4)


@pytest.mark.slow
def test_starts_anywhere_are_every_50th_latent(own_dreamer, tmp_path):
    write_episode(tmp_path / "1.npz", [3.2] + [-0.1] * 100 + [6.5], first=0)
    write(own_dreamer, [tmp_path / "1.npz"])
    found = starts.read(own_dreamer, rnn.load(own_dreamer), "anywhere")
    np.testing.assert_array_equal(found.z[:, 0], [0, 50, 100])
    # 3.3 at the first step and 6.6 at the last.
    assert found.tile == pytest.approx(4.95)
    with pytest.raises(BadInput, match="start at 'somewhere'"):
        starts.read(own_dreamer, rnn.load(own_dreamer), "somewhere")


@pytest.mark.slow
def test_starts_remember_what_came_before(own_dreamer, tmp_path):
    paths = [tmp_path / "1.npz", tmp_path / "2.npz"]
    for path, steps in zip(paths, (130, 60), strict=True):
        write_episode(path, [3.2] * steps, first=steps)
    write(own_dreamer, paths)
    memory = rnn.load(own_dreamer)
    found = starts.read(own_dreamer, memory, "anywhere")
    # The beginnings come first.
    np.testing.assert_array_equal(found.z[:, 0], [130, 60, 180, 230, 110])
    assert found.beginnings == 2
    before = series.read(paths[0], LATENT)
    x = np.concatenate([before["mean"], before["action"]], -1)[None, :100]
    outputs = memory.network([x, *[np.zeros((1, memory.units), np.float32)] * 2])
    np.testing.assert_allclose(found.h[3], outputs["h"][0], atol=1e-3)
    np.testing.assert_allclose(found.c[3], outputs["c"][0], atol=1e-2)


@pytest.mark.slow
def test_no_dream_starts_where_the_road_is_lost(own_dreamer, tmp_path):
    # Of the 50 steps from 0, 50, 100, 150, 200 and 250, only those from 0 and 250 reach a tile.
    write_episode(tmp_path / "1.npz", [3.2] + [-0.1] * 279 + [3.2], first=0)
    write(own_dreamer, [tmp_path / "1.npz"])
    found = starts.read(own_dreamer, rnn.load(own_dreamer), "anywhere")
    np.testing.assert_array_equal(found.z[:, 0], [0, 50, 250])


def test_without_any_tile_its_usual_worth_counts(own_dreamer, tmp_path):
    write_episode(tmp_path / "1.npz", [-0.1, -0.1], first=0)
    write(own_dreamer, [tmp_path / "1.npz"])
    assert starts.read(own_dreamer, rnn.load(own_dreamer)).tile == pytest.approx(1000 / 300)


def test_refuses_missing_starts(own_dreamer):
    starts.path_in(own_dreamer).unlink()
    with pytest.raises(BadInput, match=r"starts\.npz does not exist"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


def test_refuses_starts_of_another_latent_size(own_dreamer):
    vision = own_dreamer.facts("vision")["digest"]
    save(own_dreamer, LATENT + 1, vision)
    with pytest.raises(BadInput, match=r"z is \(3, 5\) float32, not \(T, 4\)"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


def test_refuses_starts_of_another_vision(own_dreamer):
    save(own_dreamer, LATENT, "0" * 16)
    with pytest.raises(BadInput, match="made by another V"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


def test_refuses_starts_that_another_m_remembered(own_dreamer):
    save(own_dreamer, LATENT, own_dreamer.facts("vision")["digest"])
    network = rnn.load(own_dreamer).network
    network.set_weights([1.01 * weights for weights in network.get_weights()])
    rnn.save(own_dreamer, network, dict(own_dreamer.facts("rnn")))
    with pytest.raises(BadInput, match="made by another M"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


def test_starts_of_an_earlier_version_do_not_say_their_m(own_dreamer):
    path = starts.path_in(own_dreamer)
    with np.load(path, allow_pickle=False) as file:
        before = {name: file[name] for name in file.files if name != "rnn"}
    rollouts.write_arrays(path, before, compress=False)
    described = read_json(own_dreamer.model_json)
    del described["starts"]
    write_json(own_dreamer.model_json, described)
    assert len(starts.read(own_dreamer, rnn.load(own_dreamer), "anywhere").z) == 4


def test_refuses_starts_that_were_changed(own_dreamer):
    path = starts.path_in(own_dreamer)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BadInput, match="starts.npz is not the file that .*model.json describes"):
        starts.read(own_dreamer, rnn.load(own_dreamer))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses_starts_that_are_no_numbers(own_dreamer, bad):
    path = starts.path_in(own_dreamer)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    arrays["h"][1, 2] = bad
    own_dreamer.put(
        "starts", lambda temporary: rollouts.write_arrays(temporary, arrays, compress=False), {}
    )
    with pytest.raises(BadInput, match="h is not all finite numbers"):
        starts.read(own_dreamer, rnn.load(own_dreamer))
