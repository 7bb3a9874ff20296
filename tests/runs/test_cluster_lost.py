"""Clusters of their own on loopback: machines that are lost, and certificates."""

import shutil
import signal
import subprocess
from pathlib import Path

from runs.arguments import BadInput
from runs.workplace import Workplace

import pytest

pytest.importorskip("distributed")

from benchmarks.loopback import Loopback
from tests.hired import hire, wait_for

import dask.config

pytestmark = pytest.mark.slow  # starts processes


def test_workers_that_are_killed_together_change_no_result_and_one_task_kills_so_many(
    errands, tmp_path, monkeypatch
):
    monkeypatch.setattr("runs.flights.MOST_DEATHS", 2)
    with Loopback(tmp_path) as cluster:
        for _ in range(4):
            cluster.add(2)
        with hire(cluster, hang_timeout=20) as workers:
            wait_for(workers, 4)
            by = []
            for index, process in workers.each(errands.process, [(0.1,)] * 40, 2):
                by.append((index, process))
                if len(by) == 8:
                    cluster.workers[0].kill()
                    cluster.workers[1].kill()
            assert sorted(index for index, _ in by) == list(range(40))
            left = {worker.pid for worker in cluster.workers[2:]}
            assert {process for _, process in by[-16:]} == left
            with pytest.raises(BadInput, match=r"died again and again .*127.0.0.1:\d+ was the la"):
                workers.all(errands.die, [()])
        assert [worker.wait() for worker in cluster.workers] == [-signal.SIGKILL] * 4


def certificate(folder: Path) -> dict[str, str]:
    """A certificate that signs itself; Dask's settings by which everybody needs it."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=cluster"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    names = {"tls.ca-file": str(folder / "cert.pem"), "require-encryption": "True"}
    for who in ("scheduler", "worker", "client"):
        names |= {f"tls.{who}.{part}": str(folder / f"{part}.pem") for part in ("cert", "key")}
    return {f"distributed.comm.{name}": value for name, value in names.items()}


def as_environment(settings: dict[str, str]) -> dict[str, str]:
    def name(setting):
        return "DASK_" + setting.upper().replace(".", "__").replace("-", "_")

    return {name(setting): value for setting, value in settings.items()}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
def test_encrypted_connections_and_a_scheduler_without_workers_that_hangs_or_goes(
    errands, tmp_path
):
    secret = certificate(tmp_path)
    with Loopback(tmp_path, protocol="tls", **as_environment(secret)) as cluster:
        assert cluster.address.startswith("tls://")
        (tmp_path / "other").mkdir()
        others = certificate(tmp_path / "other")
        others["distributed.comm.tls.ca-file"] = secret["distributed.comm.tls.ca-file"]
        plain = cluster.address.replace("tls://", "tcp://")
        strangers = ({}, cluster.address), ({}, plain), (others, cluster.address)
        for settings, address in strangers:
            with (
                dask.config.set(settings),
                pytest.raises(BadInput, match="^No Dask scheduler answers"),
                Workplace(cluster=address, hang_timeout=3).hire(),
            ):
                pass
        with dask.config.set(secret):
            with (
                pytest.raises(BadInput, match="has had no workers for 4 seconds"),
                hire(cluster, hang_timeout=4),
            ):
                pass
            cluster.add()
            with hire(cluster, errands.make, (1,)) as workers:
                assert workers.all(errands.what_is_here, [()] * 2) == [1, 1]
            with (
                hire(cluster, hang_timeout=2) as workers,
                pytest.raises(BadInput, match="does not answer any more .* the same command"),
            ):
                for _ in workers.each(errands.process, [(0.01,)] * 1000):
                    cluster.scheduler.send_signal(signal.SIGSTOP)
            cluster.scheduler.send_signal(signal.SIGCONT)
            with (
                hire(cluster) as workers,
                pytest.raises(BadInput, match="does not answer any more .* the same command"),
            ):
                for _ in workers.each(errands.process, [(0.01,)] * 1000):
                    cluster.scheduler.kill()
