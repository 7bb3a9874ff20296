"""Train a conditional VAE that predicts video from a few frames, the actions and noise.

Writes DIR/models/cvae/cvae.weights.h5; RES/cvae_curve.png (losses, KL in nats, β, teacher forcing,
PSNR on held-out videos beside that of the last frame seen, copied); RES/cvae_strip.png and
cvae.gif (truth above prediction). A stopped training goes on with the same command; --finetune
trains a finished one further. The loss is Σ mean squared error + β Σ KL, over the frames.
"""

from runs import config
from settings import MAKERS
from settings.video import TrainCVAE

if __name__ == "__main__":
    given = config.parse(TrainCVAE, __doc__)  # before the imports below

import rnn.video
from rnn.video import pictures, schedules, sequences
from rnn.video.arch_cvae import Networks
from rnn.video.saved import PART
from rnn.video.training import CVAE
from runs import arguments, device, directory, fitting, replicas

HELD_OUT_BATCHES = 4


def main(settings: TrainCVAE) -> None:
    devices = replicas.strategy(settings.devices, settings.batch_size)
    data = directory.DataDirectory(settings.data_dir)
    model_directory = data.model(settings.model_name)
    frames = settings.past + settings.future
    folder = settings.path or data.rollout
    videos = sequences.load(settings.source, folder, settings.skip_damaged)
    learned = sequences.long_enough(videos.learned, frames)
    held_out = sequences.long_enough(videos.held_out, frames)
    print(f"{len(learned)} videos of {frames} frames or more; {len(held_out)} held out.")

    saved = config.saved(settings) | {"data": videos.fingerprint}

    with directory.locked(model_directory.path):
        fitting.seed(settings.seed)
        steps = settings.epochs * settings.epoch_steps
        with devices.scope():
            networks = Networks(videos.condition, settings.width, settings.past, settings.prior)
            model = CVAE(networks, settings.future, settings.seed)
            model.compile(fitting.adam(settings.learning_rate, steps))
        run = fitting.NetworkTraining(model_directory, PART, saved, settings.from_scratch)
        if run.is_over:
            print(run.nothing_to_do())
            return
        if not run.resume(model) and settings.finetune:
            rnn.video.restore(model_directory, networks)

        def batches(chosen, count, *seed):
            return sequences.batches(chosen, frames, settings.batch_size, count, seed)

        print(device.report(device.read(), "float32", devices.num_replicas_in_sync))
        fitting.fit(
            model,
            run,
            settings.epochs,
            lambda epoch: batches(learned, settings.epoch_steps, settings.seed, epoch),
            settings.epoch_steps,
            batches(held_out, HELD_OUT_BATCHES, settings.seed),
            (schedules.Schedules(settings),),
            model.logged,
        )
        facts = {
            "condition": videos.condition,
            **saved,
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        rnn.video.save(model_directory, networks, facts)
        pictures.learning_curve(settings.res / "cvae_curve.png", run.history, settings)
        pictures.prediction(settings.res, "cvae", networks, held_out, settings.seed)
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(
        f"{model_directory.weights(PART)}, {settings.res}/cvae_curve.png, cvae_strip.png, cvae.gif"
    )


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
