import os
import time

from envs import rollouts
from rnn import series
from runs.arguments import BadInput
from runs.directory import read_json, write_json

import numpy as np
import pytest

LATENT = 4
V = "0123456789abcdef"
MADE_BY = {"vision": V, "precision": "float32"}


def write(folder, number: int, episode: rollouts.Episode, seed: int = 0):
    rng = np.random.default_rng(seed)
    mean, log_variance = rng.normal(size=(2, len(episode), LATENT)).astype(np.float32)
    path = rollouts.path_of(folder, number)
    series.write(path, episode, mean, log_variance)
    return path


@pytest.fixture
def folder(tmp_path, episode):
    series.prepare(tmp_path, [], MADE_BY)
    for number, steps in enumerate([12, 5, 1]):
        write(tmp_path, number, episode(steps, number), number)
    return tmp_path


def test_a_latent_episode_comes_back(tmp_path, episode):
    recorded = episode(6)
    path = write(tmp_path, 3, recorded)
    read = series.read(path, LATENT)
    assert {name: values.shape for name, values in read.items()} == {
        "mean": (6, 4),
        "log_variance": (6, 4),
        "action": (6, 3),
        "reward": (6,),
        "done": (6,),
    }
    for name in ("action", "reward", "done"):
        assert np.array_equal(read[name], getattr(recorded, name))


def test_paths_are_checked(folder):
    assert [path.name for path in series.paths(folder, LATENT, V)] == [
        "0000000000.npz",
        "0000000001.npz",
        "0000000002.npz",
    ]


def test_latents_of_another_v_are_refused(folder):
    with pytest.raises(BadInput, match="made by another V"):
        series.paths(folder, LATENT, "fedcba9876543210")


def test_latents_of_another_size_are_refused(folder):
    with pytest.raises(BadInput, match=r"mean is \(12, 4\) float32, not \(T, 5\) float32"):
        series.paths(folder, LATENT + 1, V)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds no latent episodes"):
        series.paths(tmp_path, LATENT, V)
    series.prepare(tmp_path, [], MADE_BY)
    with pytest.raises(BadInput, match="holds no latent episodes"):
        series.paths(tmp_path, LATENT, V)


def test_episodes_of_one_step_only_are_refused(tmp_path, episode):
    series.prepare(tmp_path, [], MADE_BY)
    write(tmp_path, 0, episode(1))
    with pytest.raises(BadInput, match="one step long; M needs at least two"):
        series.paths(tmp_path, LATENT, V)


@pytest.mark.parametrize("content", ["{torn", "[]", "3"])
def test_a_manifest_that_says_nothing_is_refused(folder, content):
    (folder / series.MANIFEST).write_text(content)
    with pytest.raises(BadInput):
        series.paths(folder, LATENT, V)


@pytest.fixture
def recorded(folder, tmp_path_factory, record):
    """Recordings of the latent episodes in `folder`, older than those."""
    found = record(tmp_path_factory.mktemp("rollout"), [12, 5, 1])
    for path in found:
        os.utime(path, (1, 1))
    return found


def names(found) -> list[str]:
    return [path.name for path in found]


def test_preparing_keeps_what_the_same_v_made(folder, recorded):
    assert series.prepare(folder, recorded, MADE_BY) == []
    assert names(series.paths(folder, LATENT, V)) == names(recorded)


@pytest.mark.parametrize(
    "made_by", [{**MADE_BY, "vision": "fedcba9876543210"}, {**MADE_BY, "precision": "bfloat16"}]
)
def test_preparing_for_another_v_or_precision_starts_over(folder, recorded, made_by):
    assert series.prepare(folder, recorded, made_by) == recorded
    assert not list(folder.glob("*.npz"))
    assert read_json(folder / series.MANIFEST).items() >= made_by.items()


def test_preparing_removes_latents_that_nothing_describes(folder, recorded):
    (folder / series.MANIFEST).unlink()
    assert series.prepare(folder, recorded, MADE_BY) == recorded
    assert read_json(folder / series.MANIFEST).items() >= MADE_BY.items()


def test_recordings_that_were_exchanged_are_noticed(folder, recorded, exchange):
    assert series.prepare(folder, recorded, MADE_BY) == []
    series.refuse_exchanged(folder, recorded[0].parent)
    exchange(*recorded[:2])
    with pytest.raises(BadInput, match="0000000000.npz is not the recording that"):
        series.refuse_exchanged(folder, recorded[0].parent)
    assert series.prepare(folder, recorded, MADE_BY) == recorded[:2]
    assert names(folder.glob("*.npz")) == [recorded[2].name]


def test_latents_of_earlier_versions_are_kept(folder, recorded):
    write_json(folder / series.MANIFEST, MADE_BY)
    series.refuse_exchanged(folder, recorded[0].parent)
    assert series.prepare(folder, recorded, MADE_BY) == []


