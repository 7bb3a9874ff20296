"""Train V with an adversary, a VAE-GAN, on the recorded frames.

Writes DIR/models/vaegan/vision.weights.h5, which every later script takes with --vision vaegan,
and to look at res/vaegan_curve.png, vaegan_strip.png (truth above reconstructions) and
vaegan_training.gif. A stopped training goes on with the same command; --refine trains a finished
one further, with the episodes that are there now.

--variant published is the model once used with World Models; repaired is what its faults taught.
At --depth 32 repaired has exactly the VAE's encoder and decoder. On one core, float32, a step of 32
frames went at 110 frames/s for repaired, 53 with --adversary wgan-gp, and for published 5 at depth
32 and 42 at depth 8, where its encoder and generator take as much arithmetic as the VAE's.
"""

import argparse
import dataclasses

import vae
from envs import rollouts
from runs import arguments, device, directory, training
from vae import arch, arch_vaegan, frames, pictures, scenes, watch


def main() -> None:
    options = parse()
    computer = device.read()
    options.precision = device.precision(options.precision, computer)
    data = directory.DataDirectory(options.data_dir)
    model_directory = data.model("vaegan")
    episodes = rollouts.paths(data.rollout)
    learned, held_out = rollouts.split(episodes)
    total = frames.count(learned)
    per_epoch = max(1, total // options.batch_size)
    print(f"{total:,} frames of {len(learned)} episodes; {len(held_out)} episodes held out.")

    recipe = arch_vaegan.recipe(options.variant, **changes(options))
    shape = {"depth": options.depth, **dataclasses.asdict(recipe)}
    settings = (
        arguments.settings(
            options, "variant", "epochs", "batch_size", "precision", "seed", "refine"
        )
        | shape
        | {"data": rollouts.fingerprint(episodes)}
    )

    with directory.locked(model_directory.path):
        training.seed(options.seed)
        steps = options.epochs * per_epoch
        dtype = arguments.PRECISIONS[options.precision]
        model = arch_vaegan.VAEGAN(
            arch_vaegan.encoder(arch.LATENT, options.depth, recipe, dtype),
            arch_vaegan.generator(arch.LATENT, options.depth, recipe, dtype),
            arch_vaegan.discriminator(options.depth, recipe, dtype),
            recipe,
            steps,
            options.seed,
        )
        model.compile(*arch_vaegan.optimizers(recipe, steps))
        run = training.Training(model_directory, "vision", settings, options.anew)
        resumed = run.resume(model)
        if not resumed and options.refine:
            vae.restore(model_directory, model.encoder, model.generator)
        if run.finished and model_directory.has("vision"):
            print(f"{model_directory.weights('vision')} is trained; nothing to do.")
            return

        print(device.report(computer, options.precision))
        shown = watched(held_out)
        film = watch.Film(model_directory.path / "film", shown, steps, anew=not resumed)
        course = watch.Course(model_directory.path / "film" / "course.csv", steps, anew=not resumed)
        training.fit(
            model,
            run,
            options.epochs,
            lambda epoch: frames.batches(learned, options.batch_size, (options.seed, epoch)),
            per_epoch,
            frames.in_order(held_out, options.batch_size),
            (film, course, watch.Warnings()),
        )
        model.finalize()
        facts = {
            "architecture": "vaegan",
            "latent": arch.LATENT,
            **settings,
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        vae.save(model_directory, model.encoder, model.generator, facts)
        title = f"VAE-GAN, {options.variant}"
        course.save(options.res / "vaegan_curve.png", run.history, title)
        pictures.strip(options.res / "vaegan_strip.png", [shown, model(shown)])
        film.save(options.res / "vaegan_training.gif")
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(
        f"{model_directory.weights('vision')}, {options.res}/vaegan_curve.png, "
        "vaegan_strip.png, vaegan_training.gif"
    )


def watched(held_out: list):
    """The frames to watch: of every kind, where the simulator still drives as it did."""
    try:
        return scenes.fixed(held_out)
    except arguments.BadInput as problem:
        print(f"Watching any frames, for {problem}")
        return pictures.fixed_frames(held_out)


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_seed(parser)
    arguments.add_res(parser)
    arguments.add_again(parser)
    # Not float16: this training weighs gradients against each other, some of which vanish there.
    arguments.add_precision(parser, on="the GPU or the processor")
    whole = arguments.whole
    parser.add_argument(
        "--variant", choices=tuple(arch_vaegan.RECIPES), default="repaired", help="which recipe"
    )
    parser.add_argument(
        "--epochs", type=whole(1, 10_000), default=10, help="passes over all frames"
    )
    parser.add_argument("--batch-size", type=whole(2, 10_000), default=100, help="frames per step")
    parser.add_argument(
        "--depth", type=whole(2, 256), default=32, help="filters that all layers are multiples of"
    )
    recipe = parser.add_argument_group(
        "the recipe, ingredient by ingredient (None: as the variant has it)"
    )
    for field in dataclasses.fields(arch_vaegan.Recipe):
        words = {"help": field.metadata["help"], "default": None}
        flag = "--" + field.name.replace("_", "-")
        if field.type is bool:
            recipe.add_argument(flag, action=argparse.BooleanOptionalAction, **words)
        elif field.type is str:
            recipe.add_argument(flag, choices=field.metadata["choices"], **words)
        else:
            most = field.metadata["most"]
            kind = whole(1, most) if field.type is int else arguments.number(0, most)
            recipe.add_argument(flag, type=kind, **words)
    return parser.parse_args()


def changes(options) -> dict:
    """The ingredients that the user gave."""
    names = [field.name for field in dataclasses.fields(arch_vaegan.Recipe)]
    given = arguments.settings(options, *names)
    return {name: value for name, value in given.items() if value is not None}


if __name__ == "__main__":
    arguments.run(main)
