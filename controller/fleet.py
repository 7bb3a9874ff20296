"""Workers that drive: candidates × tracks → returns, or whole trajectories."""

from collections.abc import Callable

from controller import sharing
from controller.arch import policy_inputs
from controller.driving import RolloutFunction, Scored
from controller.rollout import UNLIMITED, Job, Outcome
from runs.directory import ModelDirectory
from runs.workplace import Workplace


class Fleet:
    """Workers that drive jobs with the agent of a model directory.

    Each steps up to `worlds` worlds together and begins the next job whenever one is free, so that
    all finish at about the same time. The outcomes do not depend on who drives what. For `sees`
    see `Agent`.
    """

    def __init__(
        self,
        directory: ModelDirectory,
        precision: str,
        place: Workplace,
        worlds: int,
        sees: str | None = None,
    ):
        self.worlds = worlds
        # Here, for C may change while they drive, and with it what it sees.
        sees = sees or policy_inputs(directory)
        self._sharing = sharing.of(place, directory, (precision, sees), worlds)

    def __enter__(self) -> "Fleet":
        self._sharing.__enter__()
        return self

    def __exit__(self, *details) -> None:
        self._sharing.__exit__(*details)

    @property
    def workers(self) -> int:
        """How many there are."""
        return self._sharing.workers.count

    def drive(
        self,
        jobs: list[Job],
        patience: int = UNLIMITED,
        stock: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> list[Outcome]:
        """Drive all jobs; outcomes in their order. `progress(n)` hears of n more jobs done.

        Raises `BadInput` when there are jobs that workers die of again and again.
        """
        return self._share_out(Scored(patience, stock), jobs, progress)

    def _share_out(
        self,
        rollout: RolloutFunction,
        jobs: list[Job],
        progress: Callable[[int], None] | None = None,
    ) -> list:
        """What is kept of each job, in their order."""
        kept = self._sharing.drive(rollout, jobs, progress or (lambda _: None))
        return [kept[number] for number in range(len(jobs))]
