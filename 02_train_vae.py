"""Train V, a variational autoencoder, on the recorded frames.

Writes DIR/models/vae/vision.weights.h5, and res/vae_curve.png and res/vae_strip.png to look at.
A stopped training goes on with the same command; --finetune trains a finished one further, with
the episodes that are there now.
"""

import dataclasses

from runs import config
from settings import MAKERS
from settings.vision import TrainVAE

if __name__ == "__main__":
    given = config.parse(TrainVAE, __doc__)  # before the imports below

import vae
from envs import rollouts
from runs import arguments, device, directory, fitting, plots, replicas
from vae import arch, frames, pictures, watch


def main(settings: TrainVAE) -> None:
    computer = device.read()
    devices = replicas.strategy(settings.devices, settings.batch_size)
    # Of several devices Keras asks the first alone whether the scaled loss has overflowed.
    alone = devices.num_replicas_in_sync == 1
    precision = device.precision(settings.precision, computer, float16=alone)
    settings = dataclasses.replace(settings, precision=precision)
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

    saved = config.saved(settings) | {"data": rollouts.fingerprint(episodes)}

    with directory.locked(model_directory.path):
        fitting.seed(settings.seed)
        dtype = arguments.PRECISIONS[settings.precision]
        with devices.scope():
            model = arch.VAE(
                arch.encoder(settings.latent, settings.depth, dtype),
                arch.decoder(settings.latent, settings.depth, dtype),
                settings.kl_tolerance,
                settings.seed,
                settings.kl_weight,
            )
            model.compile(fitting.adam(settings.learning_rate, settings.epochs * per_epoch))
        run = fitting.NetworkTraining(model_directory, "vision", saved, settings.from_scratch)
        if run.is_over:
            print(run.nothing_to_do())
            return
        if not run.resume(model) and settings.finetune:
            vae.restore(model_directory, model.encoder, model.decoder)

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
            (watch.Warnings(),),
        )
        facts = {
            "architecture": "vae",
            **saved,
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        vae.save(model_directory, model.encoder, model.decoder, facts)
        plots.learning_curve(settings.res / "vae_curve.png", run.history, "V, a VAE", arch.LOSSES)
        truth = pictures.fixed_frames(held_out)
        strip = settings.res / "vae_strip.png"
        pictures.strip(strip, [truth, model(truth)], names=("recorded", "what V keeps"))
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(f"{model_directory.weights('vision')}, {settings.res}/vae_curve.png, vae_strip.png")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
