"""Progress bars with rate and time left."""

import sys

from tqdm import tqdm


def bar(total: int, unit: str, *, done: int = 0, what: str = "") -> tqdm:
    """A progress bar over `total` units of which `done` are done.

    Where nobody watches (a file, a pipe) it writes a line every half a minute.
    """
    watched = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=what or None,
        unit=f" {unit}",
        dynamic_ncols=watched,
        mininterval=0.2 if watched else 30,
        smoothing=0.1,
    )
