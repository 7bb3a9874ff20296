"""Let V turn every recorded frame into a latent's mean and log-variance, for M to learn from.

One file per episode in DIR/series/VISION. Run it again after recording more episodes; after
training V anew, or in another precision, it starts over.
"""

from runs import config
from settings import MAKERS
from settings.memory import GenerateRNNData

if __name__ == "__main__":
    given = config.parse(GenerateRNNData, __doc__)  # before the imports below

import vae
from envs import rollouts
from rnn import encode, series
from runs import arguments, device, directory, progress


def main(settings: GenerateRNNData) -> None:
    data = directory.DataDirectory(settings.data_dir)
    computer = device.read()
    precision = device.precision(settings.precision, computer, float16=True)
    vision = vae.load(data.model(settings.vision), arguments.PRECISIONS[precision])
    recorded = rollouts.paths(data.rollout, settings.skip_damaged)
    folder = data.series(settings.vision)
    with directory.locked(folder):
        maker = {"vision": vision.digest, "precision": precision}
        missing = series.prepare(folder, recorded, maker)
        size = series.bytes_of(missing, vision.latent)
        directory.require_space(folder, size, f"{len(missing)} latent episodes")
        print(device.report(computer, precision))
        with progress.bar(len(missing), "episodes") as bar:
            for _ in encode.episodes(vision, missing, folder, settings.batch_size):
                bar.update()
    print(f"{len(missing)} new latent episodes in {folder}, {len(recorded)} in all.")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
