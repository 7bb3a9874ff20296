"""TensorFlow without its greetings: import this module before TensorFlow or Keras.

TensorFlow's libraries greet on stderr while they load, before any setting of theirs is read, and
would hide the one line that a user must read. What they write is shown if they fail.
"""

import contextlib
import ctypes
import os
import signal
import tempfile
from collections.abc import Callable, Iterator

from runs.arguments import refuse
from runs.platform_check import CPUINFO, lacks_avx, processor_flags
from runs.processors import cores


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Show what this process and its libraries write to stderr only if they fail."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as written:

        def show() -> None:
            os.lseek(written.fileno(), 0, os.SEEK_SET)
            os.write(kept, os.read(written.fileno(), 2**20))

        os.dup2(written.fileno(), 2)
        try:
            with _before_abort(show):
                yield
        except Exception:
            show()
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def _before_abort(show: Callable[[], None]) -> Iterator[None]:
    """Call `show` when a library aborts this process.

    A handler of Python's would wait for the library to return, so it is one of C's.
    """
    if os.name != "posix":
        yield
        return
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: show())
    handle = ctypes.CDLL(None).signal
    handle.argtypes, handle.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    before = handle(signal.SIGABRT, ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield
    finally:
        handle(signal.SIGABRT, before)


def _limit_threads(threads: int) -> None:
    """TensorFlow by itself counts the machine's processors, whatever a container leaves of them."""
    if "TF_NUM_INTRAOP_THREADS" in os.environ:
        return  # TensorFlow's own word for it, which the user has spoken.
    # A program that has begun to use TensorFlow keeps the threads it has.
    with contextlib.suppress(RuntimeError):
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)


if sentence := lacks_avx(processor_flags(CPUINFO)):
    refuse(sentence)

with _silence():
    import tensorflow

_limit_threads(cores())
