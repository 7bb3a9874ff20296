"""Where work runs: in processes of this machine, or on a cluster. Nothing above can tell which."""

import dataclasses

from runs import processes
from runs.arguments import HANG_TIMEOUT
from runs.executor import ProcessWorkers, Workers
from runs.preparation import Preparation


@dataclasses.dataclass(frozen=True)
class Workplace:
    """`workers` processes here; or those of a cluster, where there is the address of a scheduler.

    For `hang_timeout` see `Workers`.
    """

    workers: int = 1
    hang_timeout: float = HANG_TIMEOUT
    cluster: str | None = None

    def hire(self, preparation: Preparation | None = None) -> Workers:
        """Workers, each of which makes this ready before its first task."""
        if self.cluster is not None:
            # Imported here: what it needs is not installed everywhere.
            from runs.cluster import ClusterWorkers

            return ClusterWorkers(self.cluster, preparation, self.hang_timeout)
        make, given = (preparation.make, preparation.given) if preparation else (None, ())
        return ProcessWorkers(
            lambda: processes.pool(self.workers, make, given), self.workers, self.hang_timeout
        )
