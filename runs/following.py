"""A script that another process has started for its own ends ends with it.

Else it would go on alone when only that process is killed, and keep others from its directory.
"""

import os
import signal
import sys
import threading
import time
from subprocess import CompletedProcess, run

LEADER = "WORLD_MODELS_LEADER"  # the process that a script ends with
EVERY = 1.0  # seconds between two looks
GRACE = 10.0  # seconds from an interrupt to the end


def lead(command: list[str]) -> CompletedProcess:
    """Run a command that ends when this process does."""
    return run(command, env={**os.environ, LEADER: str(os.getpid())})


def follow() -> None:
    """End this process, as Ctrl-C does, when the one that leads it has ended; if one does."""
    leader = os.environ.pop(LEADER, None)
    if leader is not None and sys.platform != "win32":
        threading.Thread(target=_watch, args=(int(leader),), daemon=True).start()


def _watch(leader: int) -> None:
    while os.getppid() == leader:
        time.sleep(EVERY)
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGTERM)  # It does not hear of interrupts.
