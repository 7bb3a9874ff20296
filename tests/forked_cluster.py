"""A cluster on loopback whose workers begin with TensorFlow imported."""

from pathlib import Path

from benchmarks.loopback import Loopback
from tests.forked import Script


class Forked(Loopback):
    """As `Loopback`; its workers are forked by the server of `scripts`."""

    def __init__(self, folder: Path, scripts):
        super().__init__(folder)
        self._scripts = scripts

    def add(self, threads: int = 1) -> None:
        command = [str(Path(__file__).with_name("forked_worker.py")), *self.next_worker(threads)]
        environment = self._scripts._environment()
        self.workers.append(Script(self._scripts.server, command, self.places[-1], environment))

    def __exit__(self, *details) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.communicate()
        self.workers = []
        super().__exit__(*details)
