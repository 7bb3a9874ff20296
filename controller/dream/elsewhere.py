"""Candidates × dreams → returns by workers: each dreams a part of what is dreamt here at once."""

import contextlib
import itertools

from controller.dream import rollout
from controller.dream.rollout import DreamRollout
from controller.rollout import Outcome
from rnn.dream.dynamics import Dream
from runs import device
from runs.directory import ModelDirectory
from runs.executor import Workers
from runs.preparation import Preparation, here
from runs.workplace import Workplace

import numpy as np

PARTS = ("vision", "rnn", "starts")


class DreamsElsewhere:
    """As `DreamRollout`, in workers, who stay hired from the first generation to the end of `with`.

    The parts are the same, and so are the outcomes.
    """

    def __init__(self, place: Workplace, dream: Dream, start: str, steps: int):
        self.features = rollout.features_of(dream)
        self._place = place
        arguments = dream.temperature, start, steps
        self._preparation = Preparation(_load, arguments, dream.directory, PARTS)
        self._hired = contextlib.ExitStack()
        self._workers: Workers | None = None

    def __enter__(self) -> "DreamsElsewhere":
        return self

    def __exit__(self, *details) -> None:
        self._workers = None
        self._hired.__exit__(*details)

    def drive(self, parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]:
        """As `DreamRollout.drive`."""
        if self._workers is None:
            self._workers = self._hired.enter_context(self._place.hire(self._preparation))
        tasks = [(part, keys) for part in rollout.parts(parameters, keys)]
        return list(itertools.chain(*self._workers.all(_drive_here, tasks)))


def _load(directory: ModelDirectory, temperature: float, start: str, steps: int) -> DreamRollout:
    device.one_thread()
    return DreamRollout(Dream(directory, temperature, start), steps)


def _drive_here(parameters: np.ndarray, keys: np.ndarray) -> list[list[Outcome]]:
    return here().drive(parameters, keys)
