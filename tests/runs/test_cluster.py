"""A scheduler and workers as real processes on loopback, which do what those of a machine do."""

import logging
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import runs
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from runs.workplace import Workplace

import pytest

pytest.importorskip("distributed")

from benchmarks.loopback import Loopback
from runs.cluster import anybody_may_join
from tests.hired import hire, wait_for

pytestmark = pytest.mark.slow  # starts processes

TOP = Path(runs.__file__).parents[1]


@pytest.fixture(scope="module")
def cluster(errands, tmp_path_factory):
    """Two workers, one of which can do three tasks at once."""
    with Loopback(tmp_path_factory.mktemp("cluster")) as started:
        started.add(3)
        started.add(3)
        place = Workplace(cluster=started.address, hang_timeout=60)
        with place.hire() as workers:
            wait_for(workers, 2)
        yield started


def test_a_cluster_does_what_processes_do(cluster, errands):
    with hire(cluster, errands.make, (1000,)) as workers:
        assert workers.all(errands.square, [(n,) for n in range(20)]) == [
            1000 + n**2 for n in range(20)
        ]
        assert workers.all(errands.square, []) == []
        results = dict(workers.each(errands.square, ((n,) for n in (3, 1, 2))))
        assert results == {0: 1009, 1: 1001, 2: 1004}
        assert workers.count == 2 and workers.at_once == 3
    # Two kinds of work at the same workers.
    with hire(cluster, errands.make, (5,)) as some, hire(cluster, errands.make, (6,)) as others:
        assert (some.all(errands.what_is_here, [()]), others.all(errands.what_is_here, [()])) == (
            [5],
            [6],
        )


def test_a_worker_does_one_task_after_the_other_unless_they_wait_for_each_other(cluster, errands):
    with hire(cluster) as workers:
        assert workers.all(errands.alone, [(n,) for n in range(12)]) == list(range(12))
        # Each would wait for ever for two others in its process.
        together = dict(workers.each(errands.side_by_side, [(n,) for n in range(6)], 3))
        assert together == {n: n for n in range(6)}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_listens_where_strangers_are(cluster):
    for process in (cluster.scheduler, *cluster.workers):
        found = listeners(process.pid)
        assert found and found <= {"127.0.0.1"}


def listeners(process: int) -> set[str]:
    """The addresses that a process listens on; of version 6 only that there is one."""
    found = set()
    sockets = {os.readlink(path) for path in Path(f"/proc/{process}/fd").iterdir()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                packed = bytes.fromhex(local.partition(":")[0])[::-1]
                found.add(socket.inet_ntoa(packed) if table == "tcp" else "of version 6")
    return found


def test_what_goes_wrong_in_a_worker_is_a_sentence(cluster, errands):
    with hire(cluster) as workers:
        with pytest.raises(BadInput, match=r"^7 is bad\.$"):
            workers.all(errands.refuse, [(7,)])
        with pytest.raises(BadInput, match=r"failed \(ZeroDivisionError: .*\); its") as refusal:
            workers.all(errands.fail, [(0,)])
        told = Path(str(refusal.value).split("traceback is in ")[1].rstrip("."))
        assert "return 1 // number" in told.read_text()
        told.unlink()


def test_a_result_that_cannot_be_fetched_ends_in_a_sentence(cluster, errands):
    async def dropped(*_, **__):
        raise OSError("the connection was dropped")

    with hire(cluster) as workers:
        workers._client._gather = dropped
        with pytest.raises(BadInput, match=r"does not answer any more \(the connection was dr"):
            workers.all(errands.process, [(0,)])


def test_a_directory_s_parts_travel_once_for_each_version(cluster, errands, tmp_path):
    made = ModelDirectory(tmp_path / "model")
    made.put("vision", lambda path: path.write_bytes(b"weights"), {})
    made.put("controller", lambda path: path.write_bytes(b"others"), {})
    preparation = errands.read, ("vision",), made, ("vision",)
    with hire(cluster, *preparation) as workers:
        [(folder, files)] = workers.all(errands.what_is_here, [()])
    assert files == ["model.json", "vision.weights.h5"]
    assert not Path(folder).is_relative_to(TOP)
    # What is not asked for may change; with another C it is the same version.
    made.put("controller", lambda path: path.write_bytes(b"better"), {})
    with hire(cluster, *preparation) as workers:
        kind, sent = workers._kind, []
        workers._ready.clear()
        run = workers._run
        workers._run = lambda function, *rest, **more: (
            sent.append(function.__name__) or run(function, *rest, **more)
        )
        workers.all(errands.what_is_here, [()])
        workers._greet(workers._staff)
        assert sent == ["greet"]
    made.put("vision", lambda path: path.write_bytes(b"better"), {})
    with hire(cluster, *preparation) as workers:
        assert workers._kind != kind


def test_a_worker_that_cannot_write_is_named(cluster, errands, tmp_path):
    made = ModelDirectory(tmp_path / "model")
    made.put("vision", lambda path: path.write_bytes(b"of a full disk"), {})
    [place] = cluster.places[0].glob("dask-scratch-space/worker-*/")
    shutil.rmtree(place / "world-models", ignore_errors=True)
    (place / "world-models").write_text("in the way")
    with (
        pytest.raises(BadInput, match=r"^Worker tcp://127.0.0.1:\d+ cannot work for us \(.*"),
        hire(cluster, errands.read, ("vision",), made, ("vision",)),
    ):
        pass
    (place / "world-models").unlink()


def test_workers_that_are_paused_get_no_work_and_are_not_waited_for_for_ever(cluster, errands):
    with hire(cluster, hang_timeout=3) as workers:
        wait_for(workers, 2)
        one, _ = sorted(workers._staff)

        def let(be: str, *which: str) -> None:
            workers._client.run(errands.become, be, workers=list(which))
            while (len(workers._paused) == 0) != (be == "running"):
                workers._looked = -float("inf")
                workers._look()

        try:
            let("paused", one)
            assert len(set(workers.all(errands.process, [(0,)] * 12))) == 1
            let("paused", *workers._staff)
            with pytest.raises(BadInput, match="has had only paused workers for 3 seconds; more"):
                workers.all(errands.process, [(0,)])
        finally:
            let("running", *workers._staff)
        assert len(workers.all(errands.process, [(0,)] * 6)) == 6


def test_what_is_done_is_not_lost_with_an_error_that_comes_at_the_same_time(cluster, errands):
    done = []
    with hire(cluster) as workers, pytest.raises(BadInput, match="ZeroDivisionError") as refusal:
        for index, _ in workers.each(errands.later, [(0, 1), (0.5, 0), (0.7, 1)], 3):
            done.append(index)
            time.sleep(1.5)
    assert done == [0, 2]
    Path(str(refusal.value).split("traceback is in ")[1].rstrip(".")).unlink()


def test_dask_says_nothing_of_its_own():
    for name in ("distributed.client", "distributed.core", "distributed.gc", "tornado.application"):
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR), name


