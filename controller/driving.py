"""How jobs are driven, and what is kept of each: what travels to who drives them."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from controller.agent import Agent
from controller.rollout import Job, Outcome, drive, stock_env, training_env


class RolloutFunction(Protocol):
    """How jobs are driven. Two that are equal drive alike, and may share a batch."""

    def __call__(
        self, agent: Agent, jobs: Iterable[tuple[int, Job]], worlds: int
    ) -> Iterator[tuple[int, Any]]:
        """Drive numbered jobs, `worlds` at once; yield what is kept of each that is over.

        That depends on the job alone, not on the number, nor on who drives beside it.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Scored:
    """Episodes of which the outcome is kept; for `patience` see `rollout.drive`."""

    patience: int
    stock: bool = False

    def __call__(
        self, agent: Agent, jobs: Iterable[tuple[int, Job]], worlds: int
    ) -> Iterator[tuple[int, Outcome]]:
        make_env = stock_env if self.stock else training_env
        return drive(agent, jobs, worlds, self.patience, make_env=make_env)
