"""What M and the choice of V are worth: for each V the same M and C, scored on the same tracks.

Give directories with a trained V as NAME=MODEL_DIR; those of one name are its seeds:

    python benchmarks/ablations.py --data-dir ablations --episodes data/rollout \\
        VAE=a/models/vae VAE=b/models/vae "VAE-GAN=c/models/vaegan"

For each V it follows recipes/ablations/whole.toml: encodes the episodes, trains M, evolves C and
scores the agent. For each V of the first name there are two more recipes: a C that sees z alone
(z-alone.toml), and one whose M was never trained (m-untrained.toml). Writes RES/ablations.md, .json
and .png of whatever is finished after each of them. A stopped run goes on with the same command;
directories that have no V yet are left out, and taken in when the command is given again. Other
--episodes, or other --recipes, need another --data-dir.
"""

import dataclasses
from pathlib import Path

from controller.report import history
from controller.report.history import Row
from envs import rollouts
from runs import aliases, arguments, config, directory, recipe
from runs.config import setting
from runs.directory import DataDirectory, ModelDirectory
from runs.recipe import Stage
from settings import MAKERS, STEPS
from settings.driving import TrainController
from settings.shared import DataDir, Models, Res, WorkerCount

import common
import numpy as np
from ablation_results import (
    VARIANTS,
    Result,
    Trial,
    equal_generations,
    grouped,
    picture,
    reached,
    resampled,
    table,
    trainings,
)

OF_C = ("population", "rollouts", "generations", "sigma", "evaluate_every")
OF_THE_SCORE = ("tracks", "rendering")
NEEDED = ("04_train_rnn.py", "05_train_controller.py", "evaluate.py")  # the first in whole.toml


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ablations(WorkerCount, Res, DataDir, Models):
    """The settings of this script."""

    episodes: Path = setting(
        Path("data/rollout"), "recorded episodes that every M learns from", metavar="DIR"
    )
    recipes: Path = setting(
        Path("recipes/ablations"), f"directory of {', '.join(VARIANTS)}, each .toml", metavar="DIR"
    )
    report: bool = setting(False, "only write the tables of what is finished")


def main() -> None:
    options = config.parse(Ablations, __doc__)
    rollouts.paths(options.episodes)
    given = [split(words) for words in options.models]
    waiting = [str(model.path) for _, model in given if not model.has("vision")]
    if waiting:
        print(f"No V yet in {', '.join(waiting)}: left out.")
    chosen = [trial for trial in trials(given) if trial.vision.has("vision")]
    if not chosen:
        raise arguments.BadInput("None of these directories has a trained V; run 02_train_vae.py.")
    if not options.report:
        for trial in chosen:
            make(trial, options)
            report(finished(chosen, options), options)
    report(finished(chosen, options), options)
    print((options.res / "ablations.md").read_text(encoding="utf-8"))


def finished(chosen: list[Trial], options: Ablations) -> list[Result]:
    """What there is to report. Raises `BadInput` when that is nothing."""
    results = [found for trial in chosen if (found := result(trial, options))]
    if not results:
        raise arguments.BadInput(f"Nothing in {options.data_dir} is finished; leave out --report.")
    return results


def split(words: str) -> tuple[str, ModelDirectory]:
    """NAME=MODEL_DIR → both."""
    name, _, path = words.partition("=")
    if not name or not path:
        raise arguments.BadInput(f"{words!r} has no name; give NAME=MODEL_DIR.")
    return name, ModelDirectory(path)


def trials(given: list[tuple[str, ModelDirectory]]) -> list[Trial]:
    """Every agent to be made, those first without which a table would say little.

    That is the first V of each name, with the variants of the first name's, then the other seeds,
    then their variants.
    """
    groups: dict[str, list[Trial]] = {}
    for name, model in given:
        members = groups.setdefault(name, [])
        members.append(Trial(model, name, len(members) + 1))
    whole = sorted((one for members in groups.values() for one in members), key=lambda t: t.number)
    variants = [
        dataclasses.replace(trial, recipe=variant)
        for trial in next(iter(groups.values()))
        for variant in list(VARIANTS)[1:]
    ]
    return [whole[0], *variants[:2], *whole[1:], *variants[2:]]


