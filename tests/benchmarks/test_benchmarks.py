"""Every benchmark of the agent and of the trainings runs with one command and no data, tiny."""

import json

from runs.processors import cores, native_precisions

import pytest

PRECISIONS = set(native_precisions())


@pytest.fixture
def figures(scripts, tmp_path):
    """`figures(name, *arguments)`: run a benchmark and return the JSON that it wrote."""

    def run(name: str, *arguments) -> dict:
        path = tmp_path / f"{name}.json"
        printed = scripts.succeed(
            f"benchmarks/{name}.py", "--rounds", 1, "--json", path, *arguments
        )
        assert printed.count("\n") >= 3, printed
        return json.loads(path.read_text())

    return run


def test_a_rollout_is_timed_against_the_published_way_and_the_processors_floor(figures):
    result = figures("rollout", "--worlds", 2, "--steps", 5)
    # By hand: 2 · (48·32·31² + 512·64·14² + 1024·128·6² + 2048·256·2² + 1024·32) operations.
    assert result["encoder_mflop"] == pytest.approx(29.494272)
    assert result["ratios"].keys() == PRECISIONS
    for name, shares in result["share_of_rollout"].items():
        assert sum(shares.values()) == pytest.approx(1)
        assert min(result["ratios"][name].values()) > 0
    alone = result["step_us"]["physics alone"] + result["step_us"]["encoder arithmetic"]
    assert result["step_us"]["processor's floor"] == pytest.approx(alone)


@pytest.mark.skipif(cores() < 2, reason="two workers need two processors")
def test_two_workers_are_timed_against_one(figures):
    result = figures("workers", "--policies", 2, "--worlds", 2, "--patience", 3)
    assert result["ratios"]["one worker"] > 0
    assert result["settings"]["steps"] > 0


def test_encoding_is_timed_against_the_published_way(figures):
    result = figures("encoding", "--episodes", 2, "--steps", 10)
    assert result["settings"]["frames"] == 20
    assert result["ratios"].keys() == PRECISIONS


def test_trainings_are_timed_and_their_memory_is_measured(figures):
    sizes = ["--episodes", 3, "--steps", 30, "--batch-size", 10, "--batches", 3, "--sequence", 8]
    result = figures("training", *sizes)
    assert result["v"]["ratios"].keys() == PRECISIONS
    assert result["m"]["ratios"]["batches in memory"] > 0
    assert result["memory"]["frames"] == 90
    assert min(result["memory"]["mib"]) > 0


def test_plainer_processors_are_played_by_this_one(figures):
    kind = "AVX2, float32"
    result = figures("processors", "--policies", 2, "--kinds", kind)
    assert len(result["rates"][kind]) == 5 and min(result["rates"][kind].values()) > 0
