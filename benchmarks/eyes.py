"""Which eyes drive better: a recipe of recipes/eyes/ for each V, whole trainings of V, M and C.

    python run_recipe.py recipes/recordings.toml --data-dir eyes/learned
    python run_recipe.py recipes/recordings.toml --data-dir eyes/unseen --seed 2
    python benchmarks/eyes.py recipes/eyes/vae.toml recipes/eyes/repaired.toml --seeds 8

Every recipe is followed with every seed, in DIR/RECIPE-SEED, all of them first with seed 1. What a
training leaves is a small file for each of its parts, so that no work is lost with DIR:

    RECORD/visions/   held-out losses by epoch, and whether they were flat at the end
    RECORD/measures/  what V keeps of unseen episodes, as in evaluate_vision.py
    RECORD/drives/    scores by generation, and in the end on 100 tracks

From these alone the report is made: RECORD/eyes.md, eyes.json and eyes.png. A stopped run goes on
with the same command; several may run at once on different recipes. --part plan tells what is done
and what the rest will cost.
"""

import dataclasses
import functools
from pathlib import Path

import vae
from envs import rollouts
from runs import arguments, config, recipe
from runs.arguments import BadInput
from runs.config import REQUIRED, override, setting
from runs.directory import DataDirectory, ModelDirectory
from runs.recipe import Stage
from settings import MAKERS, STEPS
from settings.shared import DataDir, WorkerCount
from settings.vision import Sparse, TrainVision
from vae import compare, frames

import common
import eyes_plan
import eyes_record
import eyes_report
from eyes_record import EyesTraining, TrainingRecord

WHAT = ("all", *eyes_record.PARTS, "report", "plan")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Eyes(Sparse, WorkerCount, DataDir):
    """The settings of this script."""

    data_dir: Path = override(DataDir, "data_dir", default=Path("eyes"))
    recipes: tuple[Path, ...] = setting(REQUIRED, "a row of the table each", metavar="RECIPE")
    record: Path = setting(
        Path("res/published/eyes"), "directory of the small files", metavar="RECORD", folder=True
    )
    seeds: int = setting(3, "trainings of each row", least=1, most=999)
    part: str = setting("all", "what to make of each training", choices=WHAT)
    unsettled: bool = setting(
        False, "train further seeds also where the losses of the first V were not flat at its end"
    )

    @property
    def learned(self) -> Path:
        """The episodes that every training learns from."""
        return DataDirectory(self.data_dir / "learned").rollout

    @property
    def unseen(self) -> Path:
        """The episodes that every V is measured on."""
        return DataDirectory(self.data_dir / "unseen").rollout


def main() -> None:
    options = config.parse(Eyes, __doc__)
    trainings = [EyesTraining(path, seed) for seed in seeds(options) for path in options.recipes]
    if options.part == "plan":
        print(eyes_plan.table([planned(one, options) for one in trainings]))
        return
    if options.part != "report":
        for one in trainings:
            make(one, options)
    print(eyes_report.write(options.record))


def seeds(options: Eyes) -> range:
    return range(1, options.seeds + 1)


def make(one: EyesTraining, options: Eyes) -> None:
    """Whatever is asked for of one training and not on record yet."""
    stages = stages_of(one, options)
    record = TrainingRecord(options.record, one, stages)
    wanted = [part for part in eyes_record.PARTS if options.part in ("all", part)]
    missing = [part for part in wanted if not record.has(part)]
    if not missing:
        print(f"{one.name} is finished.", flush=True)
        return
    if one.seed > 1 and not options.unsettled and not record.of_the_first().is_settled():
        print(f"{one.name}: left out, as {one.row}-1 is not on record as flat at its end.")
        return
    model = follow(one, stages[:1], options)
    record.put("visions", eyes_record.vision_record(model))
    if "measures" in missing:
        sums = compare.sums(
            vae.load(model), *episodes(options.learned, options.unseen, options.every)
        )
        record.put("measures", eyes_record.measured(sums))
    if "drives" in missing:
        follow(one, stages, options)
        record.put("drives", eyes_record.driven(model, place(one, options).root / "res"))
    eyes_report.write(options.record)


def planned(one: EyesTraining, options: Eyes) -> eyes_plan.Planned:
    stages = stages_of(one, options)
    model = model_of(one, stages, options)
    given = vars(stages[0].settings)
    batches = max(1, frames_of(options.learned, given["frame_stride"]) // given["batch_size"])
    return eyes_plan.Planned(
        TrainingRecord(options.record, one, stages), model, given["epochs"], batches
    )


@functools.cache
def frames_of(learned: Path, stride: int) -> int:
    """How many frames an epoch of V visits."""
    return frames.count(rollouts.split(rollouts.paths(learned))[0], stride)


def place(one: EyesTraining, options: Eyes) -> DataDirectory:
    return DataDirectory(options.data_dir / one.name)


def model_of(one: EyesTraining, stages: list[Stage], options: Eyes) -> ModelDirectory:
    """Where the first of some stages trains V."""
    name = stages[0].settings.model_name
    assert name  # as `stages_of` asks for a training of V
    return place(one, options).model(name)


def stages_of(one: EyesTraining, options: Eyes) -> list[Stage]:
    """The stages of a training's recipe. Raises `BadInput` when it does not begin with V."""
    data = place(one, options)
    run = {name: getattr(options, name) for name in ("workers", "cluster", "hang_timeout")}
    run |= {"data_dir": data.root, "res": data.root / "res", "seed": one.seed}
    stages = recipe.read(one.recipe, STEPS, run)
    if not isinstance(stages[0].settings, TrainVision) or stages[-1].script != "evaluate.py":
        raise BadInput(f"{one.recipe} does not begin with a training of V and end with a score.")
    return stages


def follow(one: EyesTraining, stages: list[Stage], options: Eyes) -> ModelDirectory:
    """Do what is not done of some stages, and name the directory of the model."""
    data = place(one, options)
    data.root.mkdir(parents=True, exist_ok=True)
    if not data.rollout.exists():
        data.rollout.symlink_to(options.learned.resolve())
    for number, stage in recipe.Progress(data, stages, one.seed).waiting():
        print(f"{one.name}, stage {number}: {stage.script}", flush=True)
        common.run_stage(stage)
    return model_of(one, stages, options)


@functools.cache
def episodes(learned: Path, unseen: Path, every: int) -> list[list[compare.LabelledFrames]]:
    """Frames of both, with the simulator's truth: kept, as every V is measured on them."""
    paths = rollouts.split(rollouts.paths(learned))[0], rollouts.paths(unseen)
    return [[compare.see(path, every) for path in some] for some in paths]


if __name__ == "__main__":
    arguments.run(main, makers=MAKERS)