def make(trial: Trial, options: Ablations) -> None:
    """Train and score an agent in a data directory of its own, unless that is done."""
    if is_finished(trial, options):
        print(f"{trial.folder} is finished.", flush=True)
        return
    data, stages = data_of(trial, options), stages_of(trial, options)
    prepare(trial, data, options)
    for number, stage in recipe.Progress(data, stages, trial.number).waiting():
        print(f"{trial.folder}, stage {number}: {stage.script}", flush=True)
        begun = history.line(data.model(trial.architecture))
        cost = common.run_stage(stage)
        if isinstance(stage.settings, TrainController):
            if not begun:
                directory.write_json(data.root / "cost.json", cost)
            elif len(begun) < stage.settings.generations:
                # What the generations of an earlier sitting cost nobody counted.
                (data.root / "cost.json").unlink(missing_ok=True)
    directory.write_json(data.root / "done.json", settings_of(trial, options))


def data_of(trial: Trial, options: Ablations) -> DataDirectory:
    return DataDirectory(options.data_dir / trial.folder)


def stages_of(trial: Trial, options: Ablations) -> list[Stage]:
    """What makes and scores an agent.

    Raises `BadInput` as `recipe.read` does, and where a stage that the figures are of is not
    there once.
    """
    data = data_of(trial, options)
    run = {name: getattr(options, name) for name in ("workers", "cluster", "hang_timeout")}
    run |= {"data_dir": data.root, "res": data.root / "res", "seed": trial.number}
    words = {"vision": trial.architecture, "name": trial.name}
    path = options.recipes / f"{trial.recipe}.toml"
    stages = recipe.read(path, STEPS, run, words)
    scripts = [stage.script for stage in stages]
    for script in NEEDED[0 if trial.recipe == "whole" else 1 :]:
        if (count := scripts.count(script)) != 1:
            raise arguments.BadInput(
                f"{path} has {count} stages of {script}, not one; give other recipes.",
                options=("recipes",),
            )
    return stages


def settings_of(trial: Trial, options: Ablations) -> dict:
    """What the outcome depends on. Those of M, C and the score are the whole agent's for all."""
    whole = stages_of(dataclasses.replace(trial, recipe="whole"), options)
    settings = {stage.script: vars(stage.settings) for stage in whole}
    memory = settings["04_train_rnn.py"]
    return {
        "memory_steps": memory["steps"],
        "batch_size": memory["batch_size"],
        **{name: settings["05_train_controller.py"][name] for name in OF_C},
        **{name: settings["evaluate.py"][name] for name in OF_THE_SCORE},
        "episodes": rollouts.fingerprint(rollouts.paths(options.episodes)),
        "vision": trial.vision.facts("vision")["digest"],
        "stages": [stage.row for stage in stages_of(trial, options)],
    }


def is_finished(trial: Trial, options: Ablations) -> bool:
    done = data_of(trial, options).root / "done.json"
    if not done.exists():
        return False
    found, settings = aliases.renamed(directory.read_json(done)), settings_of(trial, options)
    # Earlier versions had no recipes, and no stages in this file.
    return {"stages": settings["stages"]} | found == settings


