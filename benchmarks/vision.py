"""A VAE against VAE-GANs: the same frames, the same number of steps, several seeds, one table.

Records episodes of a driver that is told the road and wanders over all its width, and some of the
random one; trains every model with its script; measures all on episodes that none has seen. With
--remedies it goes from the published VAE-GAN to the repaired one instead, an ingredient at a time.
Whatever is finished is kept, so that a stopped run goes on.
"""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

import envs  # noqa: E402, F401 - registers the environment
from envs import recording, rollouts, tracks, truth  # noqa: E402
from runs import arguments, directory, progress  # noqa: E402

import gymnasium  # noqa: E402
import numpy as np  # noqa: E402

RECORDING_SEED = 999  # its tracks are nobody else's
UNSEEN = 0.5  # episodes to measure on, for each episode to learn from

# The published layers at depth 8 take as much arithmetic, in E and G, as the VAE's.
PUBLISHED = ["--variant", "published", "--depth", "8"]
MODELS = {
    "VAE": ("02_train_vae.py", []),
    "VAE-GAN repaired": ("02_train_vae_gan.py", []),
    "VAE-GAN published": ("02_train_vae_gan.py", PUBLISHED),
    "VAE-GAN repaired WGAN-GP": ("02_train_vae_gan.py", ["--adversary", "wgan-gp"]),
}
ONE_SEED_DOES = ("VAE-GAN published", "VAE-GAN repaired WGAN-GP")

# From published to repaired; each adds to those above it.
REMEDIES = {
    "published": "",
    "linear heads": "--heads linear",
    "KL in full, with free bits": "--kl 1 --kl-tolerance 0.5 --moments 0",
    "pixel error, adversary ramped in": "--pixels 1 --ramp-start 0.1 --ramp-end 0.4",
    "living D without BatchNorm": "--discriminator living",
    "relative feature distance": "--relative --features 20",
    "hinge": "--adversary hinge",
    "adaptive adversary weight": "--adaptive --deception 0.2",
    "equilibrium rule": "--equilibrium",
    "rates": "--learning-rate 1e-3 --critic-rate 5e-4 --critic-momentum 0.5 --falling",
    "averaged weights": "--averaging 0.05",
    "the VAE's layers": "--layers vae --depth 32",
}


def main() -> None:
    options = parse()
    learned, unseen = record(options)
    chosen = remedies() if options.remedies else models(options.seeds)
    trained = [(model[0], train(options, learned, *model)) for model in chosen]
    named = [f"{name.split('-seed-')[0]}={path}" for name, path in trained]
    subprocess.run(
        [sys.executable, TOP / "evaluate_vision.py", *named]
        + ["--data-dir", trained[0][1].parents[1], "--unseen", unseen, "--res", options.res]
        + ["--name", "vaegan_remedies" if options.remedies else "vision"],
        check=True,
    )


def models(seeds: int) -> list[tuple[str, str, list[str]]]:
    """(name, script, arguments) of every training of the comparison, the first seeds first."""
    return [
        (f"{name}-seed-{seed}", script, [*more, "--seed", str(seed)])
        for seed in range(1, seeds + 1)
        for name, (script, more) in MODELS.items()
        if seed == 1 or name not in ONE_SEED_DOES
    ]


def remedies() -> list[tuple[str, str, list[str]]]:
    given, chosen = list(PUBLISHED), []
    for number, (name, more) in enumerate(REMEDIES.items()):
        given = given + more.split()
        chosen.append((f"{number}. {name}", "02_train_vae_gan.py", given))
    return chosen


def record(options) -> tuple[Path, Path]:
    """The folders of the episodes to learn from and of those to measure on, filled."""
    folders = options.data_dir / "learned", options.data_dir / "unseen"
    driven = tracks.recording(RECORDING_SEED, "agent", options.episodes)
    random = tracks.recording(RECORDING_SEED, "random", max(2, options.episodes // 5))
    total = len(driven) + len(random)
    with progress.bar(total, "episodes") as bar:
        for kind, seeds in (("driven", driven), ("random", random)):
            kept = round(len(seeds) * (1 - UNSEEN / (1 + UNSEEN)))
            for number, track in enumerate(seeds):
                folder = folders[number >= kept]
                path = rollouts.path_of(folder, track)
                if not path.exists() and kind == "driven":
                    drive(path, track, options.steps)
                elif not path.exists():
                    recording.record(folder, track, "random", options.steps)
                bar.update()
    return folders


def drive(path: Path, track: int, steps: int) -> None:
    """Record an episode of a driver that is told the road, and wanders over all its width."""
    rng = np.random.default_rng((track, 2))
    env = gymnasium.make("WorldModels/CarRacing-v0")
    frame, _ = env.reset(seed=track)
    world = env.unwrapped
    road = np.array(world.track)
    log = recording.EpisodeLog()
    aim, pace = 0.0, rng.uniform(25, 60)
    for _ in range(steps):
        # A slow random walk from kerb to kerb, and now and then beyond.
        aim = 0.98 * aim + rng.normal(0, 0.2 * truth.HALF_WIDTH)
        offset, heading, curvature, speed = truth.state(world.car.hull, road)
        steering = 0.8 * heading + 0.05 * (aim - offset) - 8 * curvature + rng.normal(0, 0.1)
        wanted = pace / (1 + 25 * abs(curvature))
        gas, brake = np.clip([0.05 * (wanted - speed), 0.02 * (speed - wanted)], 0, 1)
        action = np.array([np.clip(steering, -1, 1), gas, min(brake, 0.8)], np.float32)
        following, reward, terminated, truncated, _ = env.step(action)
        log.add(frame, action, reward, terminated)
        frame = following
        if terminated or truncated:
            break
    env.close()
    rollouts.write(path, log.episode())


def train(options, learned: Path, name: str, script: str, more: list[str]) -> Path:
    """Train a model in a data directory of its own; return its model directory."""
    data = options.data_dir / re.sub(r"[^a-z0-9-]+", "-", name.lower())
    data.mkdir(parents=True, exist_ok=True)
    rollout = data / "rollout"
    if not rollout.exists():
        rollout.symlink_to(learned.resolve())
    print(f"{name}:", flush=True)
    subprocess.run(
        [sys.executable, TOP / script, "--data-dir", data, "--res", data / "res"]
        + ["--epochs", str(options.epochs), "--batch-size", str(options.batch_size), *more],
        check=True,
    )
    vision = "vae" if script == "02_train_vae.py" else "vaegan"
    return directory.DataDirectory(data).model(vision).path


def parse():
    parser = arguments.parser(__doc__)
    arguments.add_data_dir(parser)
    arguments.add_res(parser)
    whole = arguments.whole
    parser.add_argument(
        "--seeds", type=whole(1, 100), default=3, help="of the VAE and the repaired"
    )
    parser.add_argument("--episodes", type=whole(4, 10_000), default=60, help="driven episodes")
    parser.add_argument("--steps", type=whole(60, 1000), default=300, help="most steps of each")
    parser.add_argument("--epochs", type=whole(1, 1000), default=3, help="passes over all frames")
    parser.add_argument("--batch-size", type=whole(2, 1000), default=16, help="frames per step")
    parser.add_argument(
        "--remedies", action="store_true", help="from published to repaired, step by step"
    )
    return parser.parse_args()


if __name__ == "__main__":
    arguments.run(main)
