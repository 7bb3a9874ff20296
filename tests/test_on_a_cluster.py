"""Scripts with --cluster leave what they leave on this machine alone, to the last bit."""

import dataclasses
import filecmp

from controller import arch
from controller.agent import Agent
from controller.driving import Scored
from controller.report import history
from controller.rollout import UNLIMITED, Job
from envs import tracks
from runs.directory import DataDirectory, ModelDirectory, read_json, write_json

import pytest

pytest.importorskip("distributed")

from tests.forked_cluster import Forked


@pytest.fixture(scope="module")
def cluster(scripts, tmp_path_factory):
    """Where a scheduler is, with one worker."""
    with Forked(tmp_path_factory.mktemp("cluster"), scripts) as started:
        started.add(4)
        yield ["--cluster", started.address]


@pytest.fixture
def on_the_cluster(perform, small, cluster, tmp_path):
    """`on_the_cluster(script)`: what `chain` did on this machine."""
    return lambda script: perform(script, *small(script, tmp_path, tmp_path), *cluster)


def test_01_records_there(chain, on_the_cluster, tmp_path):
    on_the_cluster("01_generate_data.py")
    recorded = sorted((chain.data / "rollout").glob("*.npz"))
    names = [path.name for path in recorded]
    assert sorted(path.name for path in (tmp_path / "rollout").glob("*.npz")) == names
    for path in recorded:
        assert filecmp.cmp(path, tmp_path / "rollout" / path.name, shallow=False), path.name


def test_03_encodes_there(chain, on_the_cluster, tmp_path):
    chain.copy(tmp_path, "rollout", "models")
    on_the_cluster("03_generate_rnn_data.py")
    latents = sorted((chain.data / "series" / "vae").glob("*.npz"))
    assert len(latents) == 5
    for path in latents:
        assert filecmp.cmp(path, tmp_path / "series" / "vae" / path.name, shallow=False), path.name


def test_05_evolves_there(chain, on_the_cluster, tmp_path):
    chain.copy(tmp_path, "models")
    model = DataDirectory(tmp_path).model("vae")
    for path in model.path.glob("controller.*"):
        path.unlink()
    facts = read_json(model.model_json)
    write_json(model.model_json, {part: facts[part] for part in ("vision", "rnn")})
    on_the_cluster("05_train_controller.py")
    here, there = (
        [dataclasses.replace(row, seconds=0) for row in history.read(path)]
        for path in (chain.model / "controller.csv", model.path / "controller.csv")
    )
    assert here == there
    evolved = [arch.load(one, 32 + 16) for one in (ModelDirectory(chain.model), model)]
    assert (evolved[0] == evolved[1]).all()


def test_evaluate_scores_there(racer, perform, cluster, tmp_path):
    told = "--tracks 1 --drawing fast --scores-only --workers 1"
    perform("evaluate.py", racer, *told.split(), "--res", tmp_path, *cluster)
    [scored] = read_json(tmp_path / "scores_fast.json").values()
    agent = Agent(ModelDirectory(racer))
    job = Job(arch.load(agent.directory, agent.features), tracks.EVALUATION)
    [(_, outcome)] = Scored(UNLIMITED)(agent, [(0, job)], 1)
    assert [one["score"] for one in scored["episodes"]] == [outcome.score]
