"""05_train_controller.py --dream, for real and tiny."""

import csv

from controller.agent import Agent
from controller.arch import load
from runs.directory import DataDirectory

import pytest
from imageio import v3 as imageio

TINY = (
    "--dream --temperatures 0.5 1.15 --generations 2 --population 4 --rollouts 2 "
    "--dream-steps 20 --sigma 0.001 --evaluate-every 1 --validation-tracks 1 --workers 1"
)


@pytest.fixture(scope="module")
def dreamt(scripts, chain, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dream")
    chain.copy(folder / "data", "models")
    command = ["05_train_controller.py", "--data-dir", folder / "data", "--res", folder / "res"]
    scripts.succeed(*command, *TINY.split())
    return folder, command


def test_each_temperature_makes_an_agent_of_its_own(dreamt, chain):
    folder, _ = dreamt
    for temperature in ("0.5", "1.15"):
        made = DataDirectory(folder / "data").model(f"vae-dream-{temperature}")
        agent = Agent(made)
        assert load(made, agent.features).any()
        assert made.facts("controller")["temperature"] == float(temperature)
    real = DataDirectory(folder / "data").model("vae").weights("controller")
    assert real.read_bytes() == (chain.model / "controller.weights.h5").read_bytes()


def test_dream_and_real_scores_stand_side_by_side(dreamt):
    folder, _ = dreamt
    with open(folder / "data" / "models" / "vae-dream-1.15" / "dream.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["generation"] for row in rows] == ["1", "2"]
    table = (folder / "res" / "vae_dream.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == ["| 0.5", "| 1.15"]
    assert f"{float(rows[-1]['dream']):.0f} ±" in table[3]
    assert imageio.imread(folder / "res" / "vae_dream_curve.png").std() > 0


def test_a_finished_evolution_is_not_done_again(scripts, dreamt):
    folder, command = dreamt
    agent = folder / "data" / "models" / "vae-dream-1.15"
    before = [(agent / name).read_bytes() for name in ("dream.csv", "controller.weights.h5")]
    scripts.succeed(*command, *TINY.split())
    after = [(agent / name).read_bytes() for name in ("dream.csv", "controller.weights.h5")]
    assert after == before


@pytest.mark.parametrize("temperature", ["0", "-0.5", "nan"])
def test_refuses_a_temperature_that_is_not_above_0(refuse, chain, temperature):
    said = refuse(
        "05_train_controller.py", "--data-dir", chain.data, "--dream", "--temperature", temperature
    )
    assert "is not a number above 0" in said


def test_refuses_an_m_of_another_v(refuse, chain, dreamer, tmp_path):
    chain.copy(tmp_path, "models")
    where = ["--data-dir", tmp_path, "--dream", "--also", dreamer.path]
    assert "has another V; leave it out of --also" in refuse("05_train_controller.py", *where)
