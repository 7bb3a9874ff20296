"""What a person's hands say."""

from controller.steering import KEYS, Hands, of_gamepad

import numpy as np
import pygame
import pytest


def pressed(*keys: int) -> dict[int, bool]:
    return {key: key in keys for key in KEYS}


def test_steering_goes_slowly_to_a_held_arrow_and_quickly_back():
    hands = Hands()
    held = [float(hands.action(pressed(pygame.K_LEFT))[0][0]) for _ in range(14)]
    assert held[:2] == pytest.approx([-0.08, -0.16]) and held[12:] == [-1, -1]
    loose = [float(hands.action(pressed())[0][0]) for _ in range(6)]
    assert loose == pytest.approx([-0.8, -0.6, -0.4, -0.2, 0, 0], abs=1e-6)
    hands.action(pressed(pygame.K_LEFT))
    # Who changes sides passes the middle at once.
    assert hands.action(pressed(pygame.K_RIGHT))[0][0] > 0


def test_pedals_follow_at_once_and_the_brake_does_not_block_the_wheels():
    action, used = Hands().action(pressed(pygame.K_UP, pygame.K_DOWN))
    np.testing.assert_allclose(action, [0, 1, 0.8])
    assert used and not Hands().action(pressed())[1]


class Pad:
    """What pygame's Joystick says of its axes."""

    def __init__(self, *axes: float):
        self.axes = axes

    def get_numaxes(self) -> int:
        return len(self.axes)

    def get_axis(self, number: int) -> float:
        return self.axes[number]


def test_a_gamepad_steers_and_what_hardly_moves_is_at_rest():
    np.testing.assert_allclose(of_gamepad(Pad(0.5, 0, -1, 0, 0, 0.75)), [0.5, 0.75, 0])
    np.testing.assert_allclose(of_gamepad(Pad(0.05, 0, 1, 0, 0, -1)), [0, 0, 0.8])
    assert not of_gamepad(Pad(0.02, 0)).any()
    hands = Hands()
    action, used = hands.action(pressed(), Pad(-0.5, 0, -1, 0, 0, -1))
    assert used and action[0] == pytest.approx(-0.5)
    # The keys win.
    assert hands.action(pressed(pygame.K_RIGHT), Pad(-0.5, 0))[0][0] > 0
