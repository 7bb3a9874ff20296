"""What a person's hands say: arrow keys, smoothed, or a gamepad."""

import numpy as np
import pygame

TURN, BACK = 0.08, 0.2  # of the steering in a step: away from the middle, and back to it
BRAKE = 0.8  # with all its force the wheels block
DEAD = 0.1  # of a gamepad's stick, which seldom rests at 0
PRESSED = 0.05  # of a gamepad's trigger
KEYS = (pygame.K_LEFT, pygame.K_RIGHT, pygame.K_UP, pygame.K_DOWN)


class Hands:
    """The action that a person wants, step by step."""

    def __init__(self):
        self._steering = 0.0

    def rest(self) -> None:
        self._steering = 0.0

    def action(self, pressed, gamepad=None) -> tuple[np.ndarray, bool]:
        """The next action (3,) float32, and whether a key or the gamepad is used.

        pressed: what `pygame.key.get_pressed` gives. Steering goes towards a held arrow by 0.08 a
        step and comes back by 0.2, so that a tap corrects and a held key turns.
        """
        left, right, up, down = (bool(pressed[key]) for key in KEYS)
        if gamepad is not None and not (left or right or up or down):
            action = of_gamepad(gamepad)
            if action.any():
                return action, True
        wanted = float(right) - float(left)
        away = wanted != 0 and wanted * self._steering >= 0
        change = wanted - self._steering
        most = TURN if away else BACK
        self._steering += min(max(change, -most), most)
        action = np.array([self._steering, float(up), BRAKE * float(down)], np.float32)
        return action, left or right or up or down


def of_gamepad(gamepad) -> np.ndarray:
    """Left stick steers, the right trigger is gas, the left one brakes: (3,) float32."""

    def axis(number: int) -> float:
        return gamepad.get_axis(number) if number < gamepad.get_numaxes() else 0.0

    steering = axis(0) if abs(axis(0)) > DEAD else 0.0
    # Triggers rest at -1, but say 0 until they are first touched.
    gas, brake = (max(0.0, axis(number)) for number in (5, 2))
    pedals = [value if value > PRESSED else 0.0 for value in (gas, BRAKE * brake)]
    return np.array([steering, *pedals], np.float32)
