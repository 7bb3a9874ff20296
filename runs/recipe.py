"""Recipes: a procedure of many steps as data, run stage by stage and resumed after any kill.

A recipe is a TOML file:

    title = "what comes of it"

    [[stage]]
    step = "02_train_vae.py"        # a script, and any of its settings
    epochs = 2

    [[stage]]
    step = "04_train_rnn.py"
    start_from = "res/published/vae"  # optional: make models/VISION a copy of this agent first
    keep_agent_as = "vae-before"    # optional: copy models/VISION to models/vae-before first
    seed_plus = 100                 # optional: added to the seed of the run
    finetune = true

`{data}` in a text stands for the directory of everything generated. Where that is, where pictures
go, the seed and how many workers and GPUs there are is not the recipe's: a run has them.
"""

import dataclasses
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runs import aliases, config
from runs.arguments import LARGEST_SEED, BadInput
from runs.config import Settings
from runs.directory import DataDirectory, ModelDirectory, read_json, require_file, write_json

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OF_THE_RUN = (
    "data_dir",
    "res",
    "seed",
    "devices",
    "workers",
    "cluster",
    "shared_disk",
    "hang_timeout",
)
STATE = "recipe.json"
MOST_BYTES = 1e6  # of a recipe


@dataclasses.dataclass(frozen=True)
class Stage:
    """A script with its settings; which agent it begins with where there is none; and under which
    name the agent is kept as it was before it."""

    script: str
    settings: Settings
    start_from: Path | None
    keep_agent_as: str | None
    row: dict[str, Any]  # as it stands in the recipe


def read(
    path: Path,
    steps: Mapping[str, type[Settings]],
    run: Mapping[str, Any],
    words: Mapping[str, str] | None = None,
) -> list[Stage]:
    """The stages of a recipe, for scripts of these settings and a run of those of `OF_THE_RUN`.

    `words` are what else stands in braces in its texts, and for what. Raises `BadInput` for a file
    that cannot be read, an unknown step or setting, or a value that is none of a setting's, with
    the number of the stage.
    """
    content = _content(path)
    rows = content.get("stage", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        raise BadInput(f"{path} has no [[stage]].")
    words = {"data": str(run["data_dir"]), **(words or {})}
    return [
        _stage(f"{path}, stage {number}", row, steps, run, words)
        for number, row in enumerate(rows, 1)
    ]


def _content(path: Path) -> dict[str, Any]:
    require_file(path, MOST_BYTES)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise BadInput(f"{path} cannot be read as a recipe ({problem}).") from None
    if unknown := content.keys() - {"title", "stage"}:
        raise BadInput(f"{path}: a recipe has a title and stages, but no {min(unknown)}.")
    return content


def _stage(
    where: str,
    row: dict[str, Any],
    steps: Mapping[str, type[Settings]],
    run: Mapping[str, Any],
    words: Mapping[str, str],
) -> Stage:
    given = {name: _filled(value, words) for name, value in row.items()}
    script, kept = aliases.script(given.pop("step", None)), given.pop("keep_agent_as", None)
    start, plus = given.pop("start_from", None), given.pop("seed_plus", 0)
    if not isinstance(script, str) or script not in steps:
        raise BadInput(f"{where}: step is {script!r}, not one of {', '.join(steps)}.")
    if own := [name for name in OF_THE_RUN if name in given]:
        raise BadInput(f"{where}: {own[0]} is of the run, not of a recipe; leave it out.")
    if kept is not None and not (isinstance(kept, str) and re.fullmatch(r"\w[\w-]{,49}", kept)):
        raise BadInput(f"{where}: keep_agent_as is {kept!r}, not a name of letters and digits.")
    if start is not None and not (isinstance(start, str) and start):
        raise BadInput(f"{where}: start_from is {start!r}, not the directory of an agent.")
    if isinstance(plus, bool) or not isinstance(plus, int) or plus < 0:
        raise BadInput(f"{where}: seed_plus is {plus!r}, not a whole number from 0 up.")
    if run["seed"] + plus > LARGEST_SEED:
        raise BadInput(f"{where}: no seed is above {LARGEST_SEED}; give a lower one.")
    if start is not None and "{data}" not in row["start_from"]:
        _require_agent(where, Path(start))
    of_the_run = {**run, "seed": run["seed"] + plus}
    known = {option.name for option in config.options(steps[script])}
    given |= {name: _plain(value) for name, value in of_the_run.items() if name in known}
    settings = config.from_mapping(steps[script], given, where)
    if (start or kept) and settings.model_name is None:
        raise BadInput(
            f"{where}: {script} works on no agent of the data directory; leave out start_from and "
            "keep_agent_as."
        )
    return Stage(script, settings, Path(start) if start else None, kept, row)


def _require_agent(where: str, path: Path) -> None:
    """Raise `BadInput` where no stage before can make what is missing."""
    try:
        ModelDirectory(path).facts("vision")
    except BadInput as problem:
        raise BadInput(f"{where}: start_from: {problem}", make=problem.make) from None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, words) for one in value]
    if isinstance(value, str):
        for word, meant in words.items():
            value = value.replace(f"{{{word}}}", meant)
    return value


