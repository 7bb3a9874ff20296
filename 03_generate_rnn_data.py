"""Let V turn every recorded frame into a latent's mean and log-variance, for M to learn from.

One file per episode in DIR/series/VISION. Run it again after recording more episodes; after
training V anew, or in another precision, it starts over.
"""

from collections.abc import Iterator

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
    # The workers of a cluster have no GPU.
    computer = device.read() if settings.cluster is None else device.read_processors()
    precision = device.precision(settings.precision, computer, float16=True)
    vision = vae.load(data.model(settings.vision), arguments.PRECISIONS[precision])
    recorded = rollouts.paths(data.rollout, settings.skip_damaged)
    folder = data.series(settings.vision)
    with directory.locked(folder):
        maker = {"vision": vision.digest, "precision": precision}
        missing = series.prepare(folder, recorded, maker)
        size = series.bytes_of(missing, vision.latent)
        directory.require_space(folder, size, f"{len(missing)} latent episodes")
        if settings.cluster is None or not missing:
            print(device.report(computer, precision))
            encoded: Iterator = encode.episodes(vision, missing, folder, settings.batch_size)
        else:
            encoded = encode.episodes_elsewhere(
                settings.place,
                encode.preparation_of(data.model(settings.vision), precision),
                missing,
                folder,
                settings.batch_size,
                settings.all_see_disk,
            )
        with progress.bar(len(missing), "episodes") as bar:
            for _ in encoded:
                bar.update()
    print(f"{len(missing)} new latent episodes in {folder}, {len(recorded)} in all.")


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
