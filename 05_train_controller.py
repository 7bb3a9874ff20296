"""Evolve C, a linear policy on what V sees and M remembers, with CMA-ES.

Writes DIR/models/VISION/controller.weights.h5 (the best mean of the distribution so far) and
controller.csv (a row per generation), and RES/VISION_controller_curve.png and RES/VISION.gif. A
stopped evolution goes on with the same command, and with more --generations; --finetune starts a
new one, with other numbers, from the best mean of a finished one, also when M was fine-tuned
since (scores with another M or on other --validation-tracks are not compared).

With --dream the candidates drive in M's dream, and only the mean's scores come from the world.
The agent of each temperature is DIR/models/VISION-dream-TEMPERATURE; RES/VISION_dream_curve.png
and RES/VISION_dream.md show its scores in both worlds.

With --sees z, C acts on what V sees alone: M is neither needed nor run.
"""

import contextlib
import dataclasses
from pathlib import Path

from runs import config
from settings import MAKERS
from settings.driving import TrainController

if __name__ == "__main__":
    given = config.parse(TrainController, __doc__)  # before the imports below

from controller import arch
from controller.agent import Agent
from controller.dream import history as dream_history
from controller.dream.elsewhere import DreamsElsewhere
from controller.dream.rollout import DreamEvaluator, DreamRollout, Ensemble
from controller.dream.run import DreamRun, adopt
from controller.evolution.run import EvolutionRun
from controller.fleet import Fleet
from controller.handover import take_over
from controller.report import video
from controller.run import Run, generations
from rnn.dream.dynamics import Dream
from runs import arguments, device, directory


def main(settings: TrainController) -> None:
    # C drives in workers, which have no GPU.
    precision = device.precision(settings.precision, device.read_processors())
    settings = dataclasses.replace(settings, precision=precision)
    data = directory.DataDirectory(settings.data_dir)
    if settings.from_agent:
        take_over(directory.ModelDirectory(settings.from_agent), data.model(settings.vision))
    if settings.in_dreams:
        evolve_in_dreams(data, settings)
    else:
        evolve_in_the_world(data.model(settings.vision), settings)


def evolve_in_the_world(
    model_directory: directory.ModelDirectory, settings: TrainController
) -> None:
    agent = Agent(model_directory, sees=settings.sees)
    bound = arch.evolved_on(model_directory, settings.sees)
    with directory.locked(model_directory.path):
        run = EvolutionRun(model_directory, agent.features, settings, bound)
        evolve(run, settings)
        best = arch.load(model_directory, agent.features)
    print(video.results(settings.res, settings.vision, run.rows, agent, best, settings.patience))


def evolve_in_dreams(data: directory.DataDirectory, settings: TrainController) -> None:
    pairs = {}
    for temperature in settings.temperatures or [settings.temperature]:
        settings = dataclasses.replace(settings, temperature=temperature)
        model_directory = data.model(f"{settings.vision}-dream-{temperature:g}")
        with directory.locked(model_directory.path), contextlib.ExitStack() as hired:
            adopt(data.model(settings.vision), model_directory)
            dream = Dream(model_directory, temperature, settings.dream_start)
            others = [of_the_same_vision(path, dream, settings) for path in settings.also]
            dreams = Ensemble([dreamt(one, settings, hired) for one in (dream, *others)])
            bound = arch.evolved_on(model_directory, settings.sees)
            bound |= {"also": [other.memory.digest for other in others]}
            run = DreamRun(model_directory, dreams, settings, bound)
            evolve(run, settings)
        pairs[temperature] = run.pairs

    curve = settings.res / f"{settings.vision}_dream_curve.png"
    dream_history.curve(curve, pairs, f"C evolved in the dream, {settings.vision}")
    table = settings.res / f"{settings.vision}_dream.md"
    dream_history.write_table(table, pairs)
    print(f"{table}, {curve}\n{table.read_text(encoding='utf-8')}")


def of_the_same_vision(path: Path, dream: Dream, settings: TrainController) -> Dream:
    """The dream of the M of another model directory."""
    other = directory.ModelDirectory(path)
    if other.facts("vision")["digest"] != dream.directory.facts("vision")["digest"]:
        raise arguments.BadInput(f"{path} has another V; leave it out of --also.")
    return Dream(other, settings.temperature, settings.dream_start)


def dreamt(dream: Dream, settings: TrainController, hired: contextlib.ExitStack) -> DreamEvaluator:
    """Where candidates drive in a dream: here, in a graph that uses all processors, or away."""
    if settings.cluster is None:
        return DreamRollout(dream, settings.dream_steps)
    away = DreamsElsewhere(settings.place, dream, settings.dream_start, settings.dream_steps)
    return hired.enter_context(away)


def evolve(run: Run, settings: TrainController) -> None:
    if run.training.is_over:
        print(run.training.nothing_to_do())
        return
    fleet = Fleet(
        run.directory,
        settings.precision,
        settings.place,
        settings.worlds,
        settings.sees,
    )
    generations(run, fleet)


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
