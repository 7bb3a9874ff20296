import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from controller.evolution.cma_es import Evolution
from runs.arguments import BadInput
from settings.driving import AnyEvolution

import cma
import numpy as np
import pytest

SIZE = 6


def settings(**changed) -> AnyEvolution:
    return AnyEvolution(**{"population": 12, "sigma": 0.5, "seed": 3, **changed})


def evolve(evolution: Evolution, generations: int) -> Evolution:
    """Maximise minus the squared distance to a point."""
    target = np.linspace(-1, 1, len(evolution.start))
    for _ in range(generations):
        candidates = evolution.ask()
        evolution.tell(candidates, -((candidates - target) ** 2).sum(1))
    return evolution


@pytest.mark.parametrize("diagonal", [True, False])
def test_it_climbs_to_the_best_point(diagonal):
    evolution = evolve(Evolution(settings(full=not diagonal), np.zeros(SIZE)), 60)
    np.testing.assert_allclose(evolution.mean, np.linspace(-1, 1, SIZE), atol=0.05)
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


@pytest.mark.parametrize("diagonal", [True, False])
@pytest.mark.parametrize("size, stopped_after", [(SIZE, 0), (SIZE, 1), (SIZE, 7), (300, 7)])
def test_a_resumed_evolution_is_the_one_that_was_stopped(tmp_path, size, diagonal, stopped_after):
    """From 300 parameters on cma chooses its step size in another way."""
    chosen = settings(full=not diagonal)
    start = np.full(size, 0.3)
    whole = evolve(Evolution(chosen, start), 12)
    evolve(Evolution(chosen, start), stopped_after).save(tmp_path / "e.npz")
    resumed = Evolution.resume(chosen, size, tmp_path / "e.npz")
    assert resumed.generation == stopped_after
    evolve(resumed, 12 - stopped_after)
    assert np.array_equal(resumed.mean, whole.mean)
    assert resumed.sigma == whole.sigma
    assert np.array_equal(resumed.deviations, whole.deviations)
    assert np.array_equal(resumed.returns, whole.returns)
    assert np.array_equal(resumed.ask(), whole.ask())


# Large enough for OpenBLAS to share its work out, and long enough for an eigendecomposition.
THREADS = """
    import sys
    from pathlib import Path

    from controller.evolution.cma_es import Evolution
    from settings.driving import AnyEvolution

    import numpy as np


    def evolve(evolution, generations):
        for _ in range(generations):
            candidates = evolution.ask()
            evolution.tell(candidates, -((candidates - 1) ** 2).sum(1))
        return evolution


    for diagonal in (True, False):
        path = Path(f"{sys.argv[1]}-{diagonal}.npz")
        settings = AnyEvolution(population=16, sigma=0.1, full=not diagonal, seed=3)
        if path.exists():
            resumed = evolve(Evolution.resume(settings, 300, path), 1)
            assert resumed.generation == 7
        else:
            whole = evolve(Evolution(settings, np.zeros(300)), 7)
            evolve(Evolution(settings, np.zeros(300)), 6).save(path)
            resumed = evolve(Evolution.resume(settings, 300, path), 1)
            assert np.array_equal(resumed.mean, whole.mean) and resumed.sigma == whole.sigma
"""


