"""Threads that drive in one batch each get what is theirs. Jobs are numbers of ticks here."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from controller.shared_batch import SharedBatch

import pytest

WORLDS = 3


class Ticking:
    """A rollout function: a job takes as many ticks as it says, and its square is kept of it."""

    def __init__(self):
        self.most = self.drives = self.at_once = 0

    def __call__(self, agent, jobs, worlds):
        self.drives += 1
        self.at_once += 1
        assert self.at_once == 1
        active: dict[int, list[int]] = {}
        while True:
            for number, job in itertools.islice(jobs, worlds - len(active)):
                active[number] = [job, job]
            if not active:
                break
            self.most = max(self.most, len(active))
            time.sleep(0.001)
            for number, (left, job) in list(active.items()):
                if job < 0:
                    self.at_once -= 1
                    raise ValueError("no such job")
                active[number][0] -= 1
                if left <= 1:
                    del active[number]
                    yield number, job**2
        self.at_once -= 1


@pytest.fixture
def rollout():
    return Ticking()


@pytest.fixture
def batch(rollout):
    return SharedBatch(None, rollout, WORLDS, threading.Lock())


def test_every_thread_gets_what_is_kept_of_its_jobs(batch, rollout):
    brought = [[n % 5 + 1, n] for n in range(20)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(batch.drive, brought)) == [[a**2, b**2] for a, b in brought]
    assert rollout.most == WORLDS
    assert rollout.at_once == 0
    assert batch.drive([7]) == [49]


def test_a_thread_leaves_when_its_jobs_are_over_though_others_drive_on(batch):
    with ThreadPoolExecutor(2) as threads:
        long = threads.submit(batch.drive, [2000])
        assert threads.submit(batch.drive, [2, 3]).result(60) == [4, 9]
        assert not long.done()
        # Whoever drives for all is relieved by one who waits.
        assert long.result(60) == [2000**2]


def test_where_driving_fails_all_hear_of_it_and_the_next_begin_anew(batch):
    with ThreadPoolExecutor(3) as threads:
        drives = [threads.submit(batch.drive, [job]) for job in (500, 500, -1)]
        for drive in drives:
            with pytest.raises(ValueError, match="no such job"):
                drive.result(60)
    assert batch.drive([3]) == [9]


def test_batches_of_one_agent_take_turns(rollout):
    turn = threading.Lock()
    batches = [SharedBatch(None, rollout, WORLDS, turn) for _ in range(2)]
    with ThreadPoolExecutor(4) as threads:
        drives = [threads.submit(batches[n % 2].drive, [n]) for n in range(1, 9)]
        assert [drive.result(60) for drive in drives] == [[n**2] for n in range(1, 9)]
    assert rollout.drives >= 2 and not turn.locked()
