"""The settings of run_recipe.py."""

import dataclasses
from pathlib import Path

from runs.config import REQUIRED, setting
from settings.shared import DataDir, Devices, Res, Seed, SharedDisk, WorkerCount


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRecipe(SharedDisk, WorkerCount, Devices, Res, Seed, DataDir):
    """The settings of run_recipe.py."""

    recipe: Path = setting(REQUIRED, "file of the recipe", metavar="RECIPE")
