"""What run_recipe.py is told."""

import dataclasses
from pathlib import Path

from runs.config import REQUIRED, setting
from settings.shared import DataDir, Devices, Res, Seed, SharedDisk, WorkerCount


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRecipe(SharedDisk, WorkerCount, Devices, Res, Seed, DataDir):
    """What run_recipe.py is told."""

    recipe: Path = setting(REQUIRED, "file of the recipe", metavar="RECIPE")
