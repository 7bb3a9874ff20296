"""Candidates × dreams → returns by workers: each dreams a part of what is dreamt here at once."""

import itertools

from controller.dream import rollout
from controller.dream.rollout import DreamRollout
from controller.rollout import Outcome
from rnn.dream.dynamics import Dream
from runs import device
from runs.directory import ModelDirectory
from runs.preparation import Preparation, here
from runs.workplace import Workplace

import numpy as np

PARTS = ("vision", "rnn", "starts")


class DreamsElsewhere:
    """As `DreamRollout`, in workers. The parts are the same, and so are the outcomes."""

    def __init__(self, place: Workplace, dream: Dream, start: str, steps: int):
        self.features = rollout.features_of(dream)
        self._place = place
        arguments = dream.temperature, start, steps
        self._preparation = Preparation(_load, arguments, dream.directory, PARTS)

    def drive(self, parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]:
        """As `DreamRollout.drive`."""
        tasks = [(part, keys) for part in rollout.parts(parameters, keys)]
        with self._place.hire(self._preparation) as workers:
            return list(itertools.chain(*workers.all(_drive_here, tasks)))


def _load(directory: ModelDirectory, temperature: float, start: str, steps: int) -> DreamRollout:
    device.one_thread()
    return DreamRollout(Dream(directory, temperature, start), steps)


def _drive_here(parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]:
    return here().drive(parameters, keys)
