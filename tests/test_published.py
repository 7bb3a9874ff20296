"""The agents of res/published load, whichever version wrote them."""

from pathlib import Path

from controller import arch
from controller.agent import Agent
from controller.report import history
from runs import aliases
from runs.directory import ModelDirectory

import numpy as np
import pytest

PUBLISHED = Path(__file__).parents[1] / "res" / "published"
AGENTS = sorted(path.parent.name for path in PUBLISHED.glob("*/model.json"))


def test_there_are_agents():
    assert {"dream", "dream-unaided", "vae", "vaegan"} <= set(AGENTS)


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_drives(name):
    directory = ModelDirectory(PUBLISHED / name)
    agent = Agent(directory)
    agent.add(arch.load(directory, agent.features)[None])
    for _ in range(2):
        [action] = agent.act(np.zeros((1, 64, 64, 3), np.uint8))
    assert np.isfinite(action).all()


@pytest.mark.parametrize("name", AGENTS)
def test_its_facts_have_today_s_names(name):
    for part in ("vision", "rnn", "controller"):
        assert not aliases.TODAY.keys() & ModelDirectory(PUBLISHED / name).facts(part).keys()


@pytest.mark.parametrize("name", [name for name in AGENTS if name != "dream-unaided"])
def test_its_history_is_read(name):
    assert history.line(ModelDirectory(PUBLISHED / name))[0].generation == 1
