"""Scripts with --cluster leave what they leave on this machine alone, to the last bit."""

import dataclasses
import filecmp
import time

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


@pytest.fixture
def without_c(chain, tmp_path) -> ModelDirectory:
    """The chain's model as 05 finds it."""
    chain.copy(tmp_path, "models")
    model = DataDirectory(tmp_path).model("vae")
    for path in model.path.glob("controller.*"):
        path.unlink()
    facts = read_json(model.model_json)
    write_json(model.model_json, {part: facts[part] for part in ("vision", "rnn")})
    return model


def assert_the_same_c(here: ModelDirectory, there: ModelDirectory) -> None:
    """The same weights of C, and the same history but for its seconds."""
    rows = (
        [dataclasses.replace(row, seconds=0) for row in history.read(one.path / "controller.csv")]
        for one in (here, there)
    )
    assert next(rows) == next(rows)
    weights, others = (arch.load(one, 32 + 16) for one in (here, there))
    assert (weights == others).all()


def test_05_evolves_there(chain, on_the_cluster, without_c):
    on_the_cluster("05_train_controller.py")
    assert_the_same_c(ModelDirectory(chain.model), without_c)


def test_05_goes_on_there_after_its_scheduler_died(chain, scripts, small, without_c, tmp_path):
    command = ["05_train_controller.py", *small("05_train_controller.py", tmp_path, tmp_path)]
    first, then = (tmp_path / name for name in ("first", "then"))
    first.mkdir()
    with Forked(first, scripts) as cluster:
        cluster.add(4)
        evolving = scripts.start(*command, "--cluster", cluster.address, "--hang-timeout", 5)
        while not (without_c.path / "controller.csv").exists():
            assert evolving.poll() is None, evolving.communicate()
            time.sleep(0.02)
        cluster.scheduler.kill()
        _, said = evolving.communicate()
    assert evolving.returncode == 2 and "does not answer any more" in said.splitlines()[-1]
    then.mkdir()
    with Forked(then, scripts) as cluster:
        cluster.add(4)
        scripts.succeed(*command, "--cluster", cluster.address)
    assert_the_same_c(ModelDirectory(chain.model), without_c)


FINETUNING = (
    "--episodes 2 --generations 1 --patience 15 --validation-tracks 1 --worlds 4 --workers 1"
)
DREAMING = (
    "--dream --temperature 0.5 --generations 1 --population 4 --rollouts 2 --dream-steps 20 "
    "--sigma 0.001 --evaluate-every 1 --validation-tracks 1 --worlds 4 --workers 1"
)


@pytest.mark.parametrize(
    ("script", "arguments", "made"),
    [
        ("06_finetune_controller.py", FINETUNING, "vae"),
        ("05_train_controller.py", DREAMING, "vae-dream-0.5"),
    ],
)
def test_gradients_and_dreams_are_driven_there(
    chain, perform, cluster, tmp_path, script, arguments, made
):
    places = {name: tmp_path / name for name in ("here", "there")}
    for name, place in places.items():
        chain.copy(place, "models")
        where = ["--data-dir", place, "--res", place / "res"]
        perform(script, *where, *arguments.split(), *(cluster if name == "there" else ()))
    assert_the_same_c(*(DataDirectory(place).model(made) for place in places.values()))


def test_evaluate_scores_there(racer, perform, cluster, tmp_path):
    arguments = "--tracks 1 --rendering fast --scores-only --workers 1"
    perform("evaluate.py", racer, *arguments.split(), "--res", tmp_path, *cluster)
    [scored] = read_json(tmp_path / "scores_fast.json").values()
    agent = Agent(ModelDirectory(racer))
    job = Job(arch.load(agent.directory, agent.features), tracks.EVALUATION)
    [(_, outcome)] = Scored(UNLIMITED)(agent, [(0, job)], 1)
    assert [one["score"] for one in scored["episodes"]] == [outcome.score]
