"""Record a robot arm that pushes a block, in the layouts of BAIR's robot pushing.

The real one (Ebert et al. 2017; softmotion30_44k, 30 GB) is at
https://rail.eecs.berkeley.edu/datasets/bair_robot_pushing_dataset_v0.tar. This is its like, for
machines that cannot fetch it: Gymnasium-Robotics' FetchPush drawn off-screen at 64×64, 30 frames a
sequence, actions of 4 numbers and the gripper's position (3), pushes at random. Every tenth
sequence is for the test and, in folders, every tenth for validation. What is there stays.

    pip install -e .[robot]; MUJOCO_GL=egl python benchmarks/robot_pushing.py
    python 04_train_cvae.py --source bair --path data/robot --width 0.125
"""

import functools
import multiprocessing
import os
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

from runs.arguments import folder, whole
from runs.progress import bar

import command_line
import numpy as np

FRAMES = 30
SHARD = 10  # sequences in a file of TFRecords, as many as lie between two for the test
HOLD = 6  # steps that the gripper aims at one point
CAMERA = {"lookat": (1.12, 0.75, 0.42), "distance": 0.85, "azimuth": 180.0, "elevation": -45.0}
BEYOND = 0.12  # metres beyond the block that a push aims at
TABLE = (1.15, 0.55), (1.5, 0.95)  # metres: corners of where a gripper goes that does not push
HEIGHT = 0.43  # metres, of the block's middle
GAIN = 8.0  # action for each metre that the gripper is away from where it aims
NOISE = 0.15  # SD, on every action


def main() -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument(
        "--sequences",
        type=whole(20),
        default=1000,
        help="in all, in tens: 25 are made 30 (default: 1,000; from 20)",
    )
    parser.add_argument(
        "--layout",
        choices=("tfrecords", "folders"),
        default="tfrecords",
        help="one file for ten sequences, or PNG and CSV (default: tfrecords)",
    )
    parser.add_argument(
        "--folder",
        type=folder,
        default=Path("data/robot"),
        metavar="DIR",
        help="where they go (default: data/robot)",
    )
    command_line.add(parser, "--workers", default=2, help="processes that draw")
    given = parser.parse_args()
    # In whole shards, so that a sequence stays in its part when a set grows.
    shards = range(0, given.sequences, SHARD)
    os.environ.setdefault("MUJOCO_GL", "egl")  # Read when MuJoCo is imported.
    began, made = time.monotonic(), 0
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(given.workers, mp_context=spawn) as workers,
        bar(len(shards) * SHARD, "sequences") as progress,
    ):
        for first in shards:
            numbers = range(first, first + SHARD)
            try:
                made += write(given.folder, given.layout, numbers, workers)
            except (ImportError, RuntimeError) as problem:  # a worker that died among the latter
                sys.exit(f"robot_pushing.py: {problem}; pip install -e .[robot], libegl1 or GLEW.")
            progress.update(len(numbers))
    seconds = time.monotonic() - began
    print(f"{made} new sequences in {given.folder}, {made * FRAMES / seconds:.1f} frames a second.")


def write(place: Path, layout: str, numbers: range, workers: Executor) -> int:
    """Record the sequences that are not there; return their number. The last is for the test."""
    # Imported here: TensorFlow and what MuJoCo draws with do not go together in one process.
    from rnn.video import bair

    *train, test = numbers
    if layout == "tfrecords":
        name = f"traj_{numbers[0]}_to_{numbers[-1]}.tfrecords"
        parts = {f"{bair.INNER}/train/{name}": train, f"{bair.INNER}/test/{name}": [test]}
        missing = {place / path: own for path, own in parts.items() if not (place / path).exists()}
        for path, own in missing.items():
            bair.write_records(path, workers.map(record, own))
        return sum(map(len, missing.values()))
    shares = {number: "train" for number in train[:-1]} | {train[-1]: "validate", test: "test"}
    paths = {n: place / part / f"traj_{numbers[0]}" / str(n) for n, part in shares.items()}
    # The last of a folder's files to be written says that it is whole.
    lacking = [n for n, path in paths.items() if not (path / "endeffector_positions.csv").exists()]
    for number, sequence in zip(lacking, workers.map(record, lacking), strict=True):
        bair.write_folder(paths[number], *sequence)
    return len(lacking)


@functools.cache
def world():
    import gymnasium
    import gymnasium_robotics  # noqa: F401 - registers the environment

    return gymnasium.make(
        "FetchPush-v4",
        render_mode="rgb_array",
        width=64,
        height=64,
        max_episode_steps=FRAMES,
        default_camera_config=CAMERA,
    )


def record(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequence `number`: frames (30, 64, 64, 3) uint8, action and gripper (30, 7) float32."""
    env, rng = world(), np.random.default_rng((number, 1))
    observation, _ = env.reset(seed=number)
    frames, condition = [], []
    for step in range(FRAMES):
        gripper, block = observation["observation"][:3], observation["achieved_goal"]
        if step % HOLD == 0:
            aim = _aim(block, rng)
        action = np.zeros(4, np.float32)
        action[:3] = GAIN * (aim - gripper) + rng.normal(0, NOISE, 3)
        action = action.clip(-1, 1)
        frames.append(env.render())
        condition.append([*action, *gripper])
        observation, *_ = env.step(action)
    return np.stack(frames), np.array(condition, np.float32)


def _aim(block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mostly a point beyond the block, now and then any point over the table."""
    if rng.random() < 0.3:
        return np.array([*rng.uniform(*TABLE), HEIGHT + 0.05])
    angle = rng.uniform(0, 2 * np.pi)
    beyond = block[:2] + BEYOND * np.array([np.cos(angle), np.sin(angle)])
    return np.array([*beyond, HEIGHT])


if __name__ == "__main__":
    main()
