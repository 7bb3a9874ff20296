"""Train V with an adversary, a VAE-GAN, on the recorded frames.

Writes DIR/models/vaegan/vision.weights.h5, which every later script takes with --vision vaegan,
and to look at res/vaegan_curve.png, vaegan_strip.png (truth above reconstructions) and
vaegan_training.gif. A stopped training goes on with the same command; --finetune trains a finished
one further, with the episodes that are there now.

--variant published is the model once used with World Models; repaired is what its faults taught.
At --depth 32 repaired has exactly the VAE's encoder and decoder. On one core, float32, a step of 32
frames went at 110 frames/s for repaired, 53 with --adversary wgan-gp, and for published 5 at depth
32 and 42 at depth 8, where its encoder and generator take as much arithmetic as the VAE's.
"""

import dataclasses

from runs import config
from settings import MAKERS
from settings.adversary import TrainVAEGAN

if __name__ == "__main__":
    given = config.parse(TrainVAEGAN, __doc__)  # before the imports below

import vae
from envs import rollouts
from runs import arguments, device, directory, fitting, replicas
from vae import arch, arch_vaegan, frames, pictures, scenes, watch


def main(settings: TrainVAEGAN) -> None:
    computer = device.read()
    # Not float16: this training weighs gradients against each other, some of which vanish there.
    precision = device.precision(settings.precision, computer)
    settings = dataclasses.replace(settings, precision=precision)
    devices = replicas.strategy(settings.devices, settings.batch_size)
    data = directory.DataDirectory(settings.data_dir)
    model_directory = data.model(settings.model_name)
    episodes = rollouts.paths(data.rollout, settings.skip_damaged)
    learned, held_out = rollouts.split(episodes)
    visited = frames.count(learned, settings.frame_stride)
    replicas.require_parts(devices, visited, settings.batch_size)
    per_epoch = max(1, visited // settings.batch_size)
    print(
        f"{frames.count(learned):,} frames of {len(learned)} episodes, {visited:,} in an epoch; "
        f"{len(held_out)} episodes held out."
    )

    recipe = settings.recipe
    saved = config.saved(settings) | {"data": rollouts.fingerprint(episodes)}

    with directory.locked(model_directory.path):
        fitting.seed(settings.seed)
        steps = settings.epochs * per_epoch
        dtype = arguments.PRECISIONS[settings.precision]
        with devices.scope():
            model = arch_vaegan.VAEGAN(
                arch_vaegan.encoder(arch.LATENT, settings.depth, recipe, dtype),
                arch_vaegan.generator(arch.LATENT, settings.depth, recipe, dtype),
                arch_vaegan.discriminator(settings.depth, recipe, dtype),
                recipe,
                steps,
                settings.seed,
            )
            model.compile(*arch_vaegan.optimizers(recipe, steps))
        run = fitting.NetworkTraining(model_directory, "vision", saved, settings.from_scratch)
        if run.is_over:
            print(run.nothing_to_do())
            return
        resumed = run.resume(model)
        if not resumed and settings.finetune:
            vae.restore(model_directory, model.encoder, model.generator)

        shown = watched(held_out)
        kept = watch.folder(model_directory.path)
        video = watch.TrainingVideo(kept, shown, steps, resumed=resumed)
        curve = watch.TrainingCurve(kept / "curve.csv", steps, resumed=resumed)
        print(device.report(computer, settings.precision, devices.num_replicas_in_sync))
        fitting.fit(
            model,
            run,
            settings.epochs,
            lambda epoch: frames.batches(
                learned, settings.batch_size, (settings.seed, epoch), settings.frame_stride
            ),
            per_epoch,
            frames.in_order(held_out, settings.batch_size),
            (video, curve, watch.Warnings()),
        )
        model.finalize()
        facts = {
            "architecture": "vaegan",
            "latent": arch.LATENT,
            **saved,
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        vae.save(model_directory, model.encoder, model.generator, facts)
        title = f"VAE-GAN, {settings.variant}"
        curve.save(settings.res / "vaegan_curve.png", run.history, title)
        strip = settings.res / "vaegan_strip.png"
        pictures.strip(strip, [shown, model(shown)], names=("recorded", "what V keeps"))
        video.save(settings.res / "vaegan_training.gif")
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(
        f"{model_directory.weights('vision')}, {settings.res}/vaegan_curve.png, "
        "vaegan_strip.png, vaegan_training.gif"
    )


def watched(held_out: list):
    """The frames to watch: of every kind, where the simulator still drives as it did."""
    try:
        return scenes.fixed(held_out)
    except arguments.BadInput as problem:
        print(f"Watching any frames, for {problem}")
        return pictures.fixed_frames(held_out)


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
