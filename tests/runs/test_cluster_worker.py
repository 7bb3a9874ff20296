import collections
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from runs import preparation
from runs.directory import ModelDirectory

import pytest

pytest.importorskip("distributed")

from runs import cluster_worker

reading = threading.Event()


def read_slowly(directory: ModelDirectory) -> bytes:
    reading.set()
    time.sleep(0.5)
    return directory.file("vision").read_bytes()


def test_a_worker_s_files_stay_while_they_are_read(tmp_path, monkeypatch):

    monkeypatch.setattr(cluster_worker, "_kinds", collections.OrderedDict())
    worker = SimpleNamespace(local_directory=tmp_path)
    pickled, files = pickle.dumps((read_slowly, ())), {"vision.weights.h5": b"weights"}
    cluster_worker.keep("first", pickled, files, worker)
    with ThreadPoolExecutor(1) as thread:
        task = pickle.dumps((preparation.here, ()))
        made = thread.submit(cluster_worker.work, "first", False, task)
        reading.wait()
        for kind in ("first", "second", "third", "fourth", "fifth"):
            assert cluster_worker.keep(kind, pickled, files, worker) is None
        assert made.result() == b"weights"
    kept = sorted(path.name for path in (tmp_path / "world-models").iterdir())
    assert kept == ["fifth", "fourth", "second", "third"]
