"""Workers that write files, whether they see the folder where those belong or not."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from runs.directory import write_whole
from runs.executor import Workers


def each(
    workers: Workers, function: Callable, folder: Path, tasks: Iterable[tuple], sees_folder: bool
) -> Iterator[tuple[int, Any]]:
    """Yield (index of the task, `function(folder, *task)`), when the files it writes are there.

    Where the workers do not see the folder (`sees_folder`) they write into one of their own, and
    what they wrote comes back with the result.
    """
    if sees_folder:
        there = folder.absolute()  # A worker elsewhere works in another directory.
        yield from workers.each(function, ((there, *task) for task in tasks))
        return
    errands = ((function, *task) for task in tasks)
    for index, (result, files) in workers.each(_in_own_folder, errands):
        for name, content in files.items():
            with write_whole(folder / name) as temporary:
                temporary.write_bytes(content)
        yield index, result


def _in_own_folder(function: Callable, *task) -> tuple[Any, dict[str, bytes]]:
    """What a function returns, and the files that it wrote into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        result = function(Path(folder), *task)
        return result, {path.name: path.read_bytes() for path in Path(folder).iterdir()}
