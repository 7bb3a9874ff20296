import dataclasses

import rnn
from controller import arch
from controller.evolution.cma_es import Evolution
from controller.evolution.run import EvolutionRun, comparable, tell_of_collapse, worst_and_any
from controller.fleet import Fleet
from controller.report import history
from envs import tracks
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from runs.workplace import Workplace
from settings.driving import TrainController

import numpy as np
import pytest

FEATURES = 32 + 16
SETTINGS = TrainController(population=6, rollouts=1, patience=10, precision="float32")


@pytest.fixture
def own_model(own_model) -> ModelDirectory:
    """One without a C."""
    own_model.weights("controller").unlink()
    return own_model


def run(directory, **changed) -> EvolutionRun:
    settings = dataclasses.replace(SETTINGS, **changed)
    return EvolutionRun(directory, FEATURES, settings, arch.evolved_on(directory, "zh"))


def tell(one: EvolutionRun, generations: int = 1) -> None:
    """Generations as `generation` leaves them, with returns made up."""
    for _ in range(generations):
        candidates = one.learner.ask()
        one.learner.tell(candidates, candidates[:, 0])
        number = one.learner.generation
        one._record(history.Row(one.stage, number, 3.0, 2.0, 1.0, 0.1, 100, 1.0, 1))
        one._commit()


def test_it_begins_at_zero_and_says_what_it_is(own_model):
    begun = run(own_model)
    assert begun.stage == 1 and begun.learner.generation == 0 and begun.rows == []
    assert not begun.learner.mean.any()
    state = read_json(own_model.path / "controller.training.json")
    assert state["stage"] == 1 and [one["population"] for one in state["lineage"]] == [6]


def test_it_resumes(own_model):
    begun = run(own_model)
    tell(begun, 3)
    resumed = run(own_model)
    assert resumed.stage == 1 and len(resumed.rows) == resumed.learner.generation == 3
    assert np.array_equal(resumed.learner.mean, begun.learner.mean)


def test_a_row_whose_generation_was_not_saved_is_made_again(own_model):
    begun = run(own_model)
    tell(begun, 2)
    before = begun.training.state_file.read_bytes()
    tell(begun)
    begun.training.state_file.write_bytes(before)
    resumed = run(own_model)
    assert [row.generation for row in resumed.rows] == [1, 2]


def test_an_evolution_of_an_earlier_version_goes_on(own_model):
    begun = run(own_model)
    tell(begun)
    state_file = begun.training.state_file
    begun.training.checkpoint().rename(own_model.path / "controller.evolution1.npz")
    state = {name: read_json(state_file)[name] for name in ("stage", "lineage")}
    for settings in state["lineage"]:
        del settings["sees"]
        settings["max_sigma"] = settings["sigma"]
        settings["refine"], settings["scout"] = (
            settings.pop("finetune"),
            settings.pop("hard_tracks"),
        )
    write_json(state_file, state)
    again = run(own_model)
    assert again.learner.generation == 1 and again.lineage == [again.saved]
    tell(again)
    assert not (own_model.path / "controller.evolution1.npz").exists()
    assert run(own_model).learner.generation == 2


def test_what_is_saved_of_an_evolution_is_all_that_it_depends_on(own_model):
    """Every key and value by hand: an evolution goes on only if they are the same."""
    saved = run(own_model).saved
    assert saved == {
        "population": 6,
        "rollouts": 1,
        "sigma": 0.1,
        "seed": 1,
        "finetune": False,
        "evaluate_every": 10,
        "validation_tracks": 16,
        "hard_tracks": 0,
        "patience": 10,
        "precision": "float32",
        "sees": "zh",
        "rnn": own_model.facts("rnn")["digest"],
        "diagonal": True,
    }
    assert read_json(own_model.path / "controller.training.json")["lineage"] == [saved]


def test_other_settings_are_refused_and_nothing_is_lost(own_model):
    tell(run(own_model), 2)
    with pytest.raises(BadInput, match=r"\(sigma 0.1, not 0.2\).*fine-tune.*from scratch"):
        run(own_model, sigma=0.2)
    assert run(own_model).learner.generation == 2


def test_another_m_is_refused(own_model):
    tell(run(own_model))
    with pytest.raises(BadInput, match=r"other settings \(rnn "):
        EvolutionRun(own_model, FEATURES, SETTINGS, {"sees": "zh", "rnn": "0" * 16})