def with_threads(threads: int, path: Path) -> None:
    """Stop evolutions at `path` and resume them; or resume those that are there."""
    variables = {"OPENBLAS_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(THREADS), str(path)]
    subprocess.run(command, env={**os.environ, **variables}, check=True)


@pytest.mark.slow
def test_an_evolution_goes_on_with_any_number_of_threads(tmp_path):
    with_threads(1, tmp_path / "one")
    with_threads(2, tmp_path / "two")
    with_threads(2, tmp_path / "one")
    with_threads(1, tmp_path / "two")


def changed(path: Path, **arrays) -> None:
    """Give a file other arrays; None takes one away."""
    with np.load(path) as file:
        content = {**{name: file[name] for name in file.files}, **arrays}
    np.savez(path, **{name: array for name, array in content.items() if array is not None})


def of_an_earlier_version(path: Path) -> None:
    """Keep what files held before the strategy's state was in them."""
    with np.load(path) as file:
        names = ("start", "returns", "mean", "deviations", "sigma")
        np.savez(path, **{name: file[name] for name in names})


@pytest.mark.parametrize("diagonal", [True, False])
def test_a_state_of_an_earlier_version_is_replayed(tmp_path, diagonal):
    path, chosen = tmp_path / "e.npz", settings(full=not diagonal)
    stopped = evolve(Evolution(chosen, np.full(SIZE, 0.3)), 5)
    stopped.save(path)
    of_an_earlier_version(path)
    resumed = Evolution.resume(chosen, SIZE, path)
    assert resumed.generation == 5 and np.array_equal(resumed.ask(), stopped.ask())


def test_a_replay_that_comes_out_otherwise_is_refused_with_what_may_be_why(tmp_path):
    path = tmp_path / "e.npz"
    evolve(Evolution(settings(), np.zeros(SIZE)), 3).save(path)
    of_an_earlier_version(path)
    with pytest.raises(
        BadInput, match="e.npz holds only the history.*OPENBLAS_NUM_THREADS.*fine-tune"
    ):
        Evolution.resume(settings(seed=4), SIZE, path)


def test_a_state_says_what_made_it(tmp_path):
    path = tmp_path / "e.npz"
    evolve(Evolution(settings(), np.zeros(SIZE)), 1).save(path)
    with np.load(path) as file:
        made_by = json.loads(str(file["made_by"]))
    assert made_by["cma"] == cma.__version__ and made_by["numpy"] == np.__version__


def test_a_state_of_a_cma_that_keeps_another_is_refused_by_its_name(tmp_path):
    path = tmp_path / "e.npz"
    evolve(Evolution(settings(), np.zeros(SIZE)), 3).save(path)
    changed(path, made_by=np.array('{"cma": "3.2.1"}'), pc2=None)
    with pytest.raises(BadInput, match="made with cma 3.2.1, whose state cma 4.*fine-tune"):
        Evolution.resume(settings(), SIZE, path)


def test_a_state_of_other_settings_is_refused(tmp_path):
    evolve(Evolution(settings(), np.zeros(SIZE)), 3).save(tmp_path / "e.npz")
    with pytest.raises(BadInput, match="e.npz is of another evolution.*'seed': 3"):
        Evolution.resume(settings(seed=4), SIZE, tmp_path / "e.npz")


@pytest.mark.parametrize(
    "arrays, problem",
    [
        ({"returns": None}, r"lacks an array \(returns\)"),
        ({"random": None}, r"lacks an array \(random\)"),
        ({"pc": np.zeros(SIZE + 1)}, r"pc is \(7,\), not \(6,\)"),
        ({"pc": np.full(SIZE, np.nan)}, "pc is not all finite"),
        ({"sm.C": np.zeros((2, 2))}, r"sm.C is \(2, 2\), not \(6, 6\)"),
        ({"countiter": np.zeros(3)}, "cannot be read"),
        ({"countiter": np.array(2)}, "not of one generation"),
        ({"sigma": np.array("wide")}, "cannot be read"),
        ({"returns": np.full((3, 12), np.inf)}, "returns is not all finite"),
        ({"returns": np.zeros((3, 11))}, "not of 12 candidates of 6 numbers"),
        ({"start": np.zeros(2)}, "not of 12 candidates of 6 numbers"),
        ({"deviations": np.zeros(2)}, "cannot be read"),
        ({"settings": np.array("{")}, "cannot be read"),
        ({"random": np.array('{"bit_generator": "MT19937"}')}, "cannot be read"),
        ({"made_by": np.array("[]")}, "cannot be read"),
        ({"pc": np.array([None] * SIZE)}, "cannot be read"),
    ],
)
def test_a_state_that_is_none_is_refused_in_a_sentence(tmp_path, arrays, problem):
    path, chosen = tmp_path / "e.npz", settings(full=True)
    evolve(Evolution(chosen, np.zeros(SIZE)), 3).save(path)
    changed(path, **arrays)
    with pytest.raises(BadInput, match=problem) as refusal:
        Evolution.resume(chosen, SIZE, path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_torn_state_is_refused(tmp_path):
    path = tmp_path / "e.npz"
    evolve(Evolution(settings(), np.zeros(SIZE)), 3).save(path)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2], whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="e.npz cannot be read"):
            Evolution.resume(settings(), SIZE, path)


def test_the_step_size_never_exceeds_the_first():
    evolution = Evolution(settings(), np.zeros(SIZE))
    for _ in range(5):
        candidates = evolution.ask()
        # Always further in the same direction: CMA-ES would lengthen its steps.
        evolution.tell(candidates, candidates[:, 0])
    assert evolution.sigma == 0.5


def test_a_small_population_resumes_whether_or_not_a_direction_lies_ready(tmp_path):
    """The candidate that mirrors the worst one comes first; is it the worst, there is none next."""
    told = settings(population=4)
    evolution, ready = Evolution(told, np.zeros(SIZE)), set()
    for generation in range(8):
        evolution.save(tmp_path / "state.npz")
        resumed = Evolution.resume(told, SIZE, tmp_path / "state.npz")
        ready.add(len(evolution._strategy.pop_injection_directions))
        candidates = evolution.ask()
        assert np.array_equal(resumed.ask(), candidates)
        worst_first = np.arange(4.0) if generation % 3 else np.arange(4.0)[::-1]
        evolution.tell(candidates, worst_first)
        resumed.tell(candidates, worst_first)
        assert np.array_equal(resumed.mean, evolution.mean)
    assert ready == {0, 1}
