import shutil

from runs import fitting
from runs.arguments import BadInput
from runs.directory import ModelDirectory, read_json, write_json
from tests.stopping import Stop

import keras
import numpy as np
import pytest
import tensorflow as tf

EPOCHS, BATCHES = 3, 4


def network() -> keras.Model:
    fitting.seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(fitting.adam(1e-2, EPOCHS * BATCHES, clip=0.5), loss="mse")
    model.optimizer.build(model.trainable_variables)
    return model


def batches(epoch: int) -> tf.data.Dataset:
    rng = np.random.default_rng((1, epoch))
    x = rng.normal(size=(BATCHES * 5, 3)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((x, x.sum(1, keepdims=True) ** 2)).batch(5)


def train(folder, settings=None, stop_after: int | None = None, from_scratch=False):
    """Train until the end or the stop; return the model and the fitting."""
    model = network()
    run = fitting.NetworkTraining(
        ModelDirectory(folder), "rnn", settings or {"units": 2}, from_scratch
    )
    if run.is_over:
        return model, run
    run.resume(model)
    callbacks = () if stop_after is None else (Stop(stop_after),)
    fitting.fit(model, run, EPOCHS, batches, BATCHES, batches(99), callbacks)
    ModelDirectory(folder).put("rnn", model.save_weights, {})
    run.finish()
    return model, run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole"))


@pytest.fixture(params=["every batch", "every epoch"])
def checkpoints(request, monkeypatch) -> str:
    if request.param == "every batch":
        monkeypatch.setattr(fitting, "MINUTES_BETWEEN_CHECKPOINTS", 0)
    return request.param


@pytest.mark.slow
@pytest.mark.parametrize("stop_after", [1, 4, 6])
def test_a_stopped_training_resumes_to_the_last_bit(tmp_path, whole, checkpoints, stop_after):
    with pytest.raises(InterruptedError):
        train(tmp_path, stop_after=stop_after)
    state = tmp_path / "rnn.training.json"
    if checkpoints == "every batch":
        at = read_json(state)["position"]
        assert at["epoch"] * BATCHES + at["batch"] == stop_after
    else:
        assert state.exists() == (stop_after >= BATCHES)
    model, run = train(tmp_path)
    for one, other in zip(model.get_weights(), whole[0].get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert run.epoch == EPOCHS and run.finished
    assert run.history == whole[1].history


@pytest.mark.slow
def test_a_finished_training_leaves_no_checkpoints_and_does_nothing_again(tmp_path):
    train(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model.json", "rnn.weights.h5", "rnn.training.json", "logs"}
    run = fitting.NetworkTraining(ModelDirectory(tmp_path), "rnn", {"units": 2})
    assert run.is_over and run.nothing_to_do().endswith("is trained; nothing to do.")


@pytest.mark.slow
def test_the_losses_of_every_epoch_lie_in_one_file_for_tensorboard(tmp_path):
    _, run = train(tmp_path)
    for kind, name in (("training", "loss"), ("held_out", "val_loss")):
        [file] = (tmp_path / "logs" / "rnn" / kind).glob("events.*")
        events = [
            (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
            for event in tf.compat.v1.train.summary_iterator(str(file))
            for value in event.summary.value
        ]
        expected = [(number, "loss", row[name]) for number, row in enumerate(run.history, 1)]
        assert events == [(step, tag, pytest.approx(loss)) for step, tag, loss in expected]


def stopped(folder) -> None:
    with pytest.raises(InterruptedError):
        train(folder, stop_after=5)


@pytest.mark.slow
def test_from_scratch_starts_over_where_another_training_stands(tmp_path):
    stopped(tmp_path)
    _, run = train(tmp_path, {"units": 3}, from_scratch=True)
    assert len(run.history) == EPOCHS and run.finished


class Spoil(keras.callbacks.Callback):
    """Makes a weight no number, as too long a step does, after some batches in all."""

    def __init__(self, after: int):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.model.layers[0].kernel.assign(np.full((3, 2), np.nan))


@pytest.mark.slow
@pytest.mark.parametrize("after", [2, BATCHES, EPOCHS * BATCHES])
def test_a_loss_that_is_no_number_ends_a_training_and_its_advice_works(tmp_path, after):
    run = fitting.NetworkTraining(ModelDirectory(tmp_path), "rnn", {"rate": 1})
    with pytest.raises(BadInput, match="no longer a number in epoch .: begin from scratch") as told:
        fitting.fit(network(), run, EPOCHS, batches, BATCHES, batches(99), (Spoil(after),))
    assert told.value.options == ("from_scratch", "learning_rate")
    assert not ModelDirectory(tmp_path).has("rnn")
    model, run = train(tmp_path, {"rate": 0.1}, from_scratch=True)
    assert run.finished and all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.fixture
def clock(monkeypatch):
    """The processor time, set by hand."""
    read = [0.0]
    monkeypatch.setattr(fitting.time, "process_time", lambda: read[0])
    return read


def test_processor_time_is_that_of_all_sittings_and_of_what_is_finetuned(tmp_path, clock):
    def begin(settings) -> fitting.NetworkTraining:
        return fitting.NetworkTraining(ModelDirectory(tmp_path), "rnn", settings)

    model, first = network(), begin({"units": 2})
    clock[0] = 3600.0
    first.save(model)
    clock[0] = 5000.0  # lost with the kill that follows
    resumed = begin({"units": 2})
    assert resumed.resume(model)
    clock[0] = 6800.0
    assert resumed.core_hours() == 1.5
    ModelDirectory(tmp_path).put("rnn", model.save_weights, {"core_hours": 1.5})
    resumed.save(model)
    resumed.finish()

    finetuning = begin({"units": 2, "finetune": True})
    assert not finetuning.resume(model)
    clock[0] += 900
    assert finetuning.core_hours() == 1.75
    scratch = fitting.NetworkTraining(
        ModelDirectory(tmp_path), "rnn", {"units": 4}, from_scratch=True
    )
    assert scratch.core_hours() == 0


@pytest.mark.slow
def test_processor_time_that_was_not_counted_is_not_taken_for_none(tmp_path, clock):
    stopped(tmp_path)
    state_file = tmp_path / "rnn.training.json"
    write_json(state_file, {k: v for k, v in of_before(state_file).items() if k != "core_seconds"})
    _, resumed = train(tmp_path)
    assert resumed.finished and resumed.core_hours() is None
    finetuning = fitting.NetworkTraining(
        ModelDirectory(tmp_path), "rnn", {"units": 2, "finetune": True}
    )
    assert finetuning.core_hours() is None


def of_before(state_file) -> dict:
    """The state of a network's training as earlier versions wrote it."""
    state = read_json(state_file)
    del state["position"]["averaged"]
    return {
        "settings": state["lineage"][-1],
        "saves": state["saves"],
        "finished": state["finished"],
        "digest": state["checkpoint"],
        **state["position"],
    }


@pytest.mark.slow
def test_a_finetuning_killed_while_it_puts_its_result_goes_on(tmp_path, whole):
    train(tmp_path)
    finetuning = {"units": 2, "finetune": True}
    with pytest.raises(InterruptedError):
        train(tmp_path, finetuning, stop_after=5)
    network().save_weights(tmp_path / "rnn.next.weights.h5")  # not yet described
    _, run = train(tmp_path, finetuning)
    assert run.finished and ModelDirectory(tmp_path).has("rnn")
    assert not (tmp_path / "rnn.next.weights.h5").exists()


@pytest.mark.slow
def test_a_training_of_an_earlier_version_goes_on(tmp_path, whole):
    stopped(tmp_path)
    state_file = tmp_path / "rnn.training.json"
    write_json(state_file, of_before(state_file) | {"settings": {"units": 2, "refine": False}})
    model, run = train(tmp_path, {"units": 2, "finetune": False})
    assert run.finished and run.stage == 1
    for one, other in zip(model.get_weights(), whole[0].get_weights(), strict=True):
        assert np.array_equal(one, other)


ROW = {"loss": 1.0, "val_loss": 1.0}


@pytest.mark.parametrize(
    "changed",
    [
        {"history": []},
        {"history": [ROW]},
        {"history": [ROW, {}]},
        {"history": [{}, {}]},
        {"history": [{"colour": 1.0}, ROW]},
        {"history": [ROW, ROW, ROW]},
        {"epoch": 10**9},
        {"epoch": EPOCHS + 1, "history": [ROW] * (EPOCHS + 1)},
        {"batch": BATCHES},
    ],
)
def test_a_state_that_no_training_comes_to_is_refused(tmp_path, changed):
    def begin() -> fitting.NetworkTraining:
        return fitting.NetworkTraining(ModelDirectory(tmp_path), "rnn", {"units": 2})

    model, run = network(), begin()
    run.epoch, run.history = 2, [ROW, ROW]
    run.save(model)
    state = read_json(run.state_file)
    write_json(run.state_file, state | {"position": state["position"] | changed})
    before = run.state_file.read_bytes()
    with pytest.raises(BadInput, match="rnn.training.json is not the state of a training; remove"):
        fitting.fit(model, begin(), EPOCHS, batches, BATCHES, batches(99))
    assert run.state_file.read_bytes() == before and not (tmp_path / "logs").exists()


@pytest.mark.slow
def test_a_checkpoint_that_was_changed_is_refused(tmp_path):
    stopped(tmp_path)
    [checkpoint] = tmp_path.glob("rnn.training?.weights.h5")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-8])
    with pytest.raises(BadInput, match="is not the checkpoint of .*rnn.training.json"):
        train(tmp_path)


def test_the_learning_rate_falls_to_a_hundredth_by_a_cosine():
    schedule = fitting.adam(0.1, 100)._learning_rate
    assert float(schedule(0)) == pytest.approx(0.1)
    assert float(schedule(50)) == pytest.approx(0.1 * (0.01 + 0.99 / 2), rel=1e-5)
    assert float(schedule(100)) == pytest.approx(0.001)
    assert float(schedule(1000)) == pytest.approx(0.001)


def test_bad_input_inside_an_input_pipeline_comes_out_as_itself():
    def bad(number):
        raise BadInput(f"episode {number} is torn; remove it.")

    data = tf.data.Dataset.range(3).map(lambda n: tf.numpy_function(bad, [n], tf.int64))
    with (
        pytest.raises(BadInput, match="^episode 0 is torn; remove it.$"),
        fitting.readable_errors(),
    ):
        list(data)


def test_other_errors_of_a_pipeline_stay_what_they_are():
    with pytest.raises(tf.errors.InvalidArgumentError), fitting.readable_errors():
        tf.reshape(tf.zeros(3), (2, 2))


@pytest.mark.slow
def test_a_training_that_the_disk_cannot_hold_is_refused_before_it_begins(tmp_path, monkeypatch):
    # 11 numbers of 4 bytes; three checkpoints of three numbers for each, and the result.
    needed = 11 * 4 * (3 * 3 + 1)
    full = shutil._ntuple_diskusage(1000, 1000 - needed + 1, needed - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(BadInput, match="The training of the rnn may take .* make room"):
        train(tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full._replace(free=needed))
    train(tmp_path)
