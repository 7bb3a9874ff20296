"""Train M, a mixture density recurrent network, on the latent episodes.

Writes DIR/models/VISION/rnn.weights.h5 and starts.npz (where its dreams begin), and
RES/VISION_rnn_curve.png and RES/VISION_rnn_beliefs.png (from above: truth, what V keeps of it, M
one step ahead, M left to itself). A stopped training goes on with the same command; --refine
trains a finished one further. With --steps 0 there is no training, and M is written as it was
initialised, to see what a memory is worth that has learned nothing.
"""

import rnn
import vae
from envs import rollouts
from rnn import arch, pictures, series, starts
from runs import arguments, device, directory, plots, training

STEPS_PER_EPOCH = 100
HELD_OUT_BATCHES = 4


def main() -> None:
    options = parse()
    if options.refine and not options.steps:
        raise arguments.BadInput("--refine trains M further, which --steps 0 cannot; give more.")
    data = directory.DataDirectory(options.data_dir)
    model_directory = data.model(options.vision)
    vision = vae.load(model_directory)
    episodes = series.paths(data.series(options.vision), vision.latent, vision.digest)
    learned, held_out = rollouts.split(episodes)
    shown = pictures.subject(data.rollout, held_out, vision.latent)
    epochs = -(-options.steps // STEPS_PER_EPOCH)
    print(f"{len(learned)} latent episodes; {len(held_out)} held out.")

    settings = arguments.settings(
        options,
        *("steps", "batch_size", "sequence", "learning_rate", "units", "mixtures"),
        *("latent_noise", "reward_weight", "done_weight", "seed", "refine"),
    ) | {"vision": vision.digest, "data": rollouts.fingerprint(episodes)}

    with directory.locked(model_directory.path):
        training.seed(options.seed)
        model = arch.MDNRNN(
            vision.latent,
            options.units,
            options.mixtures,
            {"tile": options.reward_weight, "done": options.done_weight},
            options.seed,
            options.latent_noise,
        )
        # No schedule has no steps; that of an M which is not trained is not used.
        steps = max(1, epochs) * STEPS_PER_EPOCH
        model.compile(training.adam(options.learning_rate, steps, clip=1.0))
        run = training.Training(model_directory, "rnn", settings, options.anew)
        if not run.resume(model) and options.refine:
            rnn.restore(model_directory, model.network)
        if run.finished and model_directory.has("rnn"):
            print(f"{model_directory.weights('rnn')} is trained; nothing to do.")
            return

        def batches(paths, count, *seed):
            return series.batches(
                paths, vision.latent, options.batch_size, options.sequence, count, seed
            )

        print(device.report(device.read(), "float32"))
        validation = batches(held_out, HELD_OUT_BATCHES, options.seed)
        if options.steps:
            training.fit(
                model,
                run,
                epochs,
                lambda epoch: batches(learned, STEPS_PER_EPOCH, options.seed, epoch),
                STEPS_PER_EPOCH,
                validation,
            )
        else:
            training.measure(model, run, validation)
        facts = {
            "latent": vision.latent,
            "heads": list(model.head_weights),
            **settings,
            "refines": rnn.line(model_directory, settings) if options.refine else [],
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        rnn.save(model_directory, model.network, facts)
        starts.write(model_directory, episodes, vision, rnn.load(model_directory))
        if options.steps:
            curve = options.res / f"{options.vision}_rnn_curve.png"
            plots.learning_curve(curve, run.history, "M", f"{STEPS_PER_EPOCH} steps")
        beliefs = options.res / f"{options.vision}_rnn_beliefs.png"
        pictures.beliefs(beliefs, vision, rnn.load(model_directory), *shown)
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(f"{model_directory.weights('rnn')}, {options.res}/{options.vision}_rnn_*.png")


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_vision(parser)
    arguments.add_res(parser)
    arguments.add_again(parser)
    whole, number = arguments.whole, arguments.number
    parser.add_argument(
        "--steps",
        type=whole(0, 10**7),
        default=2000,
        help="gradient steps, rounded up to hundreds; 0: write M as initialised",
    )
    parser.add_argument(
        "--batch-size", type=whole(1, 10_000), default=100, help="sequences per step"
    )
    parser.add_argument("--sequence", type=whole(2, 1000), default=200, help="steps of a sequence")
    parser.add_argument(
        "--learning-rate",
        type=number(0, 1, above=True),
        default=1e-3,
        help="Adam's, at the start; falls to a hundredth by a cosine",
    )
    parser.add_argument(
        "--units", type=whole(1, 4096), default=arch.UNITS, help="size of the memory h"
    )
    parser.add_argument(
        "--mixtures",
        type=whole(1, 100),
        default=arch.MIXTURES,
        help="Gaussians per latent dimension",
    )
    parser.add_argument(
        "--latent-noise",
        type=number(0, 1),
        default=1.0,
        help="share of V's uncertainty in the latents that M learns: 1, as in the paper, samples; "
        "0 means, which are all that it meets in the world",
    )
    parser.add_argument(
        "--reward-weight",
        type=number(0, 1000),
        default=1.0,
        help="weight of the tile head; 0: no head",
    )
    parser.add_argument(
        "--done-weight",
        type=number(0, 1000),
        default=1.0,
        help="weight of the done head; 0: no head",
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
