"""TensorFlow without its greetings: import this module before TensorFlow or Keras.

TensorFlow's libraries greet on stderr while they load, before any setting of theirs is read, and
would hide the one line that a user must read. Errors are raised as ever.
"""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Send what this process and its libraries write to stderr nowhere."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _silence():
    import tensorflow  # noqa: F401
