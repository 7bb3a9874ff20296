from controller.evolve import Evolution
from runs.arguments import BadInput
from settings.driving import AnyEvolution

import numpy as np
import pytest

SIZE = 6
TARGET = np.linspace(-1, 1, SIZE)


def settings(**changed) -> AnyEvolution:
    return AnyEvolution(**{"population": 12, "sigma": 0.5, "seed": 3, **changed})


def evolve(evolution: Evolution, generations: int) -> Evolution:
    """Maximise minus the squared distance to a point."""
    for _ in range(generations):
        candidates = evolution.ask()
        evolution.tell(candidates, -((candidates - TARGET) ** 2).sum(1))
    return evolution


@pytest.mark.parametrize("full", [True, False])
def test_it_climbs_to_the_best_point(full):
    evolution = evolve(Evolution(settings(full=full), np.zeros(SIZE)), 60)
    np.testing.assert_allclose(evolution.mean, TARGET, atol=0.05)
    assert evolution.generation == 60
    assert evolution.sigma < 0.5


def test_it_begins_where_it_is_told_with_the_step_it_is_told():
    evolution = Evolution(settings(population=4000), np.full(SIZE, 7.0))
    assert np.array_equal(evolution.mean, np.full(SIZE, 7.0)) and evolution.sigma == 0.5
    candidates = evolution.ask()
    assert candidates.shape == (4000, SIZE)
    np.testing.assert_allclose(candidates.mean(0), 7, atol=0.05)
    np.testing.assert_allclose(candidates.std(0), 0.5, rtol=0.1)


def test_the_same_seed_asks_the_same():
    one, same = (Evolution(settings(), np.zeros(SIZE)) for _ in range(2))
    for _ in range(3):
        asked, again = one.ask(), same.ask()
        assert np.array_equal(asked, again)
        one.tell(asked, np.arange(12.0))
        same.tell(again, np.arange(12.0))
    other = Evolution(settings(seed=4), np.zeros(SIZE))
    assert not np.array_equal(Evolution(settings(), np.zeros(SIZE)).ask(), other.ask())


def test_it_draws_from_no_generator_but_its_own():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    evolve(Evolution(settings(), np.zeros(SIZE)), 2)
    assert np.array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("stopped_after", [0, 1, 7])
def test_a_resumed_evolution_is_the_one_that_was_stopped(tmp_path, full, stopped_after):
    chosen = settings(full=full)
    start = np.full(SIZE, 0.3)
    whole = evolve(Evolution(chosen, start), 12)
    evolve(Evolution(chosen, start), stopped_after).save(tmp_path / "e.npz")
    resumed = Evolution.resume(chosen, tmp_path / "e.npz")
    assert resumed.generation == stopped_after
    evolve(resumed, 12 - stopped_after)
    assert np.array_equal(resumed.mean, whole.mean)
    assert resumed.sigma == whole.sigma
    assert np.array_equal(resumed.returns, whole.returns)
    assert np.array_equal(resumed.ask(), whole.ask())


def test_a_state_of_other_settings_is_refused(tmp_path):
    evolve(Evolution(settings(), np.zeros(SIZE)), 3).save(tmp_path / "e.npz")
    with pytest.raises(BadInput, match="e.npz was made with another version"):
        Evolution.resume(settings(seed=4), tmp_path / "e.npz")


def test_a_torn_state_is_refused(tmp_path):
    path = tmp_path / "e.npz"
    evolve(Evolution(settings(), np.zeros(SIZE)), 3).save(path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="e.npz cannot be read"):
            Evolution.resume(settings(), path)


def test_the_step_size_never_exceeds_the_first():
    evolution = Evolution(settings(), np.zeros(SIZE))
    for _ in range(5):
        candidates = evolution.ask()
        # Always further in the same direction: CMA-ES would lengthen its steps.
        evolution.tell(candidates, candidates[:, 0])
    assert evolution.sigma == 0.5