def test_from_scratch_begins_a_new_stage_at_zero(own_model):
    tell(run(own_model), 2)
    again = run(own_model, from_scratch=True, sigma=0.2)
    assert again.stage == 2 and again.learner.generation == 0
    assert not again.learner.mean.any()
    assert [row.stage for row in again.rows] == [1, 1]
    tell(again)
    assert run(own_model, sigma=0.2).learner.generation == 1


def test_finetuning_begins_at_the_best_mean(own_model):
    tell(run(own_model))
    best = np.linspace(-1, 1, arch.size(FEATURES)).astype(np.float32)
    arch.save(own_model, best, {"rnn": own_model.facts("rnn")["digest"]})
    finetuning = run(own_model, finetune=True, sigma=0.04)
    assert finetuning.stage == 2 and finetuning.learner.sigma == 0.04
    np.testing.assert_allclose(finetuning.learner.mean, best)


def test_the_history_of_a_published_agent_stays_when_it_is_finetuned(own_model):
    tell(run(own_model), 2)
    parameters = np.zeros(arch.size(FEATURES), np.float32)
    arch.save(own_model, parameters, {"rnn": own_model.facts("rnn")["digest"]})
    (own_model.path / "controller.training.json").unlink()
    finetuning = run(own_model, finetune=True)
    tell(finetuning)
    assert [(row.stage, row.generation) for row in finetuning.rows] == [(1, 1), (1, 2), (2, 1)]
    assert run(own_model, finetune=True).learner.generation == 1


def test_an_evolution_that_was_finetuned_is_over(own_model):
    tell(run(own_model))
    parameters = np.zeros(arch.size(FEATURES), np.float32)
    arch.save(own_model, parameters, {"rnn": own_model.facts("rnn")["digest"]})
    assert not run(own_model).training.is_over
    finetuning = run(own_model, finetune=True, sigma=0.04)
    tell(finetuning, 2)
    assert run(own_model).training.is_over
    assert run(own_model, finetune=True, sigma=0.04).learner.generation == 2
    again = run(own_model, from_scratch=True)
    assert not again.training.is_over and again.stage == 3 and len(again.lineage) == 1


def test_a_history_that_lacks_generations_is_refused(own_model):
    begun = run(own_model)
    tell(begun, 2)
    history.write(begun.csv_file, begun.rows[:1])
    with pytest.raises(BadInput, match="controller.csv lacks generations") as told:
        run(own_model)
    assert told.value.options == ("from_scratch",)


def test_a_history_of_a_run_that_is_still_to_come_is_refused(own_model):
    tell(run(own_model))
    parameters = np.zeros(arch.size(FEATURES), np.float32)
    arch.save(own_model, parameters, {"rnn": own_model.facts("rnn")["digest"]})
    begun = run(own_model, finetune=True)
    tell(begun)
    earlier, last = begun.rows
    history.write(begun.csv_file, [dataclasses.replace(earlier, stage=9), last])
    before = begun.training.state_file.read_bytes()
    for settings in ({"finetune": True}, {"finetune": True, "sigma": 0.04}, {}):
        with pytest.raises(BadInput, match="controller.csv has generations of a later run than"):
            run(own_model, **settings)
    assert begun.training.state_file.read_bytes() == before


def test_the_advice_on_a_history_that_cannot_be_read_works(own_model):
    begun = run(own_model)
    tell(begun, 2)
    whole = begun.csv_file.read_bytes()
    begun.csv_file.write_bytes(whole[:-30])
    with pytest.raises(BadInput, match="put it back as it was, or remove it and begin"):
        run(own_model)
    begun.csv_file.unlink()
    again = run(own_model, from_scratch=True, sigma=0.2)
    assert again.stage == 2 and again.rows == []
    begun.csv_file.write_bytes(whole)
    assert len(run(own_model, sigma=0.2).rows) == 2


def test_a_kill_while_finetuning_begins_loses_nothing(own_model):
    begun = run(own_model)
    tell(begun, 3)
    state = begun.training.state_file.read_bytes()
    parameters = np.zeros(arch.size(FEATURES), np.float32)
    arch.save(own_model, parameters, {"rnn": own_model.facts("rnn")["digest"]})
    run(own_model, finetune=True, sigma=0.04)
    begun.training.state_file.write_bytes(state)
    assert run(own_model).learner.generation == 3


