import dataclasses

from controller import arch
from controller.policy_gradient.run import PolicyGradientRun
from controller.policy_gradient.trajectories import TrajectoryFleet
from controller.report import history
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from runs.workplace import Workplace
from settings.driving import FinetuneController

import numpy as np
import pytest

FEATURES = 32 + 16
SETTINGS = FinetuneController(
    episodes=3,
    noise=(0.3, 0.3, 0.05),
    step_size=0.5,
    decay=0.8,
    damping=0.3,
    patience=10,
    validation_tracks=1,
    precision="float32",
)


def run(directory: ModelDirectory, start=None, **changed) -> PolicyGradientRun:
    settings = dataclasses.replace(SETTINGS, **changed)
    bound = arch.evolved_on(directory, "zh")
    return PolicyGradientRun(directory, FEATURES, settings, bound, start)


def test_what_is_saved_of_a_run_is_all_that_it_depends_on(own_model, policies):
    """Every key and value by hand: a run goes on only if they are the same."""
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    saved = run(own_model).saved
    assert saved == {
        "episodes": 3,
        "noise": [0.3, 0.3, 0.05],
        "correlation": 0.9,
        "step_size": 0.5,
        "grass_penalty": 4.0,
        "missed_tile_penalty": 5.0,
        "gamma": 0.99,
        "gae_lambda": 0.985,
        "decay": 0.8,
        "damping": 0.3,
        "release_brake": False,
        "patience": 10,
        "seed": 1,
        "precision": "float32",
        "evaluate_every": 10,
        "validation_tracks": 1,
        "sees": "zh",
        "rnn": own_model.facts("rnn")["digest"],
        "finetune": True,
    }


BEFORE = {
    "correlation": "persistence",
    "step_size": "rate",
    "grass_penalty": "grass",
    "missed_tile_penalty": "missed",
    "gamma": "discount",
    "gae_lambda": "trace",
    "decay": "memory",
    "finetune": "refine",
}


def test_a_run_of_an_earlier_version_goes_on(own_model):
    begun = run(own_model)
    state = read_json(begun.training.state_file)
    state["lineage"] = [
        {BEFORE.get(name, name): value for name, value in saved.items()}
        for saved in state["lineage"]
    ]
    write_json(begun.training.state_file, state)
    resumed = run(own_model)
    assert (resumed.stage, resumed.lineage) == (1, [begun.saved])
    assert run(own_model, decay=0.7).stage == 2


def fleet(directory: ModelDirectory) -> TrajectoryFleet:
    return TrajectoryFleet(directory, "float32", Workplace(1), worlds=4)


@pytest.mark.usefixtures("ready_workers")
def test_it_begins_at_c_and_its_best_becomes_c(own_model, policies):
    start = policies[0].astype(np.float32)
    arch.save(own_model, start, arch.evolved_on(own_model, "zh"))
    begun = run(own_model)
    np.testing.assert_allclose(begun.learner.mean, start)
    with fleet(own_model) as driving:
        row = begun.generation(driving, [5])
    assert row.stage == 1 and row.generation == 1 and row.sigma == 0.3
    assert row.worst <= row.mean <= row.best and row.steps > 30
    assert np.abs(begun.learner.mean - start).max() > 0
    np.testing.assert_allclose(arch.load(own_model, FEATURES), begun.learner.mean, rtol=1e-6)
    facts = own_model.facts("controller")
    assert facts["grass_penalty"] == 4.0 and facts["validation"]["mean"] == row.validation
    assert history.read(begun.csv_file) == [row]


@pytest.mark.usefixtures("ready_workers")
def test_it_resumes_as_if_it_had_never_stopped(own_model):
    with fleet(own_model) as driving:
        begun = run(own_model)
        begun.generation(driving, [])
        again = run(own_model)
        for each in (begun, again):
            each.generation(driving, [])
    assert again.learner.generation == 2
    assert np.array_equal(again.learner.mean, begun.learner.mean)
    assert [row.mean for row in again.rows] == [row.mean for row in begun.rows]


@pytest.mark.usefixtures("ready_workers")
def test_other_settings_begin_a_new_run_and_the_old_one_is_over(own_model):
    with fleet(own_model) as driving:
        run(own_model).generation(driving, [5])
    after = run(own_model, grass_penalty=8.0)
    assert after.stage == 2 and after.learner.generation == 0
    assert run(own_model).training.is_over


def test_where_its_history_lacks_generations_its_advice_brings_a_new_run(own_model):
    begun = run(own_model)
    begun.learner.generation = 1
    begun._record(history.Row(begun.stage, 1, 3.0, 2.0, 1.0, 0.1, 100, 1.0, 1))
    begun._commit()
    assert run(own_model).learner.generation == 1
    begun.csv_file.unlink()
    state = begun.training.state_file
    advice = f"put the file back or remove {state.name}, and a new run begins at the present C"
    with pytest.raises(BadInput, match=f"lacks generations .*; {advice}") as told:
        run(own_model)
    assert told.value.options == ()
    state.unlink()
    assert run(own_model).learner.generation == 0


def test_a_released_brake_is_that_of_the_start(own_model, policies):
    arch.save(own_model, policies[0], arch.evolved_on(own_model, "zh"))
    expected = arch.release_brake(policies[0].astype(np.float32))
    np.testing.assert_allclose(run(own_model, release_brake=True).learner.mean, expected)


def test_it_begins_at_what_is_given_and_asks_for_it_once(own_model, policies):
    asked = []

    def start() -> np.ndarray:
        asked.append(1)
        return policies[1]

    begun = run(own_model, start, release_brake=True)
    np.testing.assert_allclose(begun.learner.mean, arch.release_brake(policies[1]))
    again = run(own_model, start, release_brake=True)
    assert np.array_equal(again.learner.mean, begun.learner.mean) and len(asked) == 1


@pytest.mark.usefixtures("ready_workers")
def test_a_worse_policy_does_not_replace_a_c_that_was_validated_on_the_same_tracks(own_model):
    facts = {**arch.evolved_on(own_model, "zh"), "validation": {"tracks": 1, "mean": 950.0}}
    arch.save(own_model, np.zeros(arch.size(FEATURES)), facts)
    begun = run(own_model)
    assert begun.best_validation == 950
    with fleet(own_model) as driving:
        row = begun.generation(driving, [5])
    assert row.validation < 950 and not arch.load(own_model, FEATURES).any()
    # On other tracks, or with another M, it is no measure.
    assert run(own_model, validation_tracks=2).best_validation == -np.inf
