"""A file that may be damaged, and what reads it."""

import dataclasses
import functools
import json
from collections.abc import Callable
from pathlib import Path

from runs.directory import ModelDirectory, digest, write_json


@dataclasses.dataclass(frozen=True)
class Target:
    """A file, and what reads it: `read()` gives what can be compared."""

    path: Path
    read: Callable[[], object]
    trusted: Callable[[], None] = lambda: None  # lets the digest of the damaged file be known

    @functools.cached_property
    def before(self) -> object:
        return self.read()


def trust(directory: ModelDirectory, part: str) -> Callable[[], None]:
    """Let `model.json` describe whatever lies there now."""

    def write() -> None:
        described = json.loads(directory.model_json.read_text())
        if part in described:
            described[part]["digest"] = digest(directory.file(part))
            write_json(directory.model_json, described)

    return write
