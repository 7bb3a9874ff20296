"""Where work runs: in processes of this machine, or on a cluster. Nothing above can tell which."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from runs.arguments import HANG_TIMEOUT

if TYPE_CHECKING:
    from runs.executor import Workers
    from runs.preparation import Preparation


@dataclasses.dataclass(frozen=True)
class Workplace:
    """`workers` processes here; or those of a cluster, where there is the address of a scheduler.

    For `hang_timeout` see `runs.executor.Workers`.
    """

    workers: int = 1
    hang_timeout: float = HANG_TIMEOUT
    cluster: str | None = None

    def hire(self, preparation: Preparation | None = None) -> Workers:
        """Workers, each of which makes this ready before its first task."""
        # Imported here: settings name a place without what works there.
        if self.cluster is not None:
            from runs.cluster import ClusterWorkers

            return ClusterWorkers(self.cluster, preparation, self.hang_timeout)
        from runs import processes
        from runs.executor import ProcessWorkers

        make, given = (preparation.make, preparation.given) if preparation else (None, ())
        return ProcessWorkers(
            lambda: processes.pool(self.workers, make, given), self.workers, self.hang_timeout
        )