@pytest.mark.parametrize("recordings", [3, {"../../x.npz": "0"}])
def test_a_manifest_of_other_recordings_is_refused(folder, recorded, recordings):
    write_json(folder / series.MANIFEST, {**MADE_BY, "recordings": recordings})
    with pytest.raises(BadInput, match="does not say what was recorded"):
        series.refuse_exchanged(folder, recorded[0].parent)


def test_preparing_removes_latents_of_episodes_that_are_gone_or_recorded_anew(folder, recorded):
    later = time.time() + 100
    os.utime(recorded[1], (later, later))
    assert series.prepare(folder, recorded[:2], MADE_BY) == [recorded[1]]
    assert names(folder.glob("*.npz")) == [recorded[0].name]


def all_batches(folder, *, sequence=8, batch_size=5, count=3, seed=(1, 0)) -> list[dict]:
    found = series.paths(folder, LATENT, V)
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in series.batches(found, LATENT, batch_size, sequence, count, seed)
    ]


def equal(one: list[dict], other: list[dict]) -> bool:
    return all(
        np.array_equal(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a
    )


def test_the_same_seed_gives_the_same_batches_and_skipping_goes_on(folder):
    batches = all_batches(folder)
    assert len(batches) == 3
    assert equal(batches, all_batches(folder))
    assert not equal(batches, all_batches(folder, seed=(1, 1)))
    found = series.paths(folder, LATENT, V)
    rest = series.batches(found, LATENT, 5, 8, 3, (1, 0)).skip(2)
    assert equal(batches[2:], [{name: v.numpy() for name, v in b.items()} for b in rest])


def test_one_data_set_gives_the_batches_of_every_epoch(folder):
    found = series.paths(folder, LATENT, V)
    of = series.batches_of(found, LATENT, 5, 8, 3, (1,))
    for epoch in (0, 1, 0):
        here = [{name: value.numpy() for name, value in batch.items()} for batch in of(epoch)]
        assert equal(here, all_batches(folder, seed=(1, epoch)))
    assert of(0) is of(1)


def test_stretches_are_parts_of_episodes_with_what_they_lack_masked(folder):
    episodes = [series.read(path, LATENT) for path in series.paths(folder, LATENT, V)]
    lengths = set()
    for batch in all_batches(folder, batch_size=40, count=2):
        assert batch["mean"].shape == (40, 8, LATENT)
        for row in range(40):
            steps = int(batch["valid"][row].sum())
            lengths.add(steps)
            assert batch["valid"][row].tolist() == [1] * steps + [0] * (8 - steps)
            first = batch["mean"][row, 0]
            [(whole, start)] = [
                (e, t)
                for e in episodes
                for t in range(len(e["mean"]))
                if (e["mean"][t] == first).all()
            ]
            total = len(whole["mean"])
            assert steps == min(8, total) and start + steps <= total
            for name in ("mean", "log_variance", "action"):
                assert np.array_equal(batch[name][row, :steps], whole[name][start : start + steps])
                assert not batch[name][row, steps:].any()
            reward = whole["reward"][start : start + steps]
            assert np.array_equal(batch["tile"][row, :steps], reward > 0)
            assert np.array_equal(batch["done"][row, :steps], whole["done"][start : start + steps])
            follows = np.arange(start, start + steps) + 1 < total
            assert np.array_equal(batch["following"][row, :steps], follows)
            assert not batch["following"][row, steps:].any()
    assert lengths == {1, 5, 8}


@pytest.mark.slow
def test_stretches_begin_anywhere_and_at_the_beginning_more_often(tmp_path, episode):
    series.prepare(tmp_path, [], MADE_BY)
    path = write(tmp_path, 0, episode(20))
    means = series.read(path, LATENT)["mean"]
    starts = [
        next(t for t in range(20) if (means[t] == row[0]).all())
        for batch in all_batches(tmp_path, sequence=11, batch_size=400, count=5)
        for row in batch["mean"]
    ]
    shares = np.bincount(starts, minlength=10) / len(starts)
    assert set(starts) == set(range(10))
    np.testing.assert_allclose(shares[1:], (1 - series.BEGINNINGS) / 10, atol=0.035)
    assert shares[0] == pytest.approx(series.BEGINNINGS + (1 - series.BEGINNINGS) / 10, abs=0.04)


def test_what_latents_take_on_disk_is_known_before(folder, recorded):
    # Of a step two numbers for each latent one, three of the action, the reward, and one byte.
    assert series.bytes_of(recorded, LATENT) == (12 + 5 + 1) * (4 * (2 * LATENT + 3 + 1) + 1)
    size = sum(path.stat().st_size for path in folder.glob("*.npz"))
    assert 0 < size - series.bytes_of(recorded, LATENT) < 3 * 1500  # names and headers
