"""Score trained agents in stock Gymnasium CarRacing-v3 on tracks that no training sees.

For each model directory: the mean and SD over the tracks, a 95 % bootstrap interval of the mean,
the worst track and the laps finished; with several, their paired differences. Give NAME=MODEL_DIR
to choose what an agent is called. The same command goes on with an evaluation that was stopped; at
most a hundred tracks are driven again. Writes to RES

  scores.md, scores.json, scores.png   the table, every episode, a histogram (scores_fast.* with
                                       --rendering fast)
  curves.png                           score of the evolution's mean by generation and by
                                       core-hours, where every agent has a controller.csv
  NAME_lap.gif, NAME_worst.gif         each agent's median and its worst episode
  compare.gif                          several agents side by side on the first one's median track
"""

import re
from collections.abc import Sequence
from pathlib import Path

from runs import config
from settings import MAKERS
from settings.driving import Evaluate

if __name__ == "__main__":
    given = config.parse(Evaluate, __doc__)  # before the imports below

from controller import arch
from controller.agent import Agent
from controller.fleet import Fleet
from controller.report import history, parts, video
from controller.report import scores as scoring
from envs import tracks
from runs import arguments, directory, progress

import numpy as np

LONGEST = 100  # bytes of an agent's name, which is part of a file's
WORLDS = 10  # stepped together by each process; the stock world is slow and large


def main(settings: Evaluate) -> None:
    driven_on = tracks.evaluation(settings.tracks, settings.first_track)
    names = named(settings.models)
    stock = settings.rendering == "stock"
    # Before they are loaded, for a training may save another C meanwhile.
    drivers = {
        name: parts.identity(directory.ModelDirectory(path), stock) for name, path in names.items()
    }
    agents = {name: load(path) for name, path in names.items()}
    lines = {name: history.line(directory.ModelDirectory(path)) for name, path in names.items()}
    kind = "scores" if stock else "scores_fast"
    kept = {name: settings.res / f"{file_name(name)}_{kind}_part.json" for name in names}
    scores = {}
    for name, path in names.items():
        fleet = Fleet(
            directory.ModelDirectory(path),
            "float32",
            settings.place,
            WORLDS,
        )
        with progress.bar(len(driven_on), "tracks", what=name) as bar:
            outcomes = parts.drive_in_parts(
                kept[name],
                drivers[name],
                fleet,
                agents[name][1],
                driven_on,
                stock,
                bar.update,
            )
        scores[name] = scoring.report(outcomes, driven_on, settings.rendering)

    table = scoring.table(scores)
    directory.write_json(settings.res / f"{kind}.json", scores)
    directory.write_text(settings.res / f"{kind}.md", table + "\n")
    scoring.histogram(settings.res / f"{kind}.png", scores)
    if all(lines.values()):
        history.curves(settings.res / "curves.png", lines)
    if not settings.scores_only:
        make_videos(agents, scores, settings.res)
    for path in kept.values():
        path.unlink(missing_ok=True)
    print(table)
    print(f"{settings.res}/{kind}.md, {kind}.json and {kind}.png, pictures and videos beside them.")


def make_videos(
    agents: dict[str, tuple[Agent, np.ndarray]], scores: dict[str, dict], res: Path
) -> None:
    for name, driver in agents.items():
        file = file_name(name)
        video.lap(res / f"{file}_lap.gif", *driver, scoring.median_track(scores[name]))
        video.lap(res / f"{file}_worst.gif", *driver, scoring.worst_track(scores[name]))
    if len(agents) > 1:
        typical = scoring.median_track(next(iter(scores.values())))
        video.race(res / "compare.gif", agents, typical)


def load(path: Path) -> tuple[Agent, np.ndarray]:
    """The agent and the policy's parameters of a model directory."""
    model_directory = directory.ModelDirectory(path)
    agent = Agent(model_directory)
    return agent, arch.load(model_directory, agent.features)


def file_name(name: str) -> str:
    """What an agent's videos are called."""
    return re.sub(r"[^\w.-]+", "_", name)


def named(models: Sequence[str]) -> dict[str, Path]:
    """Model directories under the names given to them, or short ones.

    Those are the last folder, or all of the path where two agree.
    """
    # What exists is a path, whatever is in its name.
    split = [("", "", w) if "=" not in w or Path(w).exists() else w.partition("=") for w in models]
    given = [(name, path) for name, _, path in split]
    paths = [Path(path) for _, path in given]
    if len(set(map(Path.resolve, paths))) < len(paths):
        raise arguments.BadInput("A model directory is given twice; give each once.")
    last = [path.resolve().name for path in paths]
    names = []
    for (name, _), path, short in zip(given, paths, last, strict=True):
        unique = last.count(short) == 1
        names.append(name or (short if unique else str(path).strip("/").replace("/", "_")))
    if len(set(names)) < len(names):
        raise arguments.BadInput(f"Two agents have one name ({', '.join(names)}); rename one.")
    # Now, for all driving is done when they are written.
    for name in names:
        if not (name.isprintable() and name.strip() and len(name.encode()) <= LONGEST):
            raise arguments.BadInput(
                f"{name[:LONGEST]!r} cannot be the name of an agent; give NAME=MODEL_DIR with one "
                f"of 1 to {LONGEST} printable characters."
            )
    if len({file_name(name).casefold() for name in names}) < len(names):
        raise arguments.BadInput(
            f"The videos of two agents have one name ({', '.join(names)}); rename one."
        )
    return dict(zip(names, paths, strict=True))


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
