"""Let V turn every recorded frame into a latent's mean and log-variance, for M to learn from.

One file per episode in DIR/series/VISION. Run it again after recording more episodes; after
training V anew, or in another precision, it starts over.
"""

import vae
from envs import rollouts
from rnn import encode, series
from runs import arguments, device, directory, progress


def main() -> None:
    options = parse()
    computer = device.read()
    options.precision = device.precision(options.precision, computer, float16=True)
    data = directory.DataDirectory(options.data_dir)
    vision = vae.load(data.model(options.vision), arguments.PRECISIONS[options.precision])
    recorded = rollouts.paths(data.rollout)
    folder = data.series(options.vision)
    with directory.locked(folder):
        made_by = {"vision": vision.digest, "precision": options.precision}
        missing = series.prepare(folder, recorded, made_by)
        print(device.report(computer, options.precision))
        with progress.bar(len(missing), "episodes") as bar:
            for _ in encode.episodes(vision, missing, folder, options.batch_size):
                bar.update()
    print(f"{len(missing)} new latent episodes in {folder}, {len(recorded)} in all.")


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_vision(parser)
    arguments.add_precision(parser, "float16", on="the GPU or the processor")
    parser.add_argument(
        "--batch-size",
        type=arguments.whole(1, 10_000),
        default=encode.BATCH,
        help="frames encoded at once",
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
