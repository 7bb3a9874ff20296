"""What M and the choice of V are worth: for each V the same M and C, scored on the same tracks.

Give directories with a trained V as NAME=MODEL_DIR; those of one name are its seeds:

    python benchmarks/ablations.py --data-dir ablations --episodes data/rollout \\
        VAE=a/models/vae VAE=b/models/vae "VAE-GAN=c/models/vaegan"

For each V it encodes the episodes, trains M, evolves C and scores the agent (03, 04, 05,
evaluate.py), with the same settings for all. For each V of the first name there are two more: a C
that sees z alone, and one whose M was never trained. Writes RES/ablations.md, .json and .png of
whatever is finished after each of them. A stopped run goes on with the same command; directories
that have no V yet are left out, and taken in when the command is given again. Other --episodes need
another --data-dir.
"""

import dataclasses
from pathlib import Path

from controller.report import history
from controller.report.history import Row
from envs import rollouts
from runs import arguments, config, directory
from runs.config import override, setting
from runs.directory import DataDirectory, ModelDirectory
from settings import MAKERS
from settings.driving import Generations, Population, Scoring, Validation
from settings.memory import MemorySteps
from settings.shared import DataDir, Models, Res, Workers

import common
import numpy as np
from ablation_results import (
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ablations(Scoring, Population, Generations, Workers, Res, DataDir, Models):
    """What this script is told; most of it for the scripts that it runs."""

    episodes: Path = setting(
        Path("data/rollout"), "recorded episodes that every M learns from", metavar="DIR"
    )
    memory_steps: int = override(MemorySteps, "steps", default=400)
    batch_size: int = override(MemorySteps, "batch_size", default=50)
    rollouts: int = override(Population, "rollouts", default=1)
    generations: int = override(Generations, "generations", default=16)
    evaluate_every: int = override(Validation, "evaluate_every", default=4)
    drawing: str = override(Scoring, "drawing", default="fast")
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
        dataclasses.replace(trial, without=without)
        for trial in next(iter(groups.values()))
        for without in ("z", "untrained")
    ]
    return [whole[0], *variants[:2], *whole[1:], *variants[2:]]


def make(trial: Trial, options: Ablations) -> None:
    """Train and score an agent in a data directory of its own, unless that is done."""
    data = data_of(trial, options)
    settings = settings_of(trial, options)
    done = data.root / "done.json"
    if done.exists() and directory.read_json(done) == settings:
        print(f"{trial.folder} is finished.", flush=True)
        return
    print(f"{trial.folder}:", flush=True)
    prepare(trial, data, options)
    for command in commands(trial, data, options):
        begun = history.line(data.model(trial.architecture))
        if begun and len(begun) < options.generations:
            # What the generations cost that are there says nothing of those to come.
            (data.root / "cost.json").unlink(missing_ok=True)
        cost = common.run_script(command)
        if command[0] == "05_train_controller.py" and not begun:
            directory.write_json(data.root / "cost.json", cost)
    directory.write_json(done, settings)


def data_of(trial: Trial, options: Ablations) -> DataDirectory:
    return DataDirectory(options.data_dir / trial.folder)


def settings_of(trial: Trial, options: Ablations) -> dict:
    names = ("memory_steps", "batch_size", "population", "rollouts", "generations", "sigma")
    names += ("evaluate_every", "tracks", "drawing")
    chosen = {name: getattr(options, name) for name in names}
    recorded = rollouts.fingerprint(rollouts.paths(options.episodes))
    return {**chosen, "episodes": recorded, "vision": trial.vision.facts("vision")["digest"]}


