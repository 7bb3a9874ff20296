"""Train V, a variational autoencoder, on the recorded frames.

Writes DIR/models/vae/vision.weights.h5, and res/vae_curve.png and res/vae_strip.png to look at.
A stopped training goes on with the same command; --refine trains a finished one further, with
the episodes that are there now.
"""

import vae
from envs import rollouts
from runs import arguments, device, directory, plots, training
from vae import arch, frames, pictures


def main() -> None:
    options = parse()
    computer = device.read()
    options.precision = device.precision(options.precision, computer, float16=True)
    data = directory.DataDirectory(options.data_dir)
    model_directory = data.model("vae")
    episodes = rollouts.paths(data.rollout)
    learned, held_out = rollouts.split(episodes)
    total = frames.count(learned)
    per_epoch = max(1, total // options.batch_size)
    print(f"{total:,} frames of {len(learned)} episodes; {len(held_out)} episodes held out.")

    settings = arguments.settings(
        options,
        "epochs",
        "batch_size",
        "learning_rate",
        "kl_tolerance",
        "precision",
        "seed",
        "refine",
    ) | {"data": rollouts.fingerprint(episodes)}

    with directory.locked(model_directory.path):
        training.seed(options.seed)
        dtype = arguments.PRECISIONS[options.precision]
        encoder, decoder = arch.encoder(dtype=dtype), arch.decoder(dtype=dtype)
        model = arch.VAE(encoder, decoder, options.kl_tolerance, options.seed)
        model.compile(training.adam(options.learning_rate, options.epochs * per_epoch))
        run = training.Training(model_directory, "vision", settings, options.anew)
        if not run.resume(model) and options.refine:
            vae.restore(model_directory, model.encoder, model.decoder)
        if run.finished and model_directory.has("vision"):
            print(f"{model_directory.weights('vision')} is trained; nothing to do.")
            return

        print(device.report(computer, options.precision))
        training.fit(
            model,
            run,
            options.epochs,
            lambda epoch: frames.batches(learned, options.batch_size, (options.seed, epoch)),
            per_epoch,
            frames.in_order(held_out, options.batch_size),
        )
        facts = {
            "architecture": "vae",
            "latent": arch.LATENT,
            **settings,
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        vae.save(model_directory, model.encoder, model.decoder, facts)
        plots.learning_curve(options.res / "vae_curve.png", run.history, "VAE")
        truth = pictures.fixed_frames(held_out)
        pictures.strip(options.res / "vae_strip.png", [truth, model(truth)])
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(f"{model_directory.weights('vision')}, {options.res}/vae_curve.png, vae_strip.png")


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_res(parser)
    arguments.add_again(parser)
    arguments.add_precision(parser, "float16", on="the GPU or the processor")
    whole, number = arguments.whole, arguments.number
    parser.add_argument(
        "--epochs", type=whole(1, 10_000), default=10, help="passes over all frames"
    )
    parser.add_argument("--batch-size", type=whole(1, 10_000), default=100, help="frames per step")
    parser.add_argument(
        "--learning-rate",
        type=number(0, 1, above=True),
        default=1e-3,
        help="Adam's, at the start; falls to a hundredth by a cosine",
    )
    parser.add_argument(
        "--kl-tolerance",
        type=number(0, 1000),
        default=0.5,
        help="nats of KL for each latent dimension that cost nothing",
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
