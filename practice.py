"""Let an evolved C practise: a natural policy gradient from where 05_train_controller.py ended.

C drives episodes with noise on its actions, each on a new track, and moves along the natural
gradient of what came of them: of the reward, less fines for wheels in the grass, which tell of a
failure long before it, and for tiles left behind. V and M stay as they are, and C stays linear.

Goes on from DIR/models/VISION/controller.weights.h5 and writes there, as the evolution did, the
best policy so far and a row per generation (one step of the ascent) in controller.csv; and
RES/VISION_controller_curve.png and RES/VISION.gif. A stopped practice goes on with the same
command, and with more --generations; with other settings a new one begins at the best C there is,
or with --carry at that of the other directory.
"""

import functools
from pathlib import Path

from controller import arch, carry, film, train
from controller.agent import Agent
from controller.practice import Practice
from controller.practice_train import PracticeRun
from rnn import series
from runs import arguments, device, directory

import numpy as np

SETTINGS = ("episodes", "noise", "persistence", "rate", "grass", "missed", "discount")
SETTINGS += ("trace", "memory", "damping", "release_brake", "patience", "seed", "precision")
SETTINGS += ("evaluate_every", "validation_tracks")


def main() -> None:
    options = parse()
    # C drives in workers, which have no GPU.
    options.precision = device.precision(options.precision, device.read_processors())
    data = directory.DataDirectory(options.data_dir)
    model_directory = data.model(options.vision)
    agent = Agent(model_directory)
    settings = {
        **arguments.settings(options, *SETTINGS),
        **arch.evolved_on(model_directory, arch.seen(model_directory)),
        "refine": True,
    }
    start = None
    if options.carry:
        before = directory.ModelDirectory(options.carry)
        settings["carried"] = before.facts("controller")["digest"]
        start = functools.partial(carried, before, data, options, agent.vision)
    with directory.locked(model_directory.path):
        run = PracticeRun(model_directory, agent.features, settings, start)
        if run.refined_since:
            print("This practice is over and was refined since; nothing to do.")
        else:
            fleet = Practice(model_directory, options.precision, options.workers, options.worlds)
            counts = options.generations, options.evaluate_every, options.validation_tracks
            train.generations(run, fleet, *counts)
        best = arch.load(model_directory, agent.features)
    print(film.results(options.res, options.vision, run.rows, agent, best))


def carried(before, data, options, vision) -> np.ndarray:
    """The C of `before` on the V and M that are in `data` now."""
    print("Carrying C over ...")
    episodes = series.paths(data.series(options.vision), vision.latent, vision.digest)
    dtype = arguments.PRECISIONS[options.precision]
    return carry.carried(before, data.model(options.vision), episodes, data.rollout, dtype)


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_workers(parser)
    arguments.add_vision(parser)
    arguments.add_res(parser)
    arguments.add_precision(parser)
    whole, number = arguments.whole, arguments.number
    parser.add_argument(
        "--generations", type=whole(1, 100_000), default=40, help="steps of the ascent, in all"
    )
    parser.add_argument(
        "--episodes", type=whole(1, 1000), default=128, help="that C drives for each step"
    )
    parser.add_argument(
        "--noise",
        type=number(0, 10, above=True),
        nargs=3,
        default=[0.12, 0.25, 0.05],
        metavar=("STEERING", "GAS", "BRAKE"),
        help="SD of what is added to C's three numbers before they are squashed",
    )
    parser.add_argument(
        "--persistence",
        type=number(0, 0.999),
        default=0.9,
        help="correlation of that noise with itself one step before",
    )
    parser.add_argument(
        "--rate",
        type=number(0, 100, above=True),
        default=0.8,
        help="how far a step goes, in natural gradients of standardised advantages",
    )
    parser.add_argument(
        "--grass",
        type=number(0, 1000),
        default=4.0,
        help="fine in points for each of the four wheels in the grass in each environment step",
    )
    parser.add_argument(
        "--missed",
        type=number(0, 1000),
        default=5.0,
        help="fine in points for each tile left behind, which keeps the lap from ending",
    )
    parser.add_argument(
        "--discount",
        type=number(0, 1),
        default=0.99,
        help="gamma: weight of the next environment step against this one",
    )
    parser.add_argument(
        "--trace",
        type=number(0, 1),
        default=0.985,
        help="lambda of the generalised advantage: 1 trusts what happened, 0 the critic",
    )
    parser.add_argument(
        "--memory",
        type=number(0, 0.999),
        default=0.9,
        help="weight of all earlier generations in gradient, Fisher matrix and critic",
    )
    parser.add_argument(
        "--damping",
        type=number(0, 1000, above=True),
        default=0.03,
        help="added to the Fisher matrix, in mean eigenvalues: more forgets what hardly varies",
    )
    parser.add_argument(
        "--release-brake",
        action="store_true",
        help="begin with a brake that presses where the gas ends, in place of the one C has: "
        "evolution often holds it so far below its threshold that no noise ever presses it",
    )
    parser.add_argument(
        "--carry",
        type=Path,
        metavar="MODELS",
        help="begin at the C of this model directory, which has another M, or V and M: what it "
        "does in the recorded episodes, fitted to what V and M here make of them. Needed where "
        "they learned further or anew: copy the directory before that, and leave the copy as it is",
    )
    train.add_arguments(parser)
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