def prepare(trial: Trial, data: DataDirectory, options: Ablations) -> None:
    """Give a data directory the episodes and the V of a trial."""
    data.root.mkdir(parents=True, exist_ok=True)
    data.rollout.unlink(missing_ok=True)
    data.rollout.symlink_to(options.episodes.resolve())
    # The latents are those of the whole agent, whatever is left out of this one.
    latents = data_of(dataclasses.replace(trial, without=""), options).root / "series"
    if trial.without and not (data.root / "series").exists():
        latents.mkdir(parents=True, exist_ok=True)
        (data.root / "series").symlink_to(latents.resolve())
    facts, model = trial.vision.facts("vision"), data.model(trial.architecture)
    if not model.has("vision") or model.facts("vision")["digest"] != facts["digest"]:
        model.take(["vision"], trial.vision)


def commands(trial: Trial, data: DataDirectory, options: Ablations) -> list[list[str]]:
    """The scripts that make and score an agent, with their arguments, in their order."""
    place = ["--data-dir", data.root, "--vision", trial.architecture]
    drawn = [*place, "--res", data.root / "res"]
    steps = 0 if trial.without == "untrained" else options.memory_steps
    memory = [
        ["03_generate_rnn_data.py", *place],
        ["04_train_rnn.py", *drawn, "--steps", steps, "--batch-size", options.batch_size]
        + ["--seed", trial.number],
    ]
    evolution = ["05_train_controller.py", *drawn, "--seed", trial.number]
    for name in ("population", "rollouts", "generations", "sigma", "evaluate_every"):
        evolution += [f"--{name.replace('_', '-')}", getattr(options, name)]
    evolution += ["--worlds", 64, "--workers", options.workers]
    evolution += ["--sees", "z" if trial.without == "z" else "zh"]
    agent = f"{trial.name}={data.model(trial.architecture).path}"
    scoring = ["evaluate.py", agent, "--res", data.root / "res"]
    scoring += ["--tracks", options.tracks, "--drawing", options.drawing]
    scoring += ["--workers", options.workers, "--scores-only"]
    listed = [*([] if trial.without == "z" else memory), evolution, scoring]
    return [list(map(str, command)) for command in listed]


def result(trial: Trial, options: Ablations) -> Result | None:
    """What a trial left with these settings; None while it is not finished."""
    data = data_of(trial, options)
    done = data.root / "done.json"
    if not done.exists() or directory.read_json(done) != settings_of(trial, options):
        return None
    kind = "scores" if options.drawing == "stock" else "scores_fast"
    [score] = directory.read_json(data.root / "res" / f"{kind}.json").values()
    rows = history.line(data.model(trial.architecture))
    scores = np.array([episode["score"] for episode in score["episodes"]])
    return Result(trial, scores, rows, core_hours(rows, data.root / "cost.json"))


def core_hours(rows: list[Row], cost_file: Path) -> np.ndarray:
    """Core-hours to the end of each generation: processor time, which other work hardly changes.

    The whole evolution's is told when it ran in one go, and each generation has its share by its
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
    content = {
        "settings": settings_of(results[0].trial, options) | {"vision": None},
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
    text = table(scores, drawn) + "\n" + trainings(results, generations, hours) + notes(options)
    directory.write_text(options.res / "ablations.md", text)
    picture(options.res / "ablations.png", groups, drawn)


def notes(options: Ablations) -> str:
    drawing = {"stock": "stock CarRacing-v3", "fast": "CarRacing's fast drawing"}[options.drawing]
    return (
        f"\nScores: {options.tracks} evaluation tracks of {drawing}, the same for all, of the mean "
        "with the best validation. Intervals: bootstrap over tracks and trainings; of a single "
        "training over tracks only, which says nothing of another one. Validation: the best so far "
        "of the distribution's means on 16 tracks. Core-hours: processor time of the evolution, "
        "start and film included; data, V and M are not counted; an agent that cost less in all "
        f"shows what it reached. M: {options.memory_steps} steps of "
        f"{options.batch_size} sequences. C: {options.generations} generations of "
        f"{options.population} candidates on {options.rollouts} track(s).\n"
    )


if __name__ == "__main__":
    arguments.run(main, makers=MAKERS)
