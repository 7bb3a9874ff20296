"""Real files, damaged at random: a sentence, or what they said before, or what could be meant.

`benchmarks/mutations.py` does more of it, with every file of a data directory.
"""

import functools
import json

import rnn
from controller.report import history
from envs import rollouts
from rnn.dream import starts
from runs import training

import pytest

hypothesis = pytest.importorskip("hypothesis")
EXAMPLES = 84  # of each; 504 in all
FILES = ("0000000000.npz", "starts.npz", "rnn.weights.h5", "model.json", "controller.csv", "state")


@pytest.fixture
def targets(load, own_dreamer, record, tmp_path):
    """The files of a model directory and a recording, and who reads them."""
    mutations, damageable = load("benchmarks/mutations.py"), load("benchmarks/damageable.py")
    [recording] = record(tmp_path, [5])
    rows = [history.Row(1, number, 3.0, 2.0, 1.0, 0.1, 100, 1.0, 1) for number in (1, 2)]
    history.write(own_dreamer.path / "controller.csv", rows)
    under_way = training.Training(own_dreamer, "controller", {"population": 4, "seed": 1})
    under_way.commit(lambda path: path.write_text("checkpoint"), generation=1)
    memory = rnn.load(own_dreamer)

    def target(path, read, part=None):
        known = {"trusted": damageable.trust(own_dreamer, part)} if part else {}
        return damageable.Target(path, read, **known)

    made = [
        target(recording, functools.partial(episode, recording)),
        target(starts.path_in(own_dreamer), lambda: begun(own_dreamer, memory), "starts"),
        target(own_dreamer.weights("rnn"), lambda: weights(own_dreamer), "rnn"),
        target(own_dreamer.model_json, lambda: own_dreamer.facts("rnn")),
        target(own_dreamer.path / "controller.csv", lambda: history.line(own_dreamer)),
        target(under_way.state_file, lambda: training.read(own_dreamer, "controller")),
    ]
    return mutations, dict(zip(FILES, made, strict=True))


def episode(path) -> dict:
    rollouts.length(path)
    return vars(rollouts.read(path))


def begun(directory, memory) -> dict:
    return vars(starts.read(directory, memory, "anywhere"))


def weights(directory) -> list:
    return rnn.load(directory).network.get_weights()


@pytest.mark.parametrize("name", FILES)
def test_damage_is_told_in_a_sentence_and_never_a_traceback(targets, name):
    mutations, known = targets
    target = known[name]

    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @hypothesis.given(seed=hypothesis.strategies.integers(0, 10**6))
    def damage(seed):
        way, outcome, words = mutations.attempt(target, seed)
        assert outcome in ("same", "refused", "taken"), (way, words)
        assert "\n" not in words
        # Bytes that change by chance are noticed: archives have checksums.
        assert outcome != "taken" or way == "array" or not name.endswith(".npz")

    damage()


def test_a_careless_reader_is_found(targets, tmp_path):
    mutations, _ = targets
    path = tmp_path / "careless.json"
    path.write_text('{"number": 3}')
    careless = mutations.Target(path, lambda: 3 / json.loads(path.read_text())["number"])
    outcomes = {mutations.attempt(careless, seed)[1] for seed in range(20)}
    assert "traceback" in outcomes and path.read_text() == '{"number": 3}'
