"""Drive, learn, dream, drive again: the iterative procedure, from nothing or from trained parts.

Each round records episodes driven by the present C, every other one with noise and takeovers (at
first all at random), adds them to DIR/rollout, trains M from where it stands (and V, if asked or
if there is none) and evolves C further in M's dream or in the world: the numbered scripts in
their order.
Writes DIR/iterate/rounds.json, RES/VISION_iterate.md and RES/VISION_iterate.png. Stopped at any
moment, the same command goes on; with more --rounds it adds rounds.

From a dream the present C is always the last mean, however it does in the world: what it believes
wrongly M sees in the next round. DIR/models/VISION-iterated is the agent of the best round.
"""

import subprocess
import sys
from pathlib import Path

from controller import dream_history, iterate
from envs import MAX_STEPS
from runs import arguments, directory

HERE = Path(__file__).parent
VISION_SCRIPTS = {"vae": "02_train_vae.py", "vaegan": "02_train_vae_gan.py"}


def main() -> None:
    options = parse()
    if options.retrain_vision and options.memories > 1:
        raise arguments.BadInput(
            "An M of an earlier round knows another V; leave out --retrain-vision or --memories."
        )
    data = directory.DataDirectory(options.data_dir)
    rounds_file = data.root / "iterate" / "rounds.json"
    rounds = iterate.read(rounds_file)
    for number in range(len(rounds) + 1, options.rounds + 1):
        row, agent = one_round(number, data, options)
        iterate.keep_best(agent, data.model(f"{options.vision}-iterated"), rounds, row)
        rounds.append(row)
        iterate.write(rounds_file, rounds)
        iterate.report(options.res, options.vision, rounds)
    text, picture = iterate.report(options.res, options.vision, rounds)
    print(f"{text}, {picture}\n{text.read_text(encoding='utf-8')}")


def one_round(
    number: int, data: directory.DataDirectory, options
) -> tuple[iterate.Round, directory.ModelDirectory]:
    """What a round brought, and the agent that came of it."""
    model = driver = data.model(options.vision)
    if options.evolve_in == "dream":
        driver = data.model(f"{options.vision}-dream-{options.temperature:g}")
    had = iterate.begin(number, data, [driver, model])
    present = had["driver"] and directory.ModelDirectory(had["driver"])

    print(f"Round {number} of {options.rounds}: drive", flush=True)
    choice = iterate.drive(data, number, present, model, options)

    print(f"Round {number}: learn", flush=True)
    if options.retrain_vision or "vision" not in had["parts"]:
        refine = ["--refine"] * ("vision" in had["parts"])
        script(VISION_SCRIPTS[options.vision], options, "--epochs", options.epochs, *refine)
    script("03_generate_rnn_data.py", options, "--vision", options.vision, draws=False)
    refine = ["--refine"] * ("rnn" in had["parts"])
    script(
        "04_train_rnn.py",
        options,
        *("--vision", options.vision, "--steps", options.memory_steps),
        *("--batch-size", options.memory_batch, "--units", options.units),
        *("--latent-noise", options.latent_noise, *refine),
    )

    print(f"Round {number}: evolve", flush=True)
    if present:
        iterate.go_on(present, driver)
    refine = ["--refine"] * (present is not None)
    dream = ["--dream", "--keep", "last", "--temperature", options.temperature]
    dream += ["--dream-steps", options.dream_steps]
    if also := iterate.remember(data, number, model, options.memories - 1):
        dream += ["--also", *also]
    script(
        "05_train_controller.py",
        options,
        *("--vision", options.vision, "--workers", options.workers, *refine),
        *("--generations", options.generations, "--population", options.population),
        *("--rollouts", options.rollouts),
        *("--sigma", options.sigma),
        *("--validation-tracks", options.validation_tracks),
        *(dream if options.evolve_in == "dream" else []),
    )
    pairs = dream_history.read(driver.path / "dream.csv")
    return iterate.close(number, data, choice, model, driver, pairs), driver


