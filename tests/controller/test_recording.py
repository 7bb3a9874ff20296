"""An agent that records explores as it is asked to, and no more."""

from controller.recording import record_with_agent
from envs import rollouts
from settings.recording import AgentRecording

import numpy as np
import pytest


def recorded(folder, model, **asked) -> np.ndarray:
    """The actions of one episode of 40 steps, (40, 3)."""
    usual = {"weight_noise": 0, "action_noise": 0, "noise_hold": 1, "action_bursts": 0}
    settings = AgentRecording(workers=1, steps=40, patience=100, **{**usual, **asked})
    folder.mkdir()
    assert record_with_agent(folder, [5], model, settings) == 40
    return rollouts.read(rollouts.path_of(folder, 5)).action


@pytest.mark.usefixtures("ready_workers")
@pytest.mark.parametrize("exploration", [{}, {"action_bursts": 1}, {"action_noise": 0.1}])
def test_the_exploration_asked_for_is_recorded_and_no_other(model, tmp_path, exploration):
    actions = recorded(tmp_path / "rollout", model, **exploration)
    own = (actions == actions[0]).all() and actions[0, 0] == 0
    assert own == (not exploration)
    if "action_bursts" in exploration:
        # What is held stays for five steps and more; noise is another in each.
        assert (np.diff(actions, axis=0) != 0).any(1).sum() <= 8
