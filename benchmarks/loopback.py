"""A Dask scheduler and workers as processes of this machine, on loopback, for tests and figures."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
CLI = "distributed.cli.dask_"
# Dask serves a page about itself also without the dashboard, and on all addresses.
NO_PAGES = ("--no-dashboard", "--dashboard-address", "127.0.0.1:0")


def processor_time(*processes: int) -> float:
    """Seconds of processor time that these processes have taken; on Linux."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Loopback:
    """A scheduler in a folder of its own, and the workers that were added.

    Each worker has a directory of its own, and the sources of the project on its path, and nothing
    else of the checkout.
    """

    def __init__(self, folder: Path, protocol: str = "tcp", **environment: str):
        self._folder = folder
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TOP), os.environ.get("PYTHONPATH", "")]),
            **environment,
        }
        self.workers: list[subprocess.Popen] = []
        self.places: list[Path] = []  # their directories
        self._file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler",
            *("--host", f"{protocol}://127.0.0.1", "--port", "0", *NO_PAGES, "--no-show"),
            *("--idle-timeout", "10m"),  # if nobody ends it
            *("--scheduler-file", str(self._file)),
        )
        while not self._file.exists() or not self._file.read_text():
            if self.scheduler.poll() is not None:
                raise RuntimeError(f"The scheduler ended; see {folder}.")
            time.sleep(0.02)
        self.address: str = json.loads(self._file.read_text())["address"]

    def __enter__(self) -> "Loopback":
        return self

    def __exit__(self, *_) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
        for process in (*self.workers, self.scheduler):
            process.wait()

    def add(self, threads: int = 1, **environment: str) -> subprocess.Popen:
        """Start a worker; it has joined some seconds later."""
        arguments = self.next_worker(threads)
        worker = self._start("worker", *arguments, place=self.places[-1], **environment)
        self.workers.append(worker)
        return worker

    def next_worker(self, threads: int) -> list[str]:
        """The arguments of the next worker, whose directory is made."""
        place = self._folder / f"worker-{len(self.workers)}"
        place.mkdir()
        self.places.append(place)
        return [
            *(self.address, "--nthreads", str(threads), "--no-nanny", *NO_PAGES),
            *("--host", "127.0.0.1", "--local-directory", str(place), "--memory-limit", "0"),
            *("--death-timeout", "60"),
        ]

    def _start(
        self, what: str, *arguments: str, place: Path | None = None, **environment: str
    ) -> subprocess.Popen:
        with open(self._folder / f"{what}-{len(self.workers)}.log", "wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"{CLI}{what}", *arguments],
                cwd=place or self._folder,
                env={**self._environment, **environment},
                stdout=log,
                stderr=log,
            )
