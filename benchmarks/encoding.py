"""How fast recorded episodes become latent ones (03_generate_rnn_data.py).

    python benchmarks/encoding.py

Against the published way: each episode read, turned to float32 and given to `predict`, whose
result is written. Both read and write the same files, a round each in turn, with all cores. Times
are of the clock on the wall, for `predict` waits as well as it computes.
"""

import tempfile
import time
from collections import defaultdict
from pathlib import Path

import vae
from envs import rollouts
from rnn import encode
from runs.arguments import PRECISIONS, run
from runs.directory import write_json
from runs.processors import native_precisions

import command_line
import common
import keras
import numpy as np

TO_REACH = 2
BATCH = 64  # frames, the script's default


def published_way(encoder: keras.Model, sources: list[Path], folder: Path) -> None:
    for source in sources:
        with np.load(source, allow_pickle=False) as arrays:
            frames = arrays["obs"].astype(np.float32) / 255
            rest = {name: arrays[name] for name in ("action", "reward", "done")}
        mean, log_variance = encoder.predict(frames, verbose=0)
        np.savez_compressed(folder / source.name, mean=mean, log_variance=log_variance, **rest)


def our_way(vision: vae.Vision, sources: list[Path], folder: Path) -> None:
    for _ in encode.episodes(vision, sources, folder, BATCH):
        pass


def measure(rounds: int, episodes: int, steps: int) -> dict:
    """Frames a second of every way, and ratios. A round is one turn of each."""
    measured = defaultdict(list)
    with common.model_directory(None) as directory, tempfile.TemporaryDirectory() as place:
        sources = common.record(Path(place) / "rollout", episodes, steps)
        target = Path(place) / "series"
        target.mkdir()
        visions = {name: vae.load(directory, PRECISIONS[name]) for name in native_precisions()}
        encoder = common.float_encoder(visions["float32"].encoder)
        ways = {name: (our_way, vision) for name, vision in visions.items()}
        ways["published way"] = (published_way, encoder)
        frames = sum(map(rollouts.length, sources))
        for number in range(rounds + 1):
            for name, (way, subject) in ways.items():
                start = time.perf_counter()
                way(subject, sources, target)
                # The first round, with what is made on first use, does not count.
                if number > 0:
                    measured[name].append(frames / (time.perf_counter() - start))
    return {
        "settings": {"rounds": rounds, "episodes": episodes, "frames": frames, "batch": BATCH},
        "frames_per_s": common.medians(measured),
        "ratios": {
            name: common.ratio(measured[name], measured["published way"]) for name in visions
        },
    }


def main() -> None:
    parser = command_line.parser(__doc__, __file__, rounds=7)
    command_line.add_episodes(parser, 8)
    arguments = parser.parse_args()
    result = measure(arguments.rounds, arguments.episodes, arguments.steps)
    rates = result["frames_per_s"]
    common.row("encoding episodes, all cores", "frames/s", "ratio", "to reach")
    common.row("published way", f"{rates['published way']:,.0f}")
    for name, ratio in result["ratios"].items():
        common.row(f"ours, {name}", f"{rates[name]:,.0f}", f"{ratio:.2f} x", f"{TO_REACH} x")
    write_json(arguments.json, result)


if __name__ == "__main__":
    run(main)
