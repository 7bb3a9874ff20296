"""A game without its window: tests/test_play.py opens that."""

from controller.play import Game
from envs import rollouts
from runs.arguments import BadInput

import numpy as np
import pytest

GAS = np.array([0, 1, 0], np.float32)


@pytest.mark.slow
def test_world_and_dream_are_driven_at_once_and_the_temperature_changes_on_the_way(dreamer):
    game = Game(dreamer, "both", 1.0, track=3)
    for _ in range(5):
        game.step(GAS)
    assert [side.steps for side in game.sides] == [5, 5]
    before = game.dream.unwrapped._dreams.z
    game.warm(1.5)
    assert game.temperature == game.dream.unwrapped.temperature == 1.5
    np.testing.assert_array_equal(game.dream.unwrapped._dreams.z, before)
    game.step(GAS)
    game.next_track()
    assert game.track == 4 and game.sides[0].steps == 0
    game.close()


@pytest.mark.slow
def test_without_a_trained_agent_a_person_goes_on_driving_and_is_told(dreamer):
    game = Game(dreamer, "dream", 1.0, track=3)
    game.change_driver()
    assert not game.by_agent and "has no trained controller" in game.says
    game.step(GAS)
    np.testing.assert_array_equal(game.action, GAS)
    with pytest.raises(BadInput, match="above 0"):
        game.dream.unwrapped.temperature = 0
    game.close()


def test_what_is_driven_is_kept_and_a_shorter_one_does_not_replace_it(dreamer, tmp_path):
    game = Game(dreamer, "real", 1.0, track=3, record_to=tmp_path)
    first = game.sides[0].frame
    for steps in (6, 3):
        for _ in range(steps):
            game.step(GAS)
        game.begin()
    game.close()
    [path] = rollouts.paths(tmp_path)
    episode = rollouts.read(path)
    assert rollouts.track_of(path) == 3 and len(episode) == 6
    np.testing.assert_array_equal(episode.obs[0], first)
    assert (episode.action == GAS).all()
