"""Records of one kind in a CSV that any program reads: a row for each, a column for each field."""

import csv
import dataclasses
import math
import types
import typing
from pathlib import Path
from typing import Any

from runs import aliases
from runs.arguments import BadInput
from runs.directory import require_file, write_whole
from runs.facts import LARGEST_WHOLE

MOST_BYTES = 50e6  # of a file


def write(path: Path, kind: type, records: list) -> None:
    """Write records, dataclasses of one kind, with a line of names above; None is left empty."""
    with write_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(kind)])
        writer.writeheader()
        writer.writerows(map(dataclasses.asdict, records))


def read(path: Path, kind: type, advice: str = "remove it") -> list:
    """The records of a file, none if there is no file.

    Columns may be missing whose field has a default: the file is from before they were there.
    Raises `BadInput`, with the advice, when it cannot be read or a number in it is none.
    """
    if not require_file(path, MOST_BYTES).exists():
        return []
    types_of = typing.get_type_hints(kind)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = map(aliases.renamed, csv.DictReader(file))
            return [
                kind(**{name: _value(types_of[name], text) for name, text in row.items()})
                for row in rows
            ]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as problem:
        raise BadInput(f"{path} cannot be read ({problem!r}); {advice}.") from None


def _value(kind: Any, text: str) -> Any:
    """What a cell holds: a number of this kind; nothing where the kind allows that."""
    if isinstance(kind, types.UnionType):
        [kind] = [member for member in typing.get_args(kind) if member is not types.NoneType]
        if text == "":
            return None
    value = kind(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise ValueError(f"{text[:20]}… is too large")
    return value
