"""Build the Docker image and run it the ways people run it: does it work, how large is it?

    PYTHONPATH=. python3 benchmarks/docker_image.py

Needs a Docker engine on this machine and 10 GB of its disk, and no environment of the project. The
five steps and a score, as small as they get, run as root, as a user whom the image does not know,
with a read-only root, and with limits; each time with `data` and `res` mounted, where all that is
left behind must belong to that user. Exit code 1 when a check fails.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from runs.arguments import BadInput, run

import command_line

TOP = Path(__file__).resolve().parent.parent
INSIDE = "/world-models"
OWN_USER = "driver:driver"
TERMINATED = 128 + signal.SIGTERM  # the exit code of a process that heeds this signal

STEPS = (
    "make --question install",
    "python 01_generate_data.py --episodes 3 --steps 40",
    "python 02_train_vae.py --epochs 1 --batch-size 40",
    "python 03_generate_rnn_data.py --batch-size 32",
    "python 04_train_rnn.py --steps 5 --batch-size 2 --sequence 12 --units 16",
    "python 05_train_controller.py --population 4 --rollouts 1 --generations 1 --patience 15 "
    "--evaluate-every 1 --validation-tracks 1 --worlds 4",
    "python evaluate.py data/models/vae --tracks 1 --scores-only",
)
TESTS = "python -m pytest tests/envs -q -p no:cacheprovider"


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """A way to run the image, and how many workers its scripts must then start by themselves."""

    user: str
    limits: str = ""
    workers: int | None = None  # None: as many as they like

    @property
    def options(self) -> list[str]:
        """Of `docker run`."""
        return ["--user", self.user, *shlex.split(self.limits)]


WAYS = (
    RunOptions("0:0"),
    RunOptions("12345:12345"),
    RunOptions(OWN_USER, "--read-only --tmpfs /tmp"),
    RunOptions(OWN_USER, "--memory 2g --cpus 1", workers=1),
)


class Failed(Exception):
    """A check of the image failed; the message says how."""


class Image:
    """An image under its name, run by the `docker` that is on the path."""

    def __init__(self, name: str):
        self.name = name

    def build(self) -> None:
        docker("build", "--tag", self.name, str(TOP))

    def bytes(self) -> int:
        """Of its layers, unpacked."""
        return int(docker("image", "inspect", "--format", "{{.Size}}", self.name))

    def run(self, command: str, *options: str) -> str:
        """What a command prints that must succeed in a container of its own."""
        return docker("run", "--rm", *options, self.name, *shlex.split(command))


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    if done.returncode:
        said = done.stdout + done.stderr
        print(said, file=sys.stderr)
        last = said.strip().splitlines()[-1:] or ["nothing was said"]
        raise Failed(f"`{shlex.join(arguments)}` ended with {done.returncode}: {last[0]}")
    return done.stdout


def engine() -> str:
    """Version and platform of the engine. Raises `BadInput` when none answers."""
    question = "{{.Server.Version}}, {{.Server.Os}}/{{.Server.Arch}}"
    try:
        asked = ["docker", "version", "--format", question]
        done = subprocess.run(asked, capture_output=True, text=True)
    except FileNotFoundError:
        raise BadInput("There is no docker on the path; install Docker.") from None
    if done.returncode:
        raise BadInput("No Docker engine answers; start one, or name it in DOCKER_HOST.")
    return done.stdout.strip()


def five_steps(image: Image, way: RunOptions) -> str:
    """The steps and a score, and whose the files are that they leave on the host."""
    with mounted(image, way.user, "data", "res") as (folder, volumes):
        for step in STEPS:
            image.run(step, *way.options, *volumes)
        owner, files = owned_alike(folder)
        score = scores(folder / "res" / "scores.json")
    came = f"{files} files of {owner}, score of {score}"
    if way.workers is None:
        return came
    found = default_workers(image.run("python 01_generate_data.py --help", *way.options))
    if found != way.workers:
        raise Failed(f"{found} workers by default, not {way.workers}; {came}")
    return f"{found} worker by default; {came}"


@contextlib.contextmanager
def mounted(image: Image, owner: str, *names: str) -> Iterator[tuple[Path, list[str]]]:
    """Empty directories of an owner in a folder here, and the options that mount them."""
    with tempfile.TemporaryDirectory() as place:
        volumes = [f"--volume={place}/{name}:{INSIDE}/{name}" for name in names]
        for name in names:
            (Path(place) / name).mkdir()
        image.run(f"chown {owner} {shlex.join(names)}", "--user=0", *volumes)
        try:
            yield Path(place), volumes
        finally:
            # Else only root could remove what is in them.
            here = f"{os.getuid()}:{os.getgid()}"
            image.run(f"chown --recursive {here} {shlex.join(names)}", "--user=0", *volumes)


def owned_alike(folder: Path) -> tuple[str, int]:
    """The owner of the directories in a folder and how many files are in them, all of them his."""
    owners = {owner(path) for path in folder.iterdir()}
    inside = [path for top in folder.iterdir() for path in top.rglob("*")]
    strangers = [path for path in inside if owner(path) not in owners]
    if strangers:
        shown = strangers[0].relative_to(folder)
        raise Failed(f"{shown} belongs to {owner(strangers[0])}, not to {', '.join(owners)}")
    return ", ".join(owners), sum(path.is_file() for path in inside)


def owner(path: Path) -> str:
    status = path.stat()
    return f"{status.st_uid}:{status.st_gid}"


def default_workers(text: str) -> int:
    """The default of --workers in a script's help."""
    return int(re.search(r"--workers \w+ .*?\(default: (\d+),", " ".join(text.split()))[1])


