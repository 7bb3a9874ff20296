"""The files of a data directory that somebody reads, and who reads them."""

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import rnn
import vae
from controller import arch
from controller.dream import history as dream_history
from controller.dream import iterate
from controller.evolution.cma_es import Evolution
from controller.policy_gradient.natural_gradient import NaturalPolicyGradient
from controller.report import history
from envs import rollouts
from rnn import series
from rnn.dream import starts
from runs import fitting, recipe, training
from runs.directory import DataDirectory, ModelDirectory, digest, read_json, write_json
from runs.weights import buildable
from settings import STEPS, adversary
from settings.driving import FinetuneController, TrainController

from damageable import Target, trust


def of(data: Path) -> list[Target]:
    """All of them that are there."""
    everything = DataDirectory(data)
    found = list(of_recordings(everything))
    for folder in sorted((data / "models").iterdir()):
        found += of_a_model(ModelDirectory(folder))
    rounds = data / "iterate" / "rounds.json"
    if rounds.exists():
        found.append(Target(rounds, lambda: iterate.read(rounds)))
    found += of_a_recipe(everything)
    return found


def of_recordings(data: DataDirectory) -> Iterator[Target]:
    for path in sorted(data.rollout.glob("*.npz"))[:2]:
        yield Target(path, functools.partial(episode, path))
    for folder in sorted((data.root / "series").glob("*")):
        latents = sorted(folder.glob("*.npz"))[:2]
        for path in latents:
            yield Target(path, functools.partial(series.read, path, 32))
        if latents:
            manifest = folder / series.MANIFEST
            yield Target(manifest, functools.partial(latents_of, data, folder, read_json(manifest)))


def episode(path: Path) -> dict:
    rollouts.length(path)
    rollouts.contents(path)
    return dataclasses.asdict(rollouts.read(path))


def latents_of(data: DataDirectory, folder: Path, before: dict) -> list:
    series.refuse_exchanged(folder, data.rollout)
    return series.paths(folder, 32, before["vision"])


def of_a_model(directory: ModelDirectory) -> Iterator[Target]:
    parts = [part for part in directory.PARTS if directory.has(part)]
    yield Target(directory.model_json, lambda: [facts(directory, part) for part in parts])
    if "rnn" in parts:
        memory = rnn.load(directory)
        starts_file = starts.path_in(directory)
        if starts_file.exists():
            read = functools.partial(read_starts, directory, memory)
            yield Target(starts_file, read, trust(directory, "starts"))
    for part in parts:
        if part != "starts":
            read = functools.partial(numbers, directory, part)
            yield Target(directory.weights(part), read, trust(directory, part))
    for part in ("vision", "rnn", "controller"):
        state = directory.path / f"{part}.training.json"
        if state.exists():
            yield Target(state, functools.partial(state_of, directory, part))
    if (directory.path / "controller.csv").exists():
        yield Target(directory.path / "controller.csv", lambda: history.line(directory))
    if (directory.path / "dream.csv").exists():
        path = directory.path / "dream.csv"
        yield Target(path, functools.partial(dream_history.read, path))
    for path in sorted(directory.path.glob("controller.training?.npz"))[:1]:
        yield Target(path, functools.partial(learner, directory, path), trust_state(directory))


def facts(directory: ModelDirectory, part: str) -> dict:
    """What is read of a part by its names; what nobody reads may say anything."""
    known = directory.facts(part)
    with buildable(known):
        if part == "vision" and known["architecture"] == "vaegan":
            adversary.recipe_of(known)
    read = {"vision": ("architecture", "latent"), "rnn": ("latent", "units", "heads")}
    return {name: known[name] for name in read.get(part, ())}


def numbers(directory: ModelDirectory, part: str) -> list:
    if part == "vision":
        vision = vae.load(directory)
        return [*vision.encoder.get_weights(), *vision.decoder.get_weights()]
    if part == "rnn":
        return rnn.load(directory).network.get_weights()
    arch.policy_inputs(directory)
    return [arch.load(directory, directory.facts("controller")["features"])]


def read_starts(directory: ModelDirectory, memory) -> list:
    found = starts.read(directory, memory, "anywhere")
    return [found.z, found.h, found.c, found.beginnings, found.tile]


def state_of(directory: ModelDirectory, part: str) -> dict:
    """What is on record, read as the training itself reads it."""
    state = training.read(directory, part)
    assert state is not None
    kind: Callable = fitting.NetworkTraining if part != "controller" else training.Training
    found = kind(directory, part, state["lineage"][-1])
    return state | {"nothing to do": found.is_over and found.nothing_to_do()}


def learner(directory: ModelDirectory, path: Path) -> list:
    """The state of what brings C forward, whichever it is."""
    state = read_json(directory.path / "controller.training.json")
    last = state["lineage"][-1]
    known = directory.facts("controller")
    size = arch.size(known["features"])
    if "population" in last:
        names = ("population", "sigma", "seed", "full")
        settings = TrainController(**{name: last[name] for name in names if name in last})
        resumed = Evolution.resume(settings, size, path)
        return [resumed.mean, resumed.returns, resumed.ask()]
    ascent = NaturalPolicyGradient.resume(FinetuneController(), size, path)
    return [ascent.mean, ascent.gradient, ascent.fisher, ascent.generation]


def trust_state(directory: ModelDirectory) -> Callable[[], None]:
    def write() -> None:
        file = directory.path / "controller.training.json"
        state = json.loads(file.read_text())
        path = directory.path / f"controller.training{state['saves'] % 2}.npz"
        write_json(file, state | {"checkpoint": digest(path)})

    return write


def of_a_recipe(data: DataDirectory) -> Iterator[Target]:
    quick = Path(__file__).parent.parent / "recipes" / "quick.toml"
    own, state = data.root / "recipe.toml", data.root / recipe.STATE
    own.write_text(quick.read_text())
    run = {"data_dir": data.root, "res": data.root / "res", "seed": 1, "workers": 1}
    stages = recipe.read(own, STEPS, run)
    write_json(state, {"seed": 1, "done": [stage.row for stage in stages[:3]]})
    yield Target(own, lambda: recipe.read(own, STEPS, run))
    yield Target(
        state, lambda: [number for number, _ in zip(waiting(data, stages), range(1), strict=False)]
    )


def waiting(data: DataDirectory, stages: list) -> Iterator[int]:
    for number, _ in recipe.Progress(data, stages, 1).waiting():
        yield number