def test_finetuning_must_beat_the_score_it_began_with(own_model):
    begun = run(own_model)
    tell(begun)
    begun.rows[0] = dataclasses.replace(begun.rows[0], validation=500.0, validation_sd=1.0)
    history.write(begun.csv_file, begun.rows)
    parameters = np.zeros(arch.size(FEATURES), np.float32)
    arch.save(own_model, parameters, {"rnn": own_model.facts("rnn")["digest"]})
    assert run(own_model, finetune=True, sigma=0.04).best_validation == 500
    assert run(own_model, from_scratch=True, sigma=0.2).best_validation == -np.inf


def test_finetuning_goes_on_with_an_m_that_was_finetuned_but_not_with_another(own_model):
    begun = run(own_model)
    tell(begun)
    begun.rows[0] = dataclasses.replace(begun.rows[0], validation=500.0, validation_sd=1.0)
    history.write(begun.csv_file, begun.rows)
    best = np.linspace(-1, 1, arch.size(FEATURES)).astype(np.float32)
    arch.save(own_model, best, {"rnn": own_model.facts("rnn")["digest"]})
    facts = own_model.facts("rnn") | {"finetuned_from": rnn.lineage(own_model, {"finetune": True})}
    network = rnn.load(own_model).network
    network.set_weights([1.01 * weights for weights in network.get_weights()])
    rnn.save(own_model, network, facts)
    finetuning = run(own_model, finetune=True)
    np.testing.assert_allclose(finetuning.learner.mean, best)
    # What C scored with the M of before is nothing to be beaten with this one.
    assert finetuning.best_validation == -np.inf
    rnn.save(own_model, network, facts | {"finetuned_from": []})
    with pytest.raises(BadInput, match="evolved on another M"):
        run(own_model, finetune=True, sigma=0.04)


def test_the_best_mean_is_that_of_the_lineage(own_model):
    begun = run(own_model)
    assert begun.best_validation == -np.inf
    scores = [None, 500.0, None, 300.0]
    begun.rows = [
        history.Row(1, i, 3.0, 2.0, 1.0, 0.1, 100, 1.0, 1, score, score and 1.0)
        for i, score in enumerate(scores)
    ]
    assert begun.best_validation == 500


def test_half_of_the_tracks_are_those_driven_worst():
    fresh, scores = [10, 11, 12, 13, 14], [900, 300, 910, 200, 880]
    assert worst_and_any(fresh, scores, 4) == [13, 11, 10, 12]
    assert worst_and_any(fresh, scores, 3) == [13, 10, 11]
    assert worst_and_any(fresh, scores, 1) == [10]


@pytest.mark.usefixtures("ready_workers")
def test_hard_track_sampling_gives_the_candidates_the_worst_track(own_model):
    begun = run(own_model, rollouts=2, hard_tracks=3, patience=3)
    with Fleet(own_model, "float32", Workplace(1), worlds=4) as fleet:
        driven_on, outcomes = begun._choose_tracks(fleet)
        row = begun.generation(fleet, [])
    scores = [outcome.score for outcome in outcomes]
    fresh = tracks.evolution(1, 0, 3)
    assert driven_on[0] == fresh[int(np.argmin(scores))] and set(driven_on) < set(fresh)
    assert row.on_new_tracks == pytest.approx(np.mean(scores))
    assert history.read(begun.csv_file) == [row]


def test_a_return_that_is_no_number_counts_as_the_worst_and_is_told(capsys):
    returns = comparable(np.array([3.0, np.nan, 1.0, np.inf]))
    assert returns.tolist() == [3, 1, 1, 1]
    assert "2 candidates returned no number" in capsys.readouterr().out
    assert comparable(np.array([1.0, 2.0])).tolist() == [1, 2]
    assert capsys.readouterr().out == ""


def test_returns_that_say_nothing_are_told(capsys):
    comparable(np.array([-5.0, -5.0]))
    assert "all candidates returned -5.0" in capsys.readouterr().out
    with pytest.raises(BadInput, match="No candidate returned a number"):
        comparable(np.array([np.nan, np.inf]))


def test_a_step_size_that_collapses_is_told_once(capsys):
    evolution = Evolution(SETTINGS, np.zeros(3))
    while evolution.generation < 400 and evolution.deviations.max() > 1e-5:
        before, candidates = evolution.deviations, evolution.ask()
        evolution.tell(candidates, -((candidates - 1) ** 2).sum(1))
        tell_of_collapse(before, evolution.deviations, SETTINGS.sigma)
    [warning] = capsys.readouterr().out.splitlines()
    assert "the step size has collapsed (to 0.0001, from 0.1 at first)" in warning
    assert evolution.deviations.max() <= 1e-5
