"""A VAE against VAE-GANs: the same frames, the same number of steps, several seeds, one table.

Learns from the episodes in DIR/rollout and measures on every third of them, which no training
sees. Frames as an agent meets them, those of the published tables:

    python 01_generate_data.py --data-dir seen --episodes 18 --steps 500
    mkdir -p seen/models && cp -r res/published/vae seen/models
    python 01_generate_data.py --data-dir seen --episodes 54 --steps 500 --policy agent
    python benchmarks/vision.py --data-dir seen --res seen/res

With --remedies it goes from the published VAE-GAN to the repaired one instead, an ingredient at a
time. Writes res/vision.md, .json and .png (with --remedies vaegan_remedies) and, of what each
model costs, res/vision_cost.md. Whatever is finished is kept, so that a stopped run goes on.
"""

import dataclasses
import re
from pathlib import Path

import vae
from envs import rollouts
from runs import arguments, config, directory
from runs.config import override, setting
from runs.directory import DataDirectory, ModelDirectory
from settings import MAKERS
from settings.shared import DataDir, Res
from settings.vision import FrameBatch, Passes, Sparse

import common
import numpy as np

MEASURED = 1 / 3  # of the episodes: never learned from

# The published layers at depth 8 take about as much arithmetic, in E and G, as the VAE's. Their
# own rate of 1e-4 belongs to a training many times as long (--remedies begins with it), so here
# all three networks learn at the others' rate.
PUBLISHED = "--variant published --depth 8"
FASTER = "--learning-rate 1e-3 --critic-rate 1e-3"
SEVERAL_SEEDS = {
    "VAE": ("02_train_vae.py", ""),
    "VAE-GAN repaired": ("02_train_vae_gan.py", ""),
}
ONE_SEED = {
    "VAE-GAN published, rate 1e-3": ("02_train_vae_gan.py", f"{PUBLISHED} {FASTER}"),
    "VAE-GAN repaired, WGAN-GP": ("02_train_vae_gan.py", "--adversary wgan-gp"),
}

