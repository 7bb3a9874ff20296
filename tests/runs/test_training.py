from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from runs.training import Standing, Training, read

import pytest

ONE, OTHER = {"units": 2}, {"units": 3}
FINETUNING = {"units": 3, "finetune": True}


@pytest.fixture
def place(tmp_path) -> ModelDirectory:
    return ModelDirectory(tmp_path)


def write(content: str):
    """A writer of a checkpoint with this content."""
    return lambda path: path.write_text(content)


def commit(training: Training, content: str, **position) -> None:
    training.commit(write(content), **position)


def trained(place: ModelDirectory, settings=ONE) -> None:
    """A training of a part to its end."""
    training = Training(place, "rnn", settings)
    commit(training, "all of it")
    place.put("rnn", write(str(settings)), {})
    training.finish()


def test_it_goes_on_at_the_last_commit(place):
    training = Training(place, "rnn", ONE)
    assert training.standing is Standing.NEW and training.position == {}
    for number in range(3):
        commit(training, f"commit {number}", epoch=number)
        again = Training(place, "rnn", ONE)
        assert again.standing is Standing.UNDER_WAY and again.position == {"epoch": number}
        assert again.checkpoint().read_text() == f"commit {number}"


def test_a_kill_between_checkpoint_and_state_leaves_the_commit_before(place):
    training = Training(place, "rnn", ONE)
    commit(training, "first", epoch=1)
    before = training.state_file.read_bytes()
    commit(training, "second", epoch=2)
    training.state_file.write_bytes(before)
    again = Training(place, "rnn", ONE)
    assert again.position == {"epoch": 1} and again.checkpoint().read_text() == "first"


def test_a_checkpoint_that_was_changed_or_removed_is_refused(place):
    training = Training(place, "rnn", ONE)
    commit(training, "first")
    training.checkpoint().write_text("another")
    with pytest.raises(BadInput, match="is not the checkpoint of .*rnn.training.json"):
        training.checkpoint()
    next(place.path.glob("rnn.training?.weights.h5")).unlink()
    with pytest.raises(BadInput, match="is not the checkpoint of"):
        Training(place, "rnn", ONE).checkpoint()


def test_other_settings_are_refused_and_named(place):
    commit(Training(place, "rnn", ONE), "first")
    for other in (OTHER, FINETUNING):
        with pytest.raises(BadInput, match=r"\(units 2, not 3.*fine-tune.*from scratch") as refusal:
            Training(place, "rnn", other)
        assert refusal.value.message({}).endswith("(--finetune, --from-scratch).")


def test_an_unfinished_training_may_be_finetuned_where_its_best_so_far_can(place):
    commit(Training(place, "controller", ONE), "first")
    finetuning = Training(place, "controller", FINETUNING, at_any_time=True)
    assert finetuning.standing is Standing.NEW and finetuning.stage == 2
    assert finetuning.lineage == [ONE, FINETUNING]


def test_from_scratch_begins_a_lineage_of_its_own(place):
    commit(Training(place, "rnn", ONE), "first")
    other = Training(place, "rnn", OTHER, from_scratch=True)
    assert other.standing is Standing.NEW and other.stage == 2 and other.lineage == [OTHER]
    commit(other, "of the other")
    again = Training(place, "rnn", OTHER, from_scratch=True)
    assert again.standing is Standing.UNDER_WAY and again.stage == 2


def test_until_it_commits_the_one_before_stays(place):
    commit(Training(place, "rnn", ONE), "first")
    Training(place, "rnn", OTHER, from_scratch=True)
    assert Training(place, "rnn", ONE).checkpoint().read_text() == "first"


def test_a_finished_training_leaves_no_checkpoints_and_is_over(place):
    trained(place)
    names = {path.name for path in place.path.iterdir()}
    assert names == {"model.json", "rnn.weights.h5", "rnn.training.json"}
    again = Training(place, "rnn", ONE)
    assert again.standing is Standing.OVER and again.is_over


def test_a_finished_training_is_begun_from_scratch_where_that_is_asked(place):
    trained(place)
    scratch = Training(place, "rnn", ONE, from_scratch=True)
    assert scratch.standing is Standing.NEW and scratch.stage == 2 and scratch.lineage == [ONE]
    commit(scratch, "again")
    for from_scratch in (True, False):  # Killed, it goes on, whichever command is given.
        again = Training(place, "rnn", ONE, from_scratch=from_scratch)
        assert again.standing is Standing.UNDER_WAY and again.stage == 2