def script(name: str, options, *more, draws: bool = True) -> None:
    """Run a numbered script; where it stops, this one stops too."""
    common = ["--data-dir", options.data_dir]
    if draws:
        common += ["--res", options.res, "--seed", options.seed]
    done = subprocess.run([sys.executable, str(HERE / name), *map(str, [*common, *more])])
    if done.returncode:
        sys.exit(done.returncode)


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_workers(parser)
    arguments.add_vision(parser)
    arguments.add_res(parser)
    whole, number = arguments.whole, arguments.number
    parser.add_argument("--rounds", type=whole(1, 1000), default=3, help="rounds in all")
    drive = parser.add_argument_group("drive")
    drive.add_argument(
        "--episodes", type=whole(1, 10_000), default=64, help="episodes that a round adds"
    )
    drive.add_argument("--steps", type=whole(2, 1000), default=1000, help="most steps of each")
    drive.add_argument(
        "--patience",
        type=whole(1, 1000),
        default=100,
        help="steps without a new tile that end an episode; most of what follows is grass",
    )
    drive.add_argument(
        "--curiosity",
        type=number(0, 1000),
        default=0.0,
        metavar="LAMBDA",
        help="drive three times as many and keep those of the highest return / 1000 + LAMBDA "
        "times M's loss, in nats; 0: keep what is driven",
    )
    drive.add_argument(
        "--weight-noise", type=number(0, 10), default=0.05, help="SD of the noise on C's weights"
    )
    drive.add_argument(
        "--action-noise", type=number(0, 1), default=0.1, help="SD of the noise on every action"
    )
    drive.add_argument(
        "--noise-steps",
        type=whole(1, 1000),
        default=1,
        help="steps that this noise lasts, on average; see 01_generate_data.py",
    )
    drive.add_argument(
        "--takeovers",
        type=whole(0, 1000),
        default=0,
        metavar="STEPS",
        help="steps between takeovers in every other episode, on average; 0: none; see "
        "01_generate_data.py",
    )
    learn = parser.add_argument_group("learn")
    learn.add_argument("--retrain-vision", action="store_true", help="train V in every round")
    learn.add_argument("--epochs", type=whole(1, 1000), default=3, help="of V, when it is trained")
    learn.add_argument(
        "--memory-steps", type=whole(1, 10**7), default=500, help="gradient steps of M"
    )
    learn.add_argument(
        "--memory-batch", type=whole(1, 10_000), default=50, help="sequences in each of them"
    )
    learn.add_argument(
        "--latent-noise",
        type=number(0, 1),
        default=1.0,
        help="share of V's uncertainty in the latents that M learns; see 04_train_rnn.py",
    )
    learn.add_argument("--units", type=whole(1, 4096), default=256, help="size of M's memory h")
    evolve = parser.add_argument_group("evolve")
    evolve.add_argument(
        "--evolve-in", choices=("dream", "world"), default="dream", help="where candidates drive"
    )
    evolve.add_argument("--generations", type=whole(1, 100_000), default=50, help="of CMA-ES")
    evolve.add_argument("--population", type=whole(4, 10_000), default=64, help="candidates")
    evolve.add_argument(
        "--rollouts", type=whole(1, 1000), default=16, help="dreams or tracks of each candidate"
    )
    evolve.add_argument(
        "--sigma",
        type=number(0, 10, above=True),
        default=0.1,
        help="largest step size, that of the first generation",
    )
    evolve.add_argument(
        "--temperature",
        type=number(0, 100, above=True),
        default=1.15,
        help="how much chance the dream has",
    )
    evolve.add_argument(
        "--memories",
        type=whole(1, 1000),
        default=1,
        help="the M's of how many rounds dream, this one's and those before it: C finds less to "
        "cheat in several",
    )
    evolve.add_argument(
        "--dream-steps",
        type=whole(1, 100_000),
        default=MAX_STEPS,
        help="steps of a dream at most; earlier when its tiles gave the points of a lap",
    )
    evolve.add_argument(
        "--validation-tracks", type=whole(1, 1000), default=16, help="tracks of the real score"
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
