"""Evolve C, a linear policy on what V sees and M remembers, with CMA-ES.

Writes DIR/models/VISION/controller.weights.h5 (the best mean of the distribution so far) and
controller.csv (a row per generation), and RES/VISION_controller_curve.png and RES/VISION.gif. A
stopped evolution goes on with the same command, and with more --generations; --refine starts a
new one, with other numbers, from the best mean of a finished one, also when M was refined since
(scores with another M or on other --validation-tracks are not compared).

With --dream the candidates drive in M's dream, and only the mean's scores come from the world.
The agent of each temperature is DIR/models/VISION-dream-TEMPERATURE; RES/VISION_dream_curve.png
and RES/VISION_dream.md show its scores in both worlds.

With --sees z, C acts on what V sees alone: M is neither needed nor run.
"""

from pathlib import Path

from controller import arch, dream_history, film, train
from controller.agent import Agent
from controller.dream_rollout import DreamRollout, Ensemble
from controller.dream_train import DreamRun, adopt
from controller.fleet import Fleet
from envs import MAX_STEPS
from rnn import starts
from rnn.dream import Dream
from runs import arguments, device, directory


def main() -> None:
    options = parse()
    # C drives in workers, which have no GPU.
    options.precision = device.precision(options.precision, device.read_processors())
    data = directory.DataDirectory(options.data_dir)
    if options.dream or options.temperatures:
        if options.sees == "z":
            raise arguments.BadInput("A dream is M's, and its C sees M too; leave out --sees z.")
        if options.also and options.scout:
            raise arguments.BadInput("A scouted dream is one M's; leave out --also or --scout.")
        evolve_in_dreams(data, options)
    elif options.also:
        raise arguments.BadInput("Only dreams have several M's; leave out --also or add --dream.")
    else:
        evolve_in_the_world(data.model(options.vision), options)


def evolve_in_the_world(model_directory: directory.ModelDirectory, options) -> None:
    agent = Agent(model_directory, sees=options.sees)
    settings = settings_of(options, model_directory, "patience", "precision")
    with directory.locked(model_directory.path):
        run = train.Run(model_directory, agent.features, settings, options.anew)
        evolve(run, model_directory, options)
        best = arch.load(model_directory, agent.features)
    print(film.results(options.res, options.vision, run.rows, agent, best))


def evolve_in_dreams(data: directory.DataDirectory, options) -> None:
    pairs = {}
    for temperature in options.temperatures or [options.temperature]:
        model_directory = data.model(f"{options.vision}-dream-{temperature:g}")
        with directory.locked(model_directory.path):
            adopt(data.model(options.vision), model_directory)
            dream = Dream(model_directory, temperature, options.dream_start)
            more = ("dream_steps", "dream_start", "keep")
            settings = settings_of(options, model_directory, *more)
            others = [
                of_the_same_vision(path, dream, temperature, options) for path in options.also
            ]
            settings["also"] = [other.memory.digest for other in others]
            dreams = Ensemble([DreamRollout(d, options.dream_steps) for d in (dream, *others)])
            settings["temperature"] = temperature
            run = DreamRun(model_directory, dreams, settings, options.anew)
            evolve(run, model_directory, options)
        pairs[temperature] = run.pairs

    curve = options.res / f"{options.vision}_dream_curve.png"
    dream_history.curve(curve, pairs, f"C evolved in the dream, {options.vision}")
    table = options.res / f"{options.vision}_dream.md"
    dream_history.write_table(table, pairs)
    print(f"{table}, {curve}\n{table.read_text(encoding='utf-8')}")


def of_the_same_vision(path: Path, dream: Dream, temperature: float, options) -> Dream:
    """The dream of the M of another model directory."""
    other = directory.ModelDirectory(path)
    if other.facts("vision")["digest"] != dream.directory.facts("vision")["digest"]:
        raise arguments.BadInput(f"{path} has another V; leave it out of --also.")
    return Dream(other, temperature, options.dream_start)


def settings_of(options, model_directory: directory.ModelDirectory, *more: str) -> dict:
    if options.scout and not 2 <= options.rollouts < options.scout:
        raise arguments.BadInput(
            f"--scout {options.scout} needs at least 2 --rollouts and fewer than it scouts."
        )
    common = ("population", "rollouts", "sigma", "seed", "refine")
    common += ("evaluate_every", "validation_tracks", "scout")
    return {
        **arguments.settings(options, *common, *more),
        **arch.evolved_on(model_directory, options.sees),
        "diagonal": not options.full,
    }


def evolve(run: train.Run, model_directory: directory.ModelDirectory, options) -> None:
    if run.refined_since:
        print("This evolution is over and was refined since; nothing to do.")
        return
    fleet = Fleet(model_directory, options.precision, options.workers, options.worlds, options.sees)
    counts = options.generations, options.evaluate_every, options.validation_tracks
    train.generations(run, fleet, *counts)


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_workers(parser)
    arguments.add_vision(parser)
    arguments.add_res(parser)
    arguments.add_again(parser)
    arguments.add_precision(parser)
    whole, number = arguments.whole, arguments.number
    parser.add_argument(
        "--sees",
        choices=tuple(arch.SEES),
        default="zh",
        help="what C acts on: z and h, or z alone",
    )
    parser.add_argument(
        "--generations", type=whole(1, 100_000), default=100, help="of CMA-ES, in all"
    )
    parser.add_argument(
        "--population", type=whole(4, 10_000), default=64, help="candidates in a generation"
    )
    parser.add_argument(
        "--rollouts",
        type=whole(1, 1000),
        default=4,
        help="tracks (or dreams) that each candidate drives, the same for all of a generation",
    )
    parser.add_argument(
        "--sigma",
        type=number(0, 10, above=True),
        default=0.1,
        help="step size of the first generation, and the largest: free to grow, it mostly does, "
        "and the candidates drive worse",
    )
    parser.add_argument(
        "--scout",
        type=whole(0, 10_000),
        default=0,
        help="new tracks that the distribution's mean drives before each generation; half of "
        "--rollouts are then those on which it did worst",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="full covariance matrix instead of its diagonal: slower, learns less at first",
    )
    train.add_arguments(parser)
    dream = parser.add_argument_group("in the dream")
    dream.add_argument("--dream", action="store_true", help="evolve in M's dream")
    temperature = number(0, 100, above=True)
    dream.add_argument(
        "--temperature", type=temperature, default=1.15, help="how much chance the dream has"
    )
    dream.add_argument(
        "--temperatures",
        type=temperature,
        nargs="+",
        help="dream at each of these: an agent for each, and their table",
    )
    dream.add_argument(
        "--dream-steps",
        type=whole(1, 100_000),
        default=MAX_STEPS,
        help="steps of a dream at most; earlier when its tiles gave the points of a lap",
    )
    dream.add_argument(
        "--dream-start",
        choices=starts.PLACES,
        default="anywhere",
        help="dreams start where recorded episodes did, or at any of their moments; a quarter "
        "then still start where episodes did",
    )
    dream.add_argument(
        "--also",
        type=Path,
        nargs="+",
        default=[],
        metavar="MODEL_DIR",
        help="the M's of these, of which this one has learned on, dream as many of the --rollouts: "
        "what C gains by an error of one M it loses with another",
    )
    dream.add_argument(
        "--keep",
        choices=("best", "last"),
        default="best",
        help="C is the mean that did best in the world so far, or the last one that was scored",
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