def test_that_all_live_is_not_doubted_between_two_signs_of_life(cluster):
    with hire(cluster) as workers:
        wait_for(workers, 2)
        for _ in range(3):
            workers._listen(0.001)
            time.sleep(0.05)
        assert workers._silent == set()


def test_a_worker_that_hangs_before_it_is_greeted_is_left_out(cluster, errands, capfd, monkeypatch):
    monkeypatch.setattr("runs.cluster.GREETING", 4)
    cluster.workers[0].send_signal(signal.SIGSTOP)
    try:
        with hire(cluster, errands.make, (3,), hang_timeout=3) as workers:
            assert workers.all(errands.what_is_here, [()] * 4) == [3] * 4
    finally:
        cluster.workers[0].send_signal(signal.SIGCONT)
    assert " hangs. " in capfd.readouterr().err


def test_a_worker_that_is_killed_or_hangs_or_joins_changes_no_result(cluster, errands, capfd):
    by: list[int] = []  # which processes the results came from
    given = 0

    def until_the_third_works():
        nonlocal given
        while len(cluster.workers) < 3 or cluster.workers[2].pid not in by:
            given += 1
            yield (0.05,)

    with hire(cluster, hang_timeout=3) as workers:
        for _, process in workers.each(errands.process, until_the_third_works()):
            by.append(process)
            if len(by) == 4:
                cluster.workers[0].kill()
            if len(by) == 8:
                cluster.add()
        assert len(by) == given
        wait_for(workers, 2)
        by = []
        for _, process in workers.each(errands.process, [(0.05,)] * 20):
            by.append(process)
            if len(by) == 4:
                cluster.workers[1].send_signal(signal.SIGSTOP)
        assert len(by) == 20 and by[-1] == cluster.workers[2].pid
        cluster.workers[1].kill()
        wait_for(workers, 1)
        # Nobody is left for a while.
        cluster.workers[2].kill()
        wait_for(workers, 0)
        cluster.add()
        workers._had_workers -= 100  # as if all that had been long ago
        assert workers.all(errands.process, [(0,)]) == [cluster.workers[3].pid]
    warnings = capfd.readouterr().err.splitlines()
    assert any(" left. " in line for line in warnings)
    assert any(" hangs. " in line for line in warnings)


def test_workers_of_another_version_get_no_work(cluster, errands, tmp_path):
    shutil.copytree(TOP / "runs", tmp_path / "runs")
    with open(tmp_path / "runs" / "quiet.py", "a") as source:
        source.write("# changed\n")
    before = len(cluster.workers)
    cluster.add(PYTHONPATH=str(tmp_path))
    with hire(cluster) as workers:
        pass
    try:
        with (
            hire(cluster, errands.make, (1,)) as workers,
            pytest.raises(BadInput, match=r"has other versions than .* \(the project \w+, not"),
        ):
            while True:  # until it has joined
                workers.all(errands.what_is_here, [()] * 4)
    finally:
        cluster.workers[before].kill()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://somewhere", "nowhere"])
def test_a_wrong_address_is_a_sentence(address):
    with (
        pytest.raises(BadInput, match=f"^No Dask scheduler answers at {address} "),
        Workplace(cluster=address, hang_timeout=1).hire(),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "so"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://localhost:8786", False),
        ("tcp://[::1]:8786", False),
        ("127.0.0.1:8786", False),
        ("tls://10.0.0.1:8786", False),
        ("tcp://10.0.0.1:8786", True),
        ("scheduler:8786", True),
        ("tcp://localhost.example.org:8786", True),
    ],
)
def test_an_address_beyond_this_machine_that_asks_for_no_key_is_known(address, so):
    assert anybody_may_join(address) == so


def test_without_dask_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "runs.cluster", raising=False)
    with pytest.raises(BadInput, match=r"needs Dask, which is not installed .*: pip install"):
        Workplace(cluster="tcp://127.0.0.1:8786").hire()
