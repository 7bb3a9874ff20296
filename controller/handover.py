"""A trained agent of elsewhere becomes the one that a data directory goes on from."""

from rnn.dream import starts
from runs.arguments import BadInput
from runs.directory import ModelDirectory, copy_whole, locked

HISTORY = "controller.csv"
AGENT = ("vision", "rnn", "controller")


def take_over(source: ModelDirectory, target: ModelDirectory) -> None:
    """Copy V, M, C and what belongs to them from `source` to `target`, unless that has a C.

    All parts appear as one, and what `target` has made of them since, or has begun to, stays, so
    that the same command goes on after a kill. Raises `BadInput` when `target` has another V or M,
    or `source` lacks a part.
    """
    digests = {part: source.facts(part)["digest"] for part in AGENT}
    with locked(target.path):
        for part, digest in digests.items():
            if part != "controller" and target.has(part) and target.facts(part)["digest"] != digest:
                raise BadInput(
                    f"{target.path} holds another {part} than {source.path}; choose another "
                    "directory.",
                    options=("data_dir",),
                )
        if target.has("controller") or (target.path / "controller.training.json").exists():
            print(f"Going on from what {target.path} holds already.")
            return
        if (source.path / HISTORY).exists():
            copy_whole(source.path / HISTORY, target.path / HISTORY)
        dreams_begin = ["starts"] if starts.path_in(source).exists() else []
        target.take([*AGENT, *dreams_begin], source)
