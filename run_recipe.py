"""Run a recipe: scripts with their settings, one after the other, as a file in recipes/ says.

A stopped run goes on with the same command: stages that are over are not begun again, and the one
that was under way goes on where it was. Another seed, or another recipe, needs another --data-dir.
"""

import sys
from pathlib import Path

from runs import arguments, config, recipe
from runs.directory import DataDirectory, locked
from runs.following import lead
from settings import MAKERS, STEPS
from settings.recipe import RunRecipe

HERE = Path(__file__).parent


def main(settings: RunRecipe) -> None:
    run = {name: getattr(settings, name) for name in recipe.OF_THE_RUN}
    stages = recipe.read(settings.recipe, STEPS, run)
    data = DataDirectory(settings.data_dir)
    with locked(data.root):
        progress = recipe.Progress(data, stages, settings.seed)
        for number, stage in progress.waiting():
            flags = config.flags(stage.settings)
            print(f"Stage {number} of {len(stages)}: {stage.script} {' '.join(flags)}", flush=True)
            done = lead([sys.executable, str(HERE / stage.script), *flags])
            if done.returncode:
                sys.exit(done.returncode)  # It has said what is wrong.
    print(f"All {len(stages)} stages of {settings.recipe} are done in {data.root}.")


if __name__ == "__main__":
    arguments.run(main, config.parse(RunRecipe, __doc__), makers=MAKERS)
