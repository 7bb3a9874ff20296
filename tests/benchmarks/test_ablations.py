"""benchmarks/ablations.py: its agents and their recipes, its figures by hand."""

import dataclasses
import shutil
from pathlib import Path

import vae
from controller.report import history
from runs import config
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from vae import arch

import numpy as np
import pytest
from imageio import v3 as imageio

TOP = Path(__file__).parents[2]


@pytest.fixture
def ablations(load):
    return load("benchmarks/ablations.py")


@pytest.fixture
def options(ablations, record, tmp_path):
    record(tmp_path / "rollout", [3])
    given = ["VAE=somewhere", "--data-dir", tmp_path / "data", "--res", tmp_path / "res"]
    given += ["--episodes", tmp_path / "rollout", "--recipes", TOP / "recipes" / "ablations"]
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


def test_the_recipes_differ_in_what_they_leave_out_alone(ablations, options, seeing):
    whole, blind, untrained = (
        [stage.row for stage in ablations.stages_of(trial, options)]
        for trial in ablations.trials([("VAE", seeing)])
    )
    assert blind == [whole[2] | {"sees": "z"}, whole[3]]
    assert untrained == [whole[0], whole[1] | {"steps": 0}, *whole[2:]]


@pytest.mark.parametrize(
    "name, step, times",
    [
        ("whole", "04_train_rnn.py", 0),
        ("whole", "05_train_controller.py", 2),
        ("z-alone", "evaluate.py", 0),
        ("z-alone", "05_train_controller.py", 2),
    ],
)
def test_recipes_whose_figures_nobody_could_tell_are_refused(
    ablations, options, seeing, tmp_path, name, step, times
):
    own = shutil.copytree(options.recipes, tmp_path / "recipes") / f"{name}.toml"
    first, *stages = own.read_text().split("[[stage]]")
    changed = [one for stage in stages for one in [stage] * (times if step in stage else 1)]
    own.write_text("[[stage]]".join([first, *changed]))
    options = dataclasses.replace(options, recipes=own.parent)
    [trial] = [one for one in ablations.trials([("VAE", seeing)]) if one.recipe == name]
    with pytest.raises(BadInput, match=f"{name}.toml has {times} stages of {step}, not one"):
        ablations.stages_of(trial, options)


def test_an_agent_is_made_in_its_directory_of_its_v_with_its_seed(ablations, options):
    vision = ModelDirectory(TOP / "res" / "published" / "vaegan")
    trial = ablations.trials([("VAE-GAN", vision), ("VAE-GAN", vision)])[-1]
    assert trial.folder == "vae-gan-m-untrained-2"
    encoding, memory, evolution, scoring = (
        stage.settings for stage in ablations.stages_of(trial, options)
    )
    data = options.data_dir / trial.folder
    assert encoding.vision == memory.vision == evolution.vision == "vaegan"
    assert encoding.data_dir == memory.data_dir == evolution.data_dir == data
    assert (memory.seed, evolution.seed) == (2, 2)
    assert scoring.models == (f"{trial.name}={data}/models/vaegan",)
    assert scoring.res == data / "res"


# What the program of before there were recipes wrote into done.json, under the names of then, but
# for episodes and V.
EARLIER = {"memory_steps": 300, "batch_size": 50, "population": 64, "rollouts": 1}
EARLIER |= {"generations": 12, "sigma": 0.1, "evaluate_every": 3, "tracks": 100, "drawing": "fast"}


@pytest.mark.parametrize("number", range(3))
def test_results_of_before_there_were_recipes_are_read(ablations, options, seeing, number):
    trial = ablations.trials([("VAE", seeing)])[number]
    settings = ablations.settings_of(trial, options)
    made_of = {name: settings[name] for name in ("episodes", "vision")}
    root = ablations.data_of(trial, options).root
    assert not ablations.is_finished(trial, options)
    for found, finished in (
        (EARLIER | made_of, True),
        (EARLIER | made_of | {"generations": 16}, False),
        (settings, True),
        (settings | {"stages": settings["stages"][1:]}, False),
    ):
        write_json(root / "done.json", found)
        assert ablations.is_finished(trial, options) == finished


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
    record(options.episodes, [3, 3])
    with pytest.raises(BadInput, match="was begun with other episodes"):
        ablations.prepare(untrained, data, options)


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
