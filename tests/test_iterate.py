"""Two tiny rounds of the iterative procedure from nothing, for real."""

import os
import signal
import time

import rnn
from controller.agent import Agent
from controller.dream import iterate
from envs import rollouts, tracks
from rnn.dream.dynamics import Dream
from runs.directory import DataDirectory, locked, read_json

import pytest
from imageio import v3 as imageio

TINY = (
    "--episodes 3 --steps 40 --curiosity 0.5 --epochs 1 --depth 8 --memory-steps 100 "
    "--memory-batch 2 --units 16 --generations 2 --population 4 --rollouts 2 --sigma 0.001 "
    "--dream-steps 20 --validation-tracks 1 --memories 2 --workers 1"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("iterate")


def command(place, rounds: int) -> list:
    where = ["--data-dir", place / "data", "--res", place / "res"]
    return ["iterate.py", *where, "--rounds", rounds, *TINY.split()]


@pytest.fixture(scope="module")
def run(scripts, place):
    def iterate_for(rounds: int) -> list[iterate.Round]:
        scripts.succeed(*command(place, rounds))
        return iterate.read(place / "data" / "iterate" / "rounds.json")

    return iterate_for


@pytest.fixture(scope="module")
def first(run) -> iterate.Round:
    [row] = run(1)
    return row


@pytest.fixture(scope="module")
def killed(first, scripts, place) -> str:
    """What is said where iterate.py alone is killed as a script of its second round evolves C."""
    state = DataDirectory(place / "data").model("vae-dream-1.15").path / "controller.training.json"
    process = scripts.start(*command(place, 2))
    while read_json(state)["stage"] < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    return process.communicate()[1]  # waits for that script


@pytest.fixture(scope="module")
def both(run, killed) -> list[iterate.Round]:
    return run(2)


def test_begins_from_nothing_with_random_driving(first, place):
    assert first.surprise is None and first.score > 0
    assert 0 < first.tiles < 1 and sum(first.speeds) == 120
    assert DataDirectory(place / "data").model("vae-dream-1.15").has("controller")


def test_what_it_runs_ends_with_it_and_the_round_is_not_over(killed, first, place):
    assert killed.endswith("Stopped. What is done is kept; give the same command to go on.\n")
    with locked(DataDirectory(place / "data").model("vae-dream-1.15").path):
        assert iterate.read(place / "data" / "iterate" / "rounds.json")[0] == first


def test_goes_on_where_it_was_and_adds_to_the_data(both, first, place):
    assert both[0] == first
    assert [row.round for row in both] == [1, 2] and both[1].surprise > 0
    found = rollouts.paths(DataDirectory(place / "data").rollout)
    driven = [rollouts.track_of(path) for path in found]
    own = tracks.recording(1, "iterate", 18)
    assert len(driven) == 6 and set(driven) <= set(own)


def test_curiosity_keeps_some_of_three_times_as_many(both, place):
    kept = read_json(place / "data" / "iterate" / "round-2.json")["tracks"]
    asked = tracks.recording(1, "iterate", 9, first=9)
    assert len(kept) == 3 and set(kept) <= set(asked)
    assert not (place / "data" / "iterate" / "round-2").exists()


def test_goes_on_from_the_last_mean_and_keeps_the_agent_of_the_best_round(both, place):
    models = DataDirectory(place / "data")
    last = models.model("vae-dream-1.15").facts("controller")
    assert (last["stage"], last["generation"]) == (2, 2)
    assert last["validation"]["mean"] == both[1].real
    assert len(last["also"]) == 1 and last["also"] != [models.model("vae").facts("rnn")["digest"]]
    best = models.model("vae-iterated")
    assert best.facts("controller")["validation"]["mean"] == max(row.real for row in both)
    Agent(best)
    Dream(best)


def test_shows_every_round(both, place):
    lines = (place / "res" / "vae_iterate.md").read_text().splitlines()
    assert len(lines) == 4 and lines[2].startswith("| 1 | 3 |")
    assert imageio.imread(place / "res" / "vae_iterate.png").std() > 0


def test_what_a_stopped_round_had_finished_is_not_done_again(both, run, place):
    model = DataDirectory(place / "data").model("vae")
    memory = rnn.load(model).digest
    iterate.write(place / "data" / "iterate" / "rounds.json", both[:1])
    assert run(2) == both
    assert rnn.load(model).digest == memory


def test_a_second_one_in_the_same_directory_is_refused(refuse, tmp_path):
    with locked(tmp_path / "iterate"):
        sentence = refuse("iterate.py", "--data-dir", tmp_path, "--res", tmp_path / "res")
    assert "Another process is writing to" in sentence and f"(process {os.getpid()}: " in sentence
