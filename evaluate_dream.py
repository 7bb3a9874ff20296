"""Measure how true the dreams of trained models are, on the episodes held out from them.

For each model directory: PSNR of what M expects 1, 5, 10 and 20 frames ahead, between the last
frame that it saw (the floor) and decode(encode(frame)) (the ceiling); how far the probabilities
that its heads give can be trusted. Writes RES/dream_truth.md and .json, and for each model
RES/NAME_calibration.png and RES/NAME_dream.gif: an episode (left), what V keeps of it (middle)
and M's dream (right), which has seen 60 steps of it and then only the actions.
"""

import dataclasses
import tempfile
from pathlib import Path

from runs import config
from settings import MAKERS
from settings.memory import EvaluateDream

if __name__ == "__main__":
    given = config.parse(EvaluateDream, __doc__)  # before the imports below

import rnn
import vae
from envs import rollouts
from rnn import encode, measures, series
from rnn.dream import pictures as dream_pictures
from rnn.dream.dynamics import Dream
from runs import arguments, directory, progress


def main(settings: EvaluateDream) -> None:
    data = directory.DataDirectory(settings.data_dir)
    found = {}
    for path in settings.models:
        model = directory.ModelDirectory(path)
        found[path.name] = measure(data, model, settings)
    directory.write_json(settings.res / "dream_truth.json", found)
    directory.write_text(settings.res / "dream_truth.md", table(found))
    print(f"{table(found)}\n{settings.res}/dream_truth.md and .json, and pictures of each model.")


def measure(
    data: directory.DataDirectory, model: directory.ModelDirectory, settings: EvaluateDream
) -> dict:
    """All measures of one model, and its pictures."""
    vision, memory = vae.load(model), rnn.load(model)
    with tempfile.TemporaryDirectory() as temporary:
        episodes = held_out_episodes(data, model.path.name, vision, Path(temporary))
        latents = [path for _, path in episodes]
        open_loop = measures.open_loop(vision, memory, episodes)
        heads = {
            head: measures.calibration(*pair)
            for head, pair in measures.probabilities(memory, latents).items()
        }
        name = model.path.name
        dream_pictures.reliability(settings.res / f"{name}_calibration.png", heads, f"M, {name}")
        shown = max(episodes, key=lambda pair: series.read(pair[1], vision.latent)["reward"].sum())
        dream = Dream(model, settings.temperature)
        dream_pictures.video(settings.res / f"{name}_dream.gif", vision, dream, *shown)
    return {
        "episodes": len(episodes),
        "open_loop": dataclasses.asdict(open_loop),
        "heads": {head: dataclasses.asdict(value) for head, value in heads.items()},
    }


def held_out_episodes(
    data: directory.DataDirectory, name: str, vision: vae.Vision, temporary: Path
) -> list[tuple[Path, Path]]:
    """The recordings held out, each with its latents: those of the data directory where this V
    made them, and else new ones in `temporary`."""
    _, held_out = rollouts.split(rollouts.paths(data.rollout))
    folder = data.series(name)
    if series.made_by(folder) == vision.digest and any(folder.glob("[0-9]*.npz")):
        series.refuse_exchanged(folder, data.rollout)
        _, latents = rollouts.split(series.paths(folder, vision.latent, vision.digest))
        return [(data.rollout / path.name, path) for path in latents]
    with progress.bar(len(held_out), "episodes", what="encoding") as bar:
        latents = []
        for path in encode.episodes(vision, held_out, temporary):
            latents.append(path)
            bar.update()
    return list(zip(held_out, latents, strict=True))


def table(found: dict[str, dict]) -> str:
    """PSNR in dB by horizon, and the heads' calibration errors, as Markdown."""
    lines = [
        "| model | | " + " | ".join(f"{n} ahead" for n in measures.HORIZONS) + " |",
        "|" + "---|" * (2 + len(measures.HORIZONS)),
    ]
    words = {"last": "last frame seen", "model": "M", "ceiling": "decode(encode)"}
    for name, row in found.items():
        for kind, word in words.items():
            cells = " | ".join(f"{value:.2f}" for value in row["open_loop"][kind])
            lines.append(f"| {name} | {word} | {cells} |")
    lines += ["", "| model | head | steps | share true | mean probability | calibration error |"]
    lines.append("|" + "---|" * 6)
    for name, row in found.items():
        for head, value in row["heads"].items():
            steps = sum(value["steps"])
            share, probability = (
                sum(a * n for a, n in zip(value[key], value["steps"], strict=True)) / steps
                for key in ("share", "probability")
            )
            lines.append(
                f"| {name} | {head} | {steps:,} | {share:.4f} | {probability:.4f} "
                f"| {value['error']:.4f} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
