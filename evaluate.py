"""Score trained agents in stock Gymnasium CarRacing-v3 on tracks that no training sees.

For each model directory: the mean and SD over the tracks, a 95 % bootstrap interval of the mean
and the laps finished. Writes RES/scores.json and a GIF of each agent's first track.
"""

from pathlib import Path

from controller import arch, evaluate, film, rollout
from controller.agent import Agent
from envs import tracks
from runs import arguments, directory, progress

WORLDS = 10  # stepped together by each process; the stock world is slow and large


def main() -> None:
    options = parse()
    driven_on = tracks.evaluation(options.tracks)
    scores = {}
    for path in options.models:
        model_directory = directory.ModelDirectory(path)
        agent = Agent(model_directory)
        parameters = arch.load(model_directory, agent.features)
        fleet = rollout.Fleet(model_directory, "float32", options.workers, WORLDS)
        with fleet, progress.bar(len(driven_on), "tracks", what=str(path)) as bar:
            outcomes = evaluate.drive_tracks(fleet, parameters, driven_on, True, bar.update)
        scores[str(path)] = evaluate.report(outcomes, driven_on)
        gif = options.res / f"{path.name}_lap.gif"
        film.lap(gif, agent, parameters, driven_on[0])
    directory.write_json(options.res / "scores.json", scores)
    print(evaluate.table(scores))
    print(f"{options.res}/scores.json and a GIF of each agent.")


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_workers(parser)
    arguments.add_res(parser)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL_DIR", help="trained agents")
    parser.add_argument(
        "--tracks", type=arguments.whole(1), default=100, help="evaluation tracks, the first N"
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
