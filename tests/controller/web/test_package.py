"""What export_web.py writes, opened as the page opens it."""

import dataclasses

from controller import arch
from controller.web import episodes, readings
from runs.directory import ModelDirectory, read_json
from settings.web import ExportWeb

import numpy as np
import pytest
from imageio import v3 as imageio

pytest.importorskip("onnx", reason="needs the extra `web`")
from controller.web import package  # noqa: E402 - it needs ONNX

LATENT, UNITS, STEPS = 4, 6, 82  # a start at step 60 and one at step 80


@pytest.fixture
def agent(own_dreamer):
    """An agent that drives straight on with half gas."""
    policy = np.zeros(arch.size(LATENT + UNITS))
    arch.save(own_dreamer, policy, {"rnn": own_dreamer.facts("rnn")["digest"]})
    return own_dreamer


def test_the_folder_holds_what_was_seen_done_and_remembered(agent, load, tmp_path, monkeypatch):
    driven = []
    script = load("export_web.py")

    def drive(*arguments):
        driven.extend(episodes.drive(*arguments))
        return driven

    monkeypatch.setattr(script, "drive", drive)
    out = tmp_path / "out"
    drives = {"track": 3, "recorded_episodes": 2, "recorded_steps": STEPS}
    script.main(ExportWeb(models=(agent.path,), out=out, **drives))
    index = read_json(out / "index.json")
    assert index["agents"] == [{"folder": "dreamer", "name": "VAE"}]
    assert [episode["track"] for episode in index["episodes"]] == [3, 4]
    assert package.places(driven) == [(episode, step) for episode in (0, 1) for step in (60, 80)]
    step = 21  # in the second row of the picture
    for number, episode in enumerate(driven):
        told = index["episodes"][number]
        assert told["steps"] == len(episode) == STEPS and len(told["action"]) == 3 * STEPS
        assert told["unrelated"] > 0 and episode.speed[-1] > episode.speed[0]
        picture = imageio.imread(out / "episodes" / f"{number}.png")
        assert (picture[64:128, 64:128] == episode.frames[step]).all()

    parts = package.load(agent)
    z = np.fromfile(out / "dreamer" / "latents.f32", "<f4").reshape(2, STEPS, LATENT)
    seen = parts.vision.encoder.predict(driven[1].frames, verbose=0)[0]
    np.testing.assert_allclose(z[1], seen, atol=1e-5)
    start = np.fromfile(out / "dreamer" / "starts.f32", "<f4").reshape(4, LATENT + 2 * UNITS)[3]
    x = np.concatenate([seen[:80], driven[1].action[:80]], -1)[None]
    empty = np.zeros((1, UNITS), np.float32)
    remembered = parts.memory.network([x, empty, empty])
    expected = np.concatenate([seen[80], remembered["h"][0], remembered["c"][0]])
    np.testing.assert_allclose(start, expected, atol=1e-4)
    facts = read_json(out / "dreamer" / "agent.json")
    assert len(facts["latents"]) == LATENT and len(facts["speed"]["weights"]) == UNITS
    assert facts["tile"] == 4.0 and len(facts["loss"]) == 2


def test_a_second_export_says_that_all_is_there_and_a_damaged_one_is_made_again(
    agent, printed, tmp_path
):
    out = tmp_path / "out"
    drives = ("--track", 3, "--recorded-episodes", 2, "--recorded-steps", STEPS)
    command = ("export_web.py", agent.path, "--out", out, *drives)

    def contents() -> dict:
        return {path: path.read_bytes() for path in out.rglob("[!.]*.*")}

    def times() -> dict:
        return {path: path.stat().st_mtime_ns for path in contents() if path.name != "index.json"}

    assert "nothing to do" not in printed(*command)
    before, made_at = contents(), times()
    assert printed(*command) == f"{out} holds dreamer already; nothing to do.\n"
    assert contents() == before and times() == made_at
    (out / "dreamer" / "starts.f32").write_bytes(b"")
    assert "nothing to do" not in printed(*command)
    assert contents() == before
    assert "nothing to do" not in printed(*command, "--track", 4)


def test_a_difference_is_named_after_where_it_is_and_what_it_is():
    difference = np.zeros((64, 64, 3))
    difference[50:, :10] = (0, 40, 0)
    assert readings.words(difference) == "more grass, bottom left"
    assert readings.words(-difference) == "more road, bottom left"
    difference[:] = 0
    difference[30:34, 30:34] = 20
    assert readings.words(difference) == "brighter, middle centre"


def test_a_ridge_regression_finds_a_line():
    x = np.random.default_rng(0).normal(size=(5000, 3))
    weights, bias = readings._ridge(x, x @ [1.0, -2.0, 0.0] + 5)
    np.testing.assert_allclose([*weights, bias], [1, -2, 0, 5], atol=0.02)


def test_how_well_a_speed_is_read_that_never_changes_is_not_said():
    frames, action = np.zeros((3, 64, 64, 3), np.uint8), np.zeros((3, 3))
    driven = [episodes.DrivenEpisode(track, frames, action, np.full(3, 7.0)) for track in (1, 2)]
    told = readings.speedometer([np.eye(3), np.eye(3)], driven)
    assert told["r2"] is None and told["bias"] == 7


def test_unrelated_moments_are_half_a_drive_apart():
    frames = np.zeros((4, 64, 64, 3), np.uint8)
    frames[2:] = 10
    assert episodes.unrelated(frames) == 10
    assert episodes.difference(frames, frames) == 0


def test_an_m_without_a_head_is_refused(dreamer_without):
    agent = dreamer_without("done")
    policy = np.zeros(arch.size(LATENT + UNITS))
    arch.save(agent, policy, {"rnn": agent.facts("rnn")["digest"]})
    with pytest.raises(ValueError, match="has no done head, which a dream needs"):
        package.load(agent)


def test_a_c_that_sees_z_alone_is_refused(agent):
    facts = {"sees": "z", "vision": agent.facts("vision")["digest"]}
    arch.save(agent, np.zeros(arch.size(LATENT)), facts)
    with pytest.raises(ValueError, match="sees z alone"):
        package.load(agent)


def test_a_directory_without_an_agent_is_refused(refuse, tmp_path):
    said = refuse("export_web.py", tmp_path / "none", "--out", tmp_path / "out")
    assert "has no trained" in said


def test_two_agents_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Two agents have one name"):
        ExportWeb(models=(tmp_path / "a" / "vae", tmp_path / "b" / "vae"))


def test_an_agent_is_called_after_its_v_of_whatever_architecture(agent, tmp_path):
    parts, other = package.load(agent), ModelDirectory(tmp_path / "other")
    other.put("vision", lambda path: path.write_text("eyes"), {"architecture": "flow"})
    agents = [parts, dataclasses.replace(parts, directory=other)]
    package.write_index(tmp_path, agents, [], [], "made of these")
    found = [one["name"] for one in read_json(tmp_path / "index.json")["agents"]]
    assert found == ["VAE", "flow"]