class Progress:
    """Which stages of a data directory are over: `recipe.json` in it.

    Raises `BadInput` when the stages that are over are not the first ones of these.
    """

    def __init__(self, data: DataDirectory, stages: list[Stage], seed: int):
        self.data = data
        self.stages = stages
        self.file = data.root / STATE
        self._done: list[dict] = []
        self._begun: Any = {}  # the stage under way that started from an agent, and the V of that
        if self.file.exists():
            state = read_json(self.file)
            self._done, self._begun = state.get("done", []), state.get("begun", {})
            if not isinstance(self._done, list) or not all(isinstance(r, dict) for r in self._done):
                raise BadInput(f"{self.file} is no list of stages; remove it.")
            asked = [aliases.renamed_stage(stage.row) for stage in stages[: len(self._done)]]
            over = [aliases.renamed_stage(row) for row in self._done[: len(asked)]]
            if state.get("seed") != seed or over != asked:
                raise BadInput(
                    f"{data.root} holds the stages of another recipe or seed ({self.file}); choose "
                    "another directory.",
                    options=("data_dir",),
                )
        self._seed = seed

    def waiting(self) -> Iterator[tuple[int, Stage]]:
        """The stages that are not over, with their numbers from 1; each is over when the next is
        asked for."""
        for number in range(len(self._done), len(self.stages)):
            stage = self.stages[number]
            if name := stage.settings.model_name:
                self._prepare(stage, self.data.model(name))
            yield number + 1, stage
            self._done.append(stage.row)
            self._write({})

    def _prepare(self, stage: Stage, agent: ModelDirectory) -> None:
        """Let a stage begin with the agent that it is to start from, and keep that if asked."""
        if stage.start_from:
            source = ModelDirectory(stage.start_from)
            begun = {"stage": aliases.renamed_stage(stage.row), "vision": _vision(source)}
            copy_agent(source.path, agent.path)
            # A stage that was stopped may have trained V further.
            if self._begun != begun and _vision(agent) != begun["vision"]:
                raise BadInput(
                    f"{agent.path} holds another vision than {source.path}; choose another "
                    "directory.",
                    options=("data_dir",),
                )
            self._write(begun)
        if stage.keep_agent_as:
            copy_agent(agent.path, self.data.model(stage.keep_agent_as).path)

    def _write(self, begun: dict) -> None:
        self._begun = begun
        state = {"seed": self._seed, "done": self._done}
        write_json(self.file, state | ({"begun": begun} if begun else {}))


def _vision(agent: ModelDirectory) -> str:
    """The digest of an agent's V. Raises `BadInput` when it has none."""
    return agent.facts("vision")["digest"]


def copy_agent(source: Path, copy: Path) -> None:
    """Copy a model directory, whole or not at all; a copy that is there stays."""
    if copy.exists():
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    temporary = copy.with_name(f".{copy.name}.copying")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(source, temporary)
    temporary.rename(copy)