def scores(path: Path) -> str:
    """The mean of each agent in the JSON that `evaluate.py` writes."""
    agents = json.loads(path.read_text())
    return ", ".join(f"{name} {agent['mean']:.0f}" for name, agent in agents.items())


def published_agents(image: Image) -> str:
    """They are in the image, and each drives a track."""
    weights = sorted((TOP / "res").glob("*/*/controller.weights.h5"))
    models = shlex.join(str(path.parent.relative_to(TOP)) for path in weights)
    with mounted(image, OWN_USER, "data") as (folder, volumes):
        image.run(f"python evaluate.py {models} --tracks 1 --scores-only --res data", *volumes)
        return f"score of {scores(folder / 'data' / 'scores.json')}"


def stopped(image: Image) -> str:
    """`docker stop` ends `make run`; else the engine would kill it after a while."""
    container = docker("run", "--detach", image.name).strip()
    try:
        for _ in range(600):
            if docker("logs", container):
                break
            time.sleep(0.1)
        docker("stop", "--time", "60", container)
        code = int(docker("inspect", "--format", "{{.State.ExitCode}}", container))
    finally:
        docker("rm", "--force", "--volumes", container)
    if code != TERMINATED:
        raise Failed(f"ended with {code}, not {TERMINATED}")
    return f"ended with {code}"


def checks(image: Image) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is run, in words, and a function that runs it and says what came of it."""

    def built() -> str:
        image.build()
        return f"{image.bytes() / 1e9:.2f} GB"

    yield "docker build", built
    yield "pip check", lambda: image.run("pip check").strip()
    for way in WAYS:
        yield f"five steps, {shlex.join(way.options)}", lambda way=way: five_steps(image, way)
    yield "make run, docker stop", lambda: stopped(image)
    yield "published agents", lambda: published_agents(image)
    yield TESTS, lambda: image.run(TESTS).strip().splitlines()[-1]


def table(rows: list[dict]) -> str:
    lines = ["| what | seconds | result |", "|---|---|---|"]
    lines += [f"| `{row['what']}` | {row['seconds']:.0f} | {row['result']} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    options = parse()
    version = engine()
    print(f"Docker {version}")
    image, rows = Image(options.tag), []
    for what, check in checks(image):
        print(f"{what} ...", flush=True)
        start = time.perf_counter()
        try:
            result, passed = check(), True
        except Failed as problem:
            result, passed = f"FAILED: {problem}", False
        seconds = time.perf_counter() - start
        rows.append({"what": what, "seconds": seconds, "result": result, "passed": passed})
        if not rows[0]["passed"]:
            break  # Without an image there is nothing to run.
    print(table(rows))
    figures = {"engine": version, "image": options.tag, "checks": rows}
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if not all(row["passed"] for row in rows):
        sys.exit(1)


def parse() -> argparse.Namespace:
    parser = command_line.parser(__doc__, __file__)
    parser.add_argument(
        "--tag",
        default="world-models",
        metavar="NAME",
        help="what the image is called (default: world-models)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
