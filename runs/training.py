"""What resumes: the training of one part of a model directory, over any number of sittings.

A commit is a checkpoint, which appears whole under one of two names that take turns, and then
`PART.training.json`, which names it. So a kill at any moment leaves the commit before.
"""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runs import aliases, config
from runs.arguments import BadInput
from runs.directory import ModelDirectory, digest, read_json, write_json
from runs.facts import is_text, is_whole

AGAIN = ("finetune", "from_scratch")


STATE: dict[str, Callable[[Any], bool]] = {
    "lineage": aliases.are_trainings,
    "stage": is_whole,
    "position": lambda value: isinstance(value, dict),
    "saves": is_whole,
    "finished": lambda value: isinstance(value, bool),
    "checkpoint": lambda value: value is None or is_text(value),
}


class Standing(enum.Enum):
    """Where a training stands when its command is given."""

    NEW = "nothing of it is there"
    UNDER_WAY = "it goes on at its checkpoint"
    OVER = "its result is there"
    FINETUNED_SINCE = "a later training went on from its result"


class Training:
    """One training of a part: a network's, an evolution or a policy gradient.

    `settings` are all that its result depends on. `lineage` are those of the trainings that it
    fine-tunes, one after the other, and its own; `stage` counts the trainings of this part that
    were ever begun in the directory. `position` says how far the last commit was.
    """

    ENDING = ".weights.h5"  # of a checkpoint

    def __init__(
        self,
        directory: ModelDirectory,
        part: str,
        settings: dict[str, Any],
        *,
        from_scratch: bool = False,
        at_any_time: bool = False,
        begun_before: int = 0,
    ):
        """`at_any_time`: an unfinished training may be fine-tuned too, from its best so far.
        `begun_before`: trainings of the part that only its history knows of.

        Raises `BadInput` when the directory holds another training, or a result whose training is
        not on record, unless this one begins from scratch, or fine-tunes that one; and when it
        holds weights that nothing describes.
        """
        self.directory = directory
        self.part = part
        self.settings = settings
        self.state_file = directory.path / f"{part}.training.json"
        self.position: dict[str, Any] = {}
        self.finished = False
        self._from_scratch = from_scratch
        self._at_any_time = at_any_time
        directory.refuse_undescribed(part)
        state = read(directory, part)
        self._saves = state["saves"] if state else 0
        self._digest = state["checkpoint"] if state else None
        # A checkpoint that outlived its training: its command was killed at the very end.
        self._killed_at_the_end = bool(state and state["finished"] and self._drop_checkpoints())
        self.stage = state["stage"] if state else begun_before
        before = state["lineage"] if state else []
        self.standing = self._stands(state, before)
        if self.standing is Standing.NEW:
            self.lineage = [*(before if settings.get("finetune") else []), settings]
            self.stage += 1
        else:
            assert state
            self.lineage = before
            self.position, self.finished = state["position"], state["finished"]

    def _stands(self, state: dict[str, Any] | None, before: list[dict]) -> Standing:
        if not state:
            self._refuse_to_overwrite_what_was_given()
            return Standing.NEW
        if state["finished"] and not self.directory.has(self.part):
            return Standing.NEW  # What it had made was removed: it is made anew.
        if before[-1] == self.settings:
            if not state["finished"]:
                # Also where it was begun from scratch: the same command goes on after a kill.
                return Standing.UNDER_WAY
            anew = self._from_scratch and not self._killed_at_the_end
            return Standing.NEW if anew else Standing.OVER
        if self._from_scratch:
            return Standing.NEW
        if self.settings in before:
            return Standing.FINETUNED_SINCE
        if self.settings.get("finetune") and (state["finished"] or self._at_any_time):
            return Standing.NEW
        raise BadInput(
            f"{self.directory.path} holds a training of its {self.part} with other settings "
            f"({config.differences(before[-1], self.settings)}): give the same, fine-tune its "
            "result or begin from scratch.",
            options=AGAIN,
        )

    def _refuse_to_overwrite_what_was_given(self) -> None:
        if self._from_scratch or self.settings.get("finetune"):
            return
        if self.directory.has(self.part):
            raise BadInput(
                f"{self.directory.path} holds a trained {self.part} and no record of its training "
                f"({self.state_file.name}): fine-tune it or begin from scratch.",
                options=AGAIN,
            )

    @property
    def is_over(self) -> bool:
        return self.standing in (Standing.OVER, Standing.FINETUNED_SINCE)

    def nothing_to_do(self) -> str:
        """What there is to say of a training that is over."""
        if self.standing is Standing.FINETUNED_SINCE:
            return (
                f"This training of the {self.part} is over and was fine-tuned since; nothing to do."
            )
        return f"{self.directory.weights(self.part)} is trained; nothing to do."

    def checkpoint(self) -> Path:
        """The checkpoint of the last commit. Raises `BadInput` when it is not what was written."""
        path = self._file()
        if not path.exists() or self._digest not in (None, digest(path)):
            raise BadInput(f"{path} is not the checkpoint of {self.state_file}; remove both.")
        return path

    def torn(self) -> BadInput:
        """What is raised when the state says what no training does."""
        return BadInput(f"{self.state_file} is not the state of a training; remove it.")

    def commit(self, write: Callable[[Path], None], **position: Any) -> None:
        """Let the training resume here: `write` makes the checkpoint's file, whole."""
        self._saves += 1
        self.position = position
        write(self._file())
        self._digest = digest(self._file())
        self._describe()

    def finish(self) -> None:
        """Mark the training as over and drop its checkpoints, which nobody needs any more."""
        self.finished = True
        self._describe()
        self._drop_checkpoints()

    def _drop_checkpoints(self) -> bool:
        """Remove what checkpoints are there; whether there was one."""
        there = [path for path in map(self._file, (0, 1)) if path.exists()]
        for path in there:
            path.unlink(missing_ok=True)
        return bool(there)

    def _file(self, turn: int | None = None) -> Path:
        turn = self._saves % 2 if turn is None else turn
        return self.directory.path / f"{self.part}.training{turn}{self.ENDING}"

    def _describe(self) -> None:
        state = {
            "lineage": self.lineage,
            "stage": self.stage,
            "position": self.position,
            "saves": self._saves,
            "finished": self.finished,
            "checkpoint": self._digest,
        }
        assert state.keys() == STATE.keys()
        write_json(self.state_file, state)


def read(directory: ModelDirectory, part: str) -> dict[str, Any] | None:
    """What is on record of a part's training; None if nothing is. Raises `BadInput` if torn."""
    path = directory.path / f"{part}.training.json"
    if not path.exists():
        return None
    state = aliases.training_state(read_json(path))
    if state.keys() != STATE.keys() or not all(fits(state[name]) for name, fits in STATE.items()):
        raise BadInput(f"{path} is not the state of a training; remove it.")
    return state | {"lineage": [aliases.completed(part, saved) for saved in state["lineage"]]}
