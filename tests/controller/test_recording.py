"""An agent that records makes the mistakes asked for, and no others."""

from controller.recording import record_with_agent
from envs import rollouts
from settings.recording import AgentRecording

import numpy as np
import pytest


def recorded(folder, model, **asked) -> np.ndarray:
    """The actions of one episode of 40 steps, (40, 3)."""
    usual = {"weight_noise": 0, "action_noise": 0, "noise_steps": 1, "takeovers": 0}
    settings = AgentRecording(workers=1, steps=40, patience=100, **{**usual, **asked})
    folder.mkdir()
    assert record_with_agent(folder, [5], model, settings) == 40
    return rollouts.read(rollouts.path_of(folder, 5)).action


@pytest.mark.parametrize("mistake", [{}, {"takeovers": 1}, {"action_noise": 0.1}])
def test_mistakes_asked_for_are_recorded_and_no_others(model, tmp_path, mistake):
    actions = recorded(tmp_path / "rollout", model, **mistake)
    own = (actions == actions[0]).all() and actions[0, 0] == 0
    assert own == (not mistake)
    if "takeovers" in mistake:
        # What is held stays for five steps and more; noise is another in each.
        assert (np.diff(actions, axis=0) != 0).any(1).sum() <= 8
