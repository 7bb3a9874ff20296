"""benchmarks/ablations.py: its list of agents, its scripts' arguments, its figures by hand."""

import dataclasses

import vae
from controller.report import history
from runs import config
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from settings import STEPS
from vae import arch

import numpy as np
import pytest
from imageio import v3 as imageio


@pytest.fixture
def ablations(load):
    return load("benchmarks/ablations.py")


@pytest.fixture
def options(ablations, record, tmp_path):
    record(tmp_path / "rollout", [3])
    given = ["VAE=somewhere", "--data-dir", tmp_path / "data", "--res", tmp_path / "res"]
    given += ["--episodes", tmp_path / "rollout"]
    return config.parse(ablations.Ablations, None, list(map(str, given)))


@pytest.fixture
def seeing(tmp_path) -> ModelDirectory:
    """A model directory with an untrained V alone."""
    made = ModelDirectory(tmp_path / "v")
    vae.save(made, arch.encoder(), arch.decoder(), {"architecture": "vae", "latent": 32})
    return made


def test_what_a_table_needs_comes_first_and_only_the_first_name_is_taken_apart(ablations):
    given = [(name, ModelDirectory(f"{name}{i}")) for name in ("A", "B b") for i in (1, 2)]
    trials = ablations.trials([*given, ("C", ModelDirectory("C1"))])
    assert [(trial.name, trial.number) for trial in trials] == [
        ("A", 1),
        ("A, C sees z alone", 1),
        ("A, M untrained", 1),
        ("B b", 1),
        ("C", 1),
        ("A", 2),
        ("B b", 2),
        ("A, C sees z alone", 2),
        ("A, M untrained", 2),
    ]
    assert trials[1].vision is trials[0].vision
    assert len({trial.folder for trial in trials}) == len(trials)
    assert trials[2].folder == "a-m-untrained-1"
    with pytest.raises(BadInput, match="'models/vae' has no name; give NAME=MODEL_DIR"):
        ablations.split("models/vae")


@pytest.mark.parametrize("number, steps", [(0, 400), (1, None), (2, 0)])
def test_every_script_accepts_its_arguments(ablations, options, seeing, number, steps):
    trial = ablations.trials([("VAE", seeing)])[number]
    data = ablations.data_of(trial, options)
    parsed = {}
    for script, *arguments in ablations.commands(trial, data, options):
        parsed[script] = config.parse(STEPS[script], None, arguments)
    assert (steps is None) == ("04_train_rnn.py" not in parsed)
    if steps is not None:
        assert parsed["04_train_rnn.py"].steps == steps
    evolution = parsed["05_train_controller.py"]
    assert evolution.sees == ("z" if number == 1 else "zh")
    assert (evolution.population, evolution.sigma, evolution.seed) == (64, 0.1, 1)
    assert parsed["evaluate.py"].models == (f"{trial.name}={data.model('vae').path}",)


def test_a_trial_gets_its_v_the_episodes_and_the_latents_of_the_whole_agent(
    ablations, options, seeing, record, tmp_path
):
    options = dataclasses.replace(options, episodes=tmp_path / "recorded")
    record(options.episodes, [3])
    whole, _, untrained = ablations.trials([("VAE", seeing)])
    for trial in (whole, untrained, untrained):
        ablations.prepare(trial, ablations.data_of(trial, options), options)
    data = ablations.data_of(untrained, options)
    assert data.model("vae").facts("vision")["digest"] == seeing.facts("vision")["digest"]
    assert [path.name for path in data.rollout.iterdir()] == ["0000000000.npz"]
    latents = ablations.data_of(whole, options).root / "series"
    assert (data.root / "series").resolve() == latents.resolve()


ROWS = [
    history.Row(1, 1, 0, 0, 0, 0.1, 1000, 3600, 1),
    history.Row(1, 2, 0, 0, 0, 0.1, 1000, 3600, 1, 500, 10),
    history.Row(1, 3, 0, 0, 0, 0.1, 2000, 3600, 1, 400, 10),
    history.Row(1, 4, 0, 0, 0, 0.1, 4000, 3600, 1, 700, 10),
]


def test_generations_share_the_processor_time_by_their_steps(ablations, tmp_path):
    write_json(tmp_path / "cost.json", {"cpu_s": 3600, "mib": 1})
    hours = ablations.core_hours(ROWS, tmp_path / "cost.json")
    np.testing.assert_allclose(hours, [0.125, 0.25, 0.5, 1])
    clock = ablations.core_hours(ROWS, tmp_path / "stopped.json")
    np.testing.assert_allclose(clock, [1, 2, 3, 4])


def test_what_is_reached_is_the_best_score_so_far(ablations):
    hours = np.array([0.125, 0.25, 0.5, 1])
    found = [ablations.reached(ROWS, hours, most) for most in (0.2, 0.25, 0.9, 1)]
    np.testing.assert_array_equal(found, [np.nan, 500, 500, 700])


def test_tracks_are_resampled_together_and_trainings_apart(ablations):
    tracks = np.random.default_rng(0).normal(800, 100, 50)
    drawn = ablations.resampled({"a": tracks[None], "b": tracks[None] + 10}, 2000)
    np.testing.assert_allclose(drawn["b"] - drawn["a"], 10)
    width = np.quantile(drawn["a"], 0.975) - np.quantile(drawn["a"], 0.025)
    assert width == pytest.approx(2 * 1.96 * tracks.std() / np.sqrt(50), rel=0.1)
    # Two trainings, and on every track the same difference: both are drawn in half of all draws.
    two = ablations.resampled({"a": np.stack([np.zeros(9), np.full(9, 10.0)])}, 2000)["a"]
    assert set(two.round(6)) == {0, 5, 10}
    assert (two.round(6) == 5).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
def test_the_report_of_what_is_finished(ablations, options, seeing):
    whole, blind, _, again, *_ = ablations.trials([("VAE", seeing), ("VAE", seeing)])
    hours = np.array([0.1, 0.2, 0.3, 0.4])
    scores = np.linspace(700, 900, 5)
    ablations.report(
        [
            ablations.Result(whole, scores, ROWS, hours),
            ablations.Result(blind, scores - 100, ROWS[:2], hours[:2]),
            ablations.Result(again, scores + 20, ROWS, hours),
        ],
        options,
    )
    text = (options.res / "ablations.md").read_text()
    assert "| VAE | 2 | 810 |" in text
    assert "| VAE, C sees z alone | 1 | 700 |" in text and "| -110 (-120 to -100) |" in text
    assert "validation, 2 generations | validation, 0.400 core-hours" in text
    assert "| VAE, 2 | 820 ± 71 | 820 | 500 | 700 | 0.400 | 0.01 |" in text
    found = read_json(options.res / "ablations.json")["trainings"]
    assert [one["at_equal_core_hours"] for one in found] == [700, 500, 700]
    assert imageio.imread(options.res / "ablations.png").std() > 0
