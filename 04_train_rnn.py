"""Train M, a mixture density recurrent network, on the latent episodes.

Writes DIR/models/VISION/rnn.weights.h5 and starts.npz (where its dreams begin), and
RES/VISION_rnn_curve.png and RES/VISION_rnn_predictions.png (from above: truth, what V keeps of it,
M one step ahead, M left to itself). A stopped training goes on with the same command; --finetune
trains a finished one further. With --steps 0 there is no training, and M is written as it was
initialised, a baseline: a memory that has learned nothing.
"""

from runs import config
from settings import MAKERS
from settings.memory import TrainRNN

if __name__ == "__main__":
    given = config.parse(TrainRNN, __doc__)  # before the imports below

import rnn
import vae
from envs import rollouts
from rnn import arch, pictures, series
from rnn.dream import starts
from runs import arguments, device, directory, fitting, plots, replicas

STEPS_PER_EPOCH = 100
HELD_OUT_BATCHES = 4


def main(settings: TrainRNN) -> None:
    devices = replicas.strategy(settings.devices, settings.batch_size)
    data = directory.DataDirectory(settings.data_dir)
    model_directory = data.model(settings.vision)
    vision = vae.load(model_directory)
    latents = data.series(settings.vision)
    episodes = series.paths(latents, vision.latent, vision.digest, settings.skip_damaged)
    series.refuse_exchanged(latents, data.rollout)
    learned, held_out = rollouts.split(episodes)
    shown = pictures.subject(data.rollout, held_out, vision.latent)
    epochs = -(-settings.steps // STEPS_PER_EPOCH)
    print(f"{len(learned)} latent episodes; {len(held_out)} held out.")

    bound = {"vision": vision.digest, "data": rollouts.fingerprint(episodes)}
    saved = config.saved(settings) | bound

    with directory.locked(model_directory.path):
        fitting.seed(settings.seed)
        # No schedule has no steps; that of an M which is not trained is not used.
        steps = max(1, epochs) * STEPS_PER_EPOCH
        with devices.scope():
            model = arch.MDNRNN(
                vision.latent,
                settings.units,
                settings.mixtures,
                {"tile": settings.reward_weight, "done": settings.done_weight},
                settings.seed,
                settings.latent_noise,
            )
            model.compile(fitting.adam(settings.learning_rate, steps, clip=1.0))
        run = fitting.NetworkTraining(model_directory, "rnn", saved, settings.from_scratch)
        if run.is_over:
            print(run.nothing_to_do())
            return
        if not run.resume(model) and settings.finetune:
            rnn.restore(model_directory, model.network)

        def batches_of(paths, count):
            return series.batches_of(
                paths,
                vision.latent,
                settings.batch_size,
                settings.sequence,
                count,
                (settings.seed,),
            )

        print(device.report(device.read(), "float32", devices.num_replicas_in_sync))
        validation = batches_of(held_out, HELD_OUT_BATCHES)()
        if settings.steps:
            fitting.fit(
                model,
                run,
                epochs,
                batches_of(learned, STEPS_PER_EPOCH),
                STEPS_PER_EPOCH,
                validation,
            )
        else:
            fitting.measure(model, run, validation)
        facts = {
            "latent": vision.latent,
            "heads": list(model.head_weights),
            **saved,
            "finetuned_from": rnn.lineage(model_directory, saved) if settings.finetune else [],
            "losses": run.history[-1],
            "core_hours": run.core_hours(),
        }
        rnn.save(model_directory, model.network, facts)
        starts.write(model_directory, episodes, vision, rnn.load(model_directory))
        if settings.steps:
            curve = settings.res / f"{settings.vision}_rnn_curve.png"
            unit = f"gradient steps / {STEPS_PER_EPOCH}"
            plots.learning_curve(curve, run.history, "M", arch.LOSSES, unit)
        predictions = settings.res / f"{settings.vision}_rnn_predictions.png"
        pictures.predictions(predictions, vision, rnn.load(model_directory), *shown)
        # Last: a training killed while it draws is not over, and draws again.
        run.finish()
    print(f"{model_directory.weights('rnn')}, {settings.res}/{settings.vision}_rnn_*.png")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
