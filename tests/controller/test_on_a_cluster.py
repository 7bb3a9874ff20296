"""Whatever drives gives the same on a cluster, to the last bit, though workers come and go."""

from controller import arch, recording, sharing
from controller.agent import Agent
from controller.dream.elsewhere import DreamsElsewhere
from controller.dream.rollout import DreamRollout, features_of
from controller.driving import Scored
from controller.policy_gradient.trajectories import ActionNoise, Collected, TrajectoryFleet
from controller.rollout import Job
from envs import recording as untrained
from envs import rollouts
from rnn import encode
from rnn.dream.dynamics import Dream
from runs import preparation
from runs.arguments import BadInput
from runs.device import Computer
from runs.directory import ModelDirectory
from runs.workplace import Workplace
from settings.recording import AgentRecording

import numpy as np
import pytest

pytest.importorskip("distributed")

from tests.forked_cluster import Forked

pytestmark = pytest.mark.slow  # starts processes

PATIENCE = 15
NOISE = ActionNoise((0.1, 0.2, 0.1), 0.9)


@pytest.fixture(scope="module")
def cluster(scripts, tmp_path_factory):
    with Forked(tmp_path_factory.mktemp("cluster"), scripts) as started:
        started.add(3)
        started.add(3)
        yield started


def test_a_fleet_on_a_cluster_drives_as_one_process_does(cluster, model, policies):
    jobs = [Job(policy, track) for track in range(20, 23) for policy in policies]
    agent = Agent(model)
    scored = dict(Scored(PATIENCE)(agent, enumerate(jobs), 8))
    [(_, collected)] = Collected(PATIENCE, NOISE)(agent, enumerate(jobs[:1]), 1)
    told = []

    def change(finished: int) -> None:
        """One worker is killed while others drive, and one joins."""
        told.append(finished)
        if len(told) == 2:
            cluster.workers[0].kill()
            cluster.add(3)

    with TrajectoryFleet(model, "float32", Workplace(cluster=cluster.address), 3) as fleet:
        outcomes = fleet.drive(jobs, PATIENCE, progress=change)
        assert outcomes == [scored[number] for number in range(len(jobs))]
        assert sum(told) == len(jobs)
        for one in fleet.collect(policies[0], [20, 20], NOISE, PATIENCE):
            for name, values in vars(one).items():
                assert np.array_equal(values, getattr(collected, name)), name


def test_recordings_and_latents_from_a_cluster_are_those_of_this_machine(
    cluster, model, tmp_path, capfd
):
    local, away = tmp_path / "local", tmp_path / "away"
    settings = AgentRecording(steps=40, patience=30, action_bursts=20)
    on_cluster = AgentRecording(steps=40, patience=30, action_bursts=20, cluster=cluster.address)
    tracks = [5, 6]
    agent = Agent(model)
    with preparation.kept(agent):
        recording._record_group(local, tracks, arch.load(model, agent.features), settings)
    recording.record_with_agent(away, tracks, model, on_cluster)
    untrained.record(local, 7, "random", 40)
    assert untrained.record_with_policy(away, [7], "random", on_cluster) == 40
    paths = rollouts.paths(local)
    assert [path.name for path in rollouts.paths(away)] == [path.name for path in paths]
    for path in paths:
        assert rollouts.contents(away / path.name) == rollouts.contents(path)

    encoder = encode.preparation_of(model, "float32")
    for seen in (False, True):
        latents = tmp_path / f"latents-{seen}"
        latents.mkdir()
        done = encode.episodes_elsewhere(on_cluster.place, encoder, paths, latents, 64, seen)
        assert sorted(done) == [latents / path.name for path in paths]
        for path in encode.episodes(agent.vision, paths, tmp_path / "encoded"):
            assert rollouts.contents(latents / path.name) == rollouts.contents(path)


def test_a_worker_without_avx512_refuses_bfloat16(tmp_path, monkeypatch):
    monkeypatch.setattr("runs.device.read_processors", lambda: Computer(1, "AVX2"))
    directory = ModelDirectory(tmp_path)
    drive = sharing.preparation_of(directory, ("bfloat16", "z"))
    for prepared in (drive, encode.preparation_of(directory, "bfloat16")):
        with pytest.raises(BadInput, match="A processor without AVX-512 has no bfloat16"):
            prepared.make(*prepared.given)


def test_dreams_elsewhere_are_those_that_are_dreamt_here(cluster, dreamer, monkeypatch):
    monkeypatch.setattr("controller.dream.rollout.MOST_DREAMS", 6)
    dream, keys = Dream(dreamer, 1.15, "anywhere"), np.arange(3, dtype=np.uint32)
    candidates = np.random.default_rng(2).normal(0, 0.5, (5, arch.size(features_of(dream))))
    hired = []
    hire = Workplace.hire
    monkeypatch.setattr(Workplace, "hire", lambda *given: hired.append(1) or hire(*given))
    dreamt = DreamRollout(dream, 8).drive(candidates, keys)
    with DreamsElsewhere(Workplace(cluster=cluster.address), dream, "anywhere", 8) as away:
        assert hired == []
        assert [away.drive(candidates, keys) for _ in range(2)] == [dreamt, dreamt]
    assert len(hired) == 1
