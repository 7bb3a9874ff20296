"""What the workers of a cluster do in tests; they import it by its name alone."""

import os
import signal
import threading
import time

from runs.arguments import BadInput
from runs.preparation import here

from distributed.core import Status

made = 0
busy = threading.Lock()
all_there = threading.Barrier(3)


def make(number):
    global made
    made += 1
    return number


def read(directory, part):
    return os.getcwd(), sorted(path.name for path in directory.path.iterdir())


def square(number):
    assert made <= 2, "made ready again, though there is but one kind more"
    return number**2 + here()


def what_is_here():
    return here()


def alone(number):
    assert busy.acquire(blocking=False)
    time.sleep(0.05)
    busy.release()
    return number


def side_by_side(number):
    all_there.wait(30)
    return number


def process(seconds):
    time.sleep(seconds)
    return os.getpid()


def later(seconds, divisor):
    time.sleep(seconds)
    return 1 // divisor


def become(status, dask_worker):
    dask_worker.status = Status[status]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(number):
    raise BadInput(f"{number} is bad.")


def fail(number):
    return 1 // number
