"""Workers on loopback that are hired by tests."""

import time

from benchmarks.loopback import Loopback
from runs.preparation import Preparation
from runs.workplace import Workplace


def wait_for(workers, count: int) -> None:
    """Until so many workers have joined, or are left."""
    while workers.count != count:
        time.sleep(0.05)
        workers._looked = -float("inf")
        workers._look()


def hire(cluster: Loopback, *preparation, hang_timeout: float = 60):
    made = Preparation(*preparation) if preparation else None
    return Workplace(cluster=cluster.address, hang_timeout=hang_timeout).hire(made)