def test_begun_from_scratch_and_killed_when_all_was_done_it_is_over(place):
    trained(place)
    checkpoint = place.path / "rnn.training1.weights.h5"
    checkpoint.write_text("what the kill let nobody remove")
    again = Training(place, "rnn", ONE, from_scratch=True)
    assert again.standing is Standing.OVER and not checkpoint.exists()
    assert Training(place, "rnn", ONE, from_scratch=True).standing is Standing.NEW


def test_a_vae_of_before_its_latent_could_be_told_goes_on(place):
    today = {"latent": 32, "depth": 32, "kl_weight": 1.0, "kl_tolerance": 0.5, "frame_stride": 1}
    training = Training(place, "vision", {"kl_tolerance": 0.5})
    commit(training, "first")
    assert Training(place, "vision", today).standing is Standing.UNDER_WAY
    with pytest.raises(BadInput, match=r"other settings \(latent 32, not 8\)"):
        Training(place, "vision", today | {"latent": 8})


def test_a_vae_gan_of_before_has_its_weight_of_the_kl_under_todays_name(place):
    training = Training(place, "vision", {"variant": "repaired", "kl": 0.5})
    commit(training, "first")
    fixed = {"frame_stride": 1, "drift": 0.0, "flips": False}
    today = {"variant": "repaired", "kl_weight": 0.5} | fixed
    assert Training(place, "vision", today).standing is Standing.UNDER_WAY


def test_checkpoints_that_a_kill_left_at_the_end_go_when_it_is_begun_again(place):
    trained(place)
    for turn in (0, 1):
        (place.path / f"rnn.training{turn}.weights.h5").write_text("left")
    assert Training(place, "rnn", ONE).is_over
    assert not list(place.path.glob("rnn.training?.weights.h5"))


def test_a_training_that_was_finetuned_since_is_over(place):
    trained(place)
    finetuning = Training(place, "rnn", FINETUNING)
    assert finetuning.standing is Standing.NEW and finetuning.lineage == [ONE, FINETUNING]
    commit(finetuning, "further")
    assert Training(place, "rnn", ONE).standing is Standing.FINETUNED_SINCE
    assert Training(place, "rnn", ONE, from_scratch=True).standing is Standing.NEW


def test_a_result_without_a_record_is_not_overwritten(place):
    place.put("rnn", write("of a friend"), {})
    with pytest.raises(BadInput, match="a trained rnn and no record of its training"):
        Training(place, "rnn", ONE)
    assert Training(place, "rnn", FINETUNING, begun_before=4).stage == 5
    assert Training(place, "rnn", ONE, from_scratch=True).standing is Standing.NEW


def test_what_was_removed_after_its_training_is_made_anew(place):
    trained(place)
    place.weights("rnn").unlink()
    assert Training(place, "rnn", ONE).standing is Standing.NEW


EARLIER = {"saves": 1, "finished": False, "digest": "0", "epoch": 0, "batch": 0, "history": []}


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"lineage": []},
        {"stage": 1, "lineage": []},
        # Forms of earlier versions, with values of other kinds.
        {"stage": 1, "lineage": 3},
        {"stage": 1, "lineage": None},
        {"stage": 1, "lineage": [3]},
        {"stage": 1, "lineage": "settings"},
        {"stage": "first", "lineage": [{}]},
        EARLIER | {"settings": 3},
        EARLIER | {"settings": None},
        EARLIER | {"settings": {}, "saves": "once"},
    ],
)
def test_what_is_no_state_is_refused(place, state):
    path = place.path / "rnn.training.json"
    write_json(path, state)
    with pytest.raises(BadInput, match="is not the state of a training"):
        Training(place, "rnn", ONE)
    write_json(path, {})
    with pytest.raises(BadInput, match="is not the state of a training"):
        read(place, "rnn")


def test_earlier_names_of_settings_are_todays(place):
    training = Training(place, "rnn", {"units": 2, "finetune": False})
    commit(training, "first")
    state = read_json(training.state_file)
    write_json(training.state_file, state | {"lineage": [{"units": 2, "refine": False}]})
    assert Training(place, "rnn", {"units": 2, "finetune": False}).standing is Standing.UNDER_WAY


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("from_scratch", [False, True])
def test_weights_that_nothing_describes_are_not_overwritten(place, finished, from_scratch):
    if finished:
        trained(place)
        place.model_json.unlink()
    place.weights("rnn").write_text("of somebody")
    for settings in (ONE, OTHER, FINETUNING):
        with pytest.raises(BadInput, match="rnn.weights.h5 is there, and .*model.json says noth"):
            Training(place, "rnn", settings, from_scratch=from_scratch)
    place.weights("rnn").unlink()
    assert Training(place, "rnn", ONE).standing is Standing.NEW