def prepare(trial: Trial, data: DataDirectory, options: Ablations) -> None:
    """Give a data directory the episodes and the V of a trial.

    Raises `BadInput` when it was begun with others.
    """
    data.root.mkdir(parents=True, exist_ok=True)
    begun, settings = data.root / "begun.json", settings_of(trial, options)
    if begun.exists() and directory.read_json(begun) != settings:
        raise arguments.BadInput(
            f"{data.root} was begun with other episodes, another V or another recipe; choose "
            "another directory.",
            options=("data_dir",),
        )
    directory.write_json(begun, settings)
    data.rollout.unlink(missing_ok=True)
    data.rollout.symlink_to(options.episodes.resolve())
    # The latents are those of the whole agent, whatever is left out of this one.
    latents = data_of(dataclasses.replace(trial, recipe="whole"), options).root / "series"
    if trial.recipe != "whole" and not (data.root / "series").exists():
        latents.mkdir(parents=True, exist_ok=True)
        (data.root / "series").symlink_to(latents.resolve())
    facts, model = trial.vision.facts("vision"), data.model(trial.architecture)
    if not model.has("vision") or model.facts("vision")["digest"] != facts["digest"]:
        model.take(["vision"], trial.vision)


def result(trial: Trial, options: Ablations) -> Result | None:
    """What a trial left with these settings; None while it is not finished."""
    if not is_finished(trial, options):
        return None
    data, rendering = data_of(trial, options), settings_of(trial, options)["rendering"]
    kind = "scores" if rendering == "stock" else "scores_fast"
    [score] = directory.read_json(data.root / "res" / f"{kind}.json").values()
    rows = history.line(data.model(trial.architecture))
    scores = np.array([episode["score"] for episode in score["episodes"]])
    return Result(trial, scores, rows, core_hours(rows, data.root / "cost.json"))


def core_hours(rows: list[Row], cost_file: Path) -> np.ndarray:
    """Core-hours to the end of each generation: processor time, which other work hardly changes.

    The whole evolution's is known when it ran in one go, and each generation has its share by its
    steps. Otherwise the clock has to do.
    """
    if not cost_file.exists():
        return history.core_hours(rows)
    steps = np.cumsum([row.steps for row in rows])
    return directory.read_json(cost_file)["cpu_s"] / 3600 * steps / steps[-1]


def report(results: list[Result], options: Ablations) -> None:
    """Write the tables, the figures behind them and the picture of all finished trials."""
    groups = grouped(results)
    scores = {name: np.array([one.scores for one in found]) for name, found in groups.items()}
    drawn = resampled(scores)
    generations = min(len(one.rows) for one in results)
    # What the first agents cost: one that cannot drive at all costs little, and bounds nobody.
    hours = min(one.hours[-1] for one in next(iter(groups.values())))
    settings = settings_of(results[0].trial, options) | {"vision": None}
    content = {
        "settings": settings,
        "generations": generations,
        "core_hours": hours,
        "trainings": [
            {
                "name": one.trial.name,
                "number": one.trial.number,
                "scores": one.scores.tolist(),
                "at_equal_generations": equal_generations(one, generations),
                "at_equal_core_hours": reached(one.rows, one.hours, hours),
                "core_hours": one.hours[-1],
                "steps": sum(row.steps for row in one.rows),
            }
            for one in results
        ],
    }
    directory.write_json(options.res / "ablations.json", content)
    text = table(scores, drawn) + "\n" + trainings(results, generations, hours) + notes(settings)
    directory.write_text(options.res / "ablations.md", text)
    picture(options.res / "ablations.png", groups, drawn)


def notes(settings: dict) -> str:
    worlds = {"stock": "stock CarRacing-v3", "fast": "CarRacing's fast rendering"}
    return (
        f"\nScores: {settings['tracks']} evaluation tracks of {worlds[settings['rendering']]}, the "
        "same for all, of the mean with the best validation. Intervals: bootstrap over tracks and "
        "trainings; of a single training over tracks only, which says nothing of another one. "
        "Validation: the best so far of the distribution's means on 16 tracks. Core-hours: "
        "processor time of the evolution, start and video included; data, V and M are not counted; "
        "an agent that cost less in all shows what it reached. "
        f"M: {settings['memory_steps']} steps of {settings['batch_size']} sequences. "
        f"C: {settings['generations']} generations of {settings['population']} candidates on "
        f"{settings['rollouts']} track(s).\n"
    )


if __name__ == "__main__":
    arguments.run(main, makers=MAKERS)
