"""A trained agent of elsewhere becomes the one that a data directory goes on from."""

from rnn.dream import starts
from runs.arguments import BadInput
from runs.directory import ModelDirectory, copy_whole, locked

HISTORY = "controller.csv"


def take_over(source: ModelDirectory, target: ModelDirectory) -> None:
    """Copy V, M, C and what belongs to them from `source` to `target`, where that has none.

    What `target` has made of them since stays, so that the same command goes on after a kill.
    Raises `BadInput` when `target` has another V or M, or `source` lacks a part.
    """
    with locked(target.path):
        for part in source.PARTS:
            digest = source.facts(part)["digest"]
            if part != "controller" and target.has(part) and target.facts(part)["digest"] != digest:
                raise BadInput(
                    f"{target.path} holds another {part} than {source.path}; choose another "
                    "directory.",
                    options=("data_dir",),
                )
        for kept in (starts.path_in(source), source.path / HISTORY):
            if kept.exists() and not (target.path / kept.name).exists():
                copy_whole(kept, target.path / kept.name)
        for part in source.PARTS:
            if not target.has(part):
                target.take(part, source)