# From published to repaired; each adds to those above it, so one that is not kept is undone by
# the next. The rates come first: at 1e-4 so short a training would show nothing of the others.
REMEDIES = {
    "published": "",
    "rates": "--learning-rate 1e-3 --critic-rate 5e-4 --critic-momentum 0.5 --falling",
    "linear heads": "--heads linear",
    "KL in full, with free bits": "--kl-weight 1 --kl-tolerance 0.5 --moments 0",
    "pixel error, adversary ramped in": "--pixels 1 --ramp-start 0.1 --ramp-end 0.4",
    "living D without BatchNorm": "--discriminator living",
    "relative feature distance": "--relative --features 20",
    "hinge": "--adversary hinge",
    "R1 (not kept)": "--r1 1",
    "adaptive adversary weight": "--r1 0 --adaptive --deception 0.2",
    "equilibrium rule": "--equilibrium",
    "averaged weights": "--averaging 0.05",
    "the VAE's layers": "--layers vae --depth 32",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisionBenchmark(Sparse, Passes, FrameBatch, Res, DataDir):
    """The settings of this script."""

    epochs: int = override(Passes, "epochs", default=1)
    batch_size: int = override(FrameBatch, "batch_size", default=16)
    seeds: int = setting(3, "of the VAE and the repaired", least=1, most=100)
    episodes: int | None = setting(
        None, "learn from only so many, spread over all", words="all", least=2
    )
    remedies: bool = setting(False, "from published to repaired, step by step")


@dataclasses.dataclass(frozen=True)
class VisionTraining:
    """One training: the column of the table it belongs to, its script and arguments."""

    name: str
    script: str
    arguments: list[str]

    @property
    def vision(self) -> str:
        return "vae" if self.script == "02_train_vae.py" else "vaegan"

    @property
    def folder(self) -> str:
        words = [self.name, *self.arguments[-2:]] if "--seed" in self.arguments else [self.name]
        return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")


def main() -> None:
    options = config.parse(VisionBenchmark, __doc__)
    trials = remedies() if options.remedies else models(options.seeds)
    name = "vaegan_remedies" if options.remedies else "vision"
    place = options.data_dir / name
    learned, unseen = share(DataDirectory(options.data_dir).rollout, place, options.episodes)
    trained = [(trial, train(trial, place, learned, options)) for trial in trials]
    common.run_script(
        ["evaluate_vision.py"]
        + [f"{trial.name}={data.model(trial.vision).path}" for trial, data in trained]
        + ["--data-dir", place, "--unseen", unseen, "--res", options.res, "--name", name]
        + ["--every", options.every, "--against", "above" if options.remedies else "first"]
    )
    table = costs(trained)
    directory.write_text(options.res / f"{name}_cost.md", table)
    print(table)


def models(seeds: int) -> list[VisionTraining]:
    """Every training of the comparison: seed after seed, then those that one seed has to do for."""
    each = [
        VisionTraining(name, script, [*more.split(), "--seed", str(seed)])
        for seed in range(1, seeds + 1)
        for name, (script, more) in SEVERAL_SEEDS.items()
    ]
    return each + [
        VisionTraining(name, script, more.split()) for name, (script, more) in ONE_SEED.items()
    ]


def remedies() -> list[VisionTraining]:
    """The published recipe, and every remedy on top of those before it."""
    given, chosen = PUBLISHED.split(), []
    for number, (name, more) in enumerate(REMEDIES.items()):
        given = given + more.split()
        chosen.append(VisionTraining(f"{number}. {name}", "02_train_vae_gan.py", given))
    return chosen


def share(recorded: Path, place: Path, episodes: int | None) -> tuple[Path, Path]:
    """Link recorded episodes into a folder to learn from and one to measure on, and name both.

    Every third is measured on, whichever policy drove. Of the others only so many `episodes` are
    learned from, spread evenly.
    """
    learned, unseen = rollouts.split(rollouts.paths(recorded), MEASURED)
    if episodes is not None:
        spread = np.linspace(0, len(learned) - 1, min(episodes, len(learned)))
        learned = [learned[i] for i in spread.astype(int)]
    folders = place / "rollout", place / "unseen"
    for folder, paths in zip(folders, (learned, unseen), strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for path in paths:
            (folder / path.name).symlink_to(path.resolve())
    return folders


def train(
    trial: VisionTraining, place: Path, learned: Path, options: VisionBenchmark
) -> DataDirectory:
    """Train a model in a data directory of its own; say what it cost if it ran in one go."""
    data = DataDirectory(place / trial.folder)
    anew = not data.model(trial.vision).path.exists()
    if not data.rollout.exists():
        data.root.mkdir(exist_ok=True)
        data.rollout.symlink_to(learned.resolve())
    print(f"{trial.folder}:", flush=True)
    cost = common.run_script(
        [trial.script, "--data-dir", data.root, "--res", data.root / "res"]
        + ["--epochs", options.epochs, "--batch-size", options.batch_size, *trial.arguments]
    )
    if anew:
        directory.write_json(data.root / "cost.json", cost)
    return data


def costs(trained: list[tuple[VisionTraining, DataDirectory]]) -> str:
    """A table: arithmetic of E and G; speed and memory of the training, medians over seeds."""
    head = ["E, million multiply-adds a frame", "G", "frames per processor second", "MiB"]
    lines = [["", *head], ["---"] * (len(head) + 1)]
    groups = {}
    for trial, data in trained:
        groups.setdefault(trial.name, []).append((data.model(trial.vision), data))
    for name, members in groups.items():
        vision = vae.load(members[0][0])
        networks = vision.encoder, vision.decoder
        cells = [f"{common.multiply_adds(network) / 1e6:.1f}" for network in networks]
        found = [measured for model, data in members if (measured := speed(model, data))]
        medians = np.median(found, axis=0) if found else ["not in one go"] * 2
        lines.append([name, *cells, *(f"{value:,.0f}" if found else value for value in medians)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def speed(model: ModelDirectory, data: DataDirectory) -> tuple[float, float] | None:
    """Frames per second of processor time, and MiB; nothing of a training that was stopped."""
    path = data.root / "cost.json"
    if not path.exists():
        return None
    cost, facts = directory.read_json(path), model.facts("vision")
    learned, _ = rollouts.split(rollouts.paths(data.rollout))
    total = sum(map(rollouts.length, learned))
    frames = facts["epochs"] * (total - total % facts["batch_size"])
    return frames / cost["cpu_s"], cost["mib"]


if __name__ == "__main__":
    arguments.run(main, makers=MAKERS)
