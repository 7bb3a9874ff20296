"""Measure what each vision keeps of a frame: pixels, sharpness, the road, the car's state.

Give the model directories of any number of VAEs and VAE-GANs, or NAME=MODEL_DIR; those of one
name are taken together, and without a name those that differ in their seed only. All see the same
episodes, on which none was trained: those held out of DIR/rollout, or those of --unseen. Writes
res/vision.md and vision.json (means, and differences on the same episodes, with 95 % intervals
over episodes and seeds) and res/vision.png (truth above every reconstruction).
"""

from collections.abc import Sequence
from pathlib import Path

from runs import config
from settings import MAKERS
from settings.vision import EvaluateVision

if __name__ == "__main__":
    given = config.parse(EvaluateVision, __doc__)  # before the imports below

import vae
from envs import rollouts
from runs import arguments, directory, progress
from vae import compare, pictures, scenes

import numpy as np


def main(settings: EvaluateVision) -> None:
    data = directory.DataDirectory(settings.data_dir)
    learned, unseen = rollouts.split(rollouts.paths(data.rollout, settings.skip_damaged))
    if settings.unseen:
        unseen = rollouts.paths(settings.unseen, settings.skip_damaged)
    groups = by_name(settings.models)
    models = [model for members in groups.values() for model in members]

    with progress.bar(len(learned) + len(unseen), "episodes", what="driving again") as bar:
        learned_seen = see(learned, settings.every, bar)
        unseen_seen = see(unseen, settings.every, bar)
    found, sums = {}, {}
    with progress.bar(len(models), "models") as bar:
        for name, members in groups.items():
            for model in members:
                sums[model] = compare.sums(vae.load(model), learned_seen, unseen_seen)
                bar.update()
            rng = np.random.default_rng(settings.seed)
            found[name] = {
                column: compare.estimate([sums[model][column] for model in members], rng)
                for column in compare.COLUMNS
            }
    less = {}
    names = list(groups)
    for place, name in enumerate(names[1:]):
        other = names[place if settings.against == "above" else 0]
        rng = np.random.default_rng(settings.seed)
        less[f"{name} less {other}"] = {
            column: compare.difference(
                [sums[model][column] for model in groups[name]],
                [sums[model][column] for model in groups[other]],
                rng,
            )
            for column in compare.COLUMNS
        }
    write(settings, groups, found, less, sums, len(unseen))

    truth = scenes.fixed(unseen)
    rows = {"truth": truth}
    for name, members in groups.items():
        vision = vae.load(members[0])
        rows[name] = vision.decoder(vision.encoder(truth)[0])
    pictures.labelled(settings.res / f"{settings.name}.png", rows)
    print(f"{settings.res}/{settings.name}.md, .json, .png")


def by_name(given: Sequence[str]) -> dict[str, list[directory.ModelDirectory]]:
    """Model directories under the name given to them, or that of what they hold."""
    groups: dict[str, list[directory.ModelDirectory]] = {}
    data = set()
    for words in given:
        name, path = words.rsplit("=", 1) if "=" in words else (None, words)
        model = directory.ModelDirectory(path)
        facts = model.facts("vision")
        data.add(facts.get("data"))
        groups.setdefault(name or vae.name(facts), []).append(model)
    if len(data) > 1:
        print("Note: these models were not all trained on the same episodes.")
    return groups


def see(paths: list[Path], every: int, bar) -> list[compare.LabelledFrames]:
    episodes = []
    for path in paths:
        episodes.append(compare.see(path, every))
        bar.update()
    return episodes


def write(settings: EvaluateVision, groups, found, less, sums, episodes: int) -> None:
    table = compare.markdown(found)
    if less:
        table += "\n" + compare.markdown(less, "+")
    print(table)
    directory.write_text(settings.res / f"{settings.name}.md", table)
    content = {
        "episodes": episodes,
        "every": settings.every,
        "groups": found,
        "differences": less,
        "models": {
            name: [
                {"directory": str(model.path), "vision": model.facts("vision")}
                | {column: _ratio(sums[model][column]) for column in compare.COLUMNS}
                for model in members
            ]
            for name, members in groups.items()
        },
    }
    directory.write_json(settings.res / f"{settings.name}.json", content)


def _ratio(rows: np.ndarray) -> float | None:
    """None where the episodes had nothing to measure, such as a curve."""
    above, below = rows[:, :2].sum(0)
    return float(above / below) if below else None


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
