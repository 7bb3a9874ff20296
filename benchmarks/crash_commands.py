"""The commands that the sweep of crashes kills: every script that writes, small."""

import argparse
import dataclasses
import math

import command_line

PLACES = "--data-dir data --res res"
RECIPE = """
title = "small"

[[stage]]
step = "01_generate_data.py"
episodes = 3
steps = 30

[[stage]]
step = "02_train_vae.py"
epochs = 1
depth = 4
batch_size = 30

[[stage]]
step = "03_generate_rnn_data.py"

[[stage]]
step = "04_train_rnn.py"
steps = 100
batch_size = 2
sequence = 12
units = 8

[[stage]]
step = "05_train_controller.py"
keep_agent_as = "vae-before"
population = 4
rollouts = 1
generations = 1
patience = 10
validation_tracks = 1
"""


@dataclasses.dataclass(frozen=True)
class Command:
    """A command, the one whose result it finds, and files that lie there before.

    `every`: of the states that the scripts it starts go through, one of so many is tried.
    """

    script: str
    words: str
    after: str | None = None
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    every: int = 1

    @property
    def arguments(self) -> list[str]:
        return self.words.split()


DRIVING = "--workers 1 --worlds 4 --patience 15 --validation-tracks 1 --precision float32"
EVOLUTION = f"--population 4 --rollouts 1 --generations 2 --evaluate-every 1 {DRIVING}"
DREAM = f"--dream --dream-steps 20 {EVOLUTION}"
MEMORY = "--steps 200 --batch-size 2 --sequence 12 --units 16"

COMMANDS = {
    "01": Command("01_generate_data.py", "--data-dir data --episodes 3 --steps 60 --workers 1"),
    "02": Command(
        "02_train_vae.py",
        f"{PLACES} --epochs 2 --batch-size 40 --depth 4 --precision float32",
        "01",
    ),
    "02 gan": Command(
        "02_train_vae_gan.py",
        f"{PLACES} --epochs 2 --batch-size 20 --depth 4 --precision float32",
        "01",
    ),
    "03": Command("03_generate_rnn_data.py", "--data-dir data --precision float32", "02"),
    "04": Command("04_train_rnn.py", f"{PLACES} {MEMORY}", "03"),
    "05": Command("05_train_controller.py", f"{PLACES} {EVOLUTION}", "04"),
    "05 fine-tuned": Command(
        "05_train_controller.py", f"{PLACES} {EVOLUTION} --finetune --sigma 0.05", "05"
    ),
    "05 dream": Command("05_train_controller.py", f"{PLACES} {DREAM}", "05"),
    "04 fine-tuned": Command("04_train_rnn.py", f"{PLACES} {MEMORY} --finetune", "05 dream"),
    "05 dream fine-tuned": Command(
        "05_train_controller.py", f"{PLACES} {DREAM} --finetune", "04 fine-tuned"
    ),
    "06": Command(
        "06_finetune_controller.py",
        f"{PLACES} --episodes 2 --generations 2 --evaluate-every 1 {DRIVING}",
        "05",
    ),
    "01 agent": Command(
        "01_generate_data.py",
        "--data-dir data --policy agent --episodes 2 --steps 40 --workers 1 --patience 15",
        "05",
    ),
    "02 fine-tuned": Command(
        "02_train_vae.py",
        f"{PLACES} --epochs 1 --batch-size 40 --depth 4 --precision float32 --finetune",
        "05",
    ),
    "03 again": Command(
        "03_generate_rnn_data.py", "--data-dir data --precision float32", "02 fine-tuned"
    ),
    "04 from scratch": Command("04_train_rnn.py", f"{PLACES} {MEMORY} --from-scratch", "03 again"),
    "04 cvae": Command(
        "04_train_cvae.py",
        f"{PLACES} --epochs 2 --epoch-steps 3 --batch-size 2 --past 2 --future 3 --width 0.02 "
        "--kl-anneal none",
        "01",
    ),
    "evaluate_video": Command(
        "evaluate_video.py",
        "data/models/cvae --data-dir data --res res --frames 4 --samples 2 --stride 4",
        "04 cvae",
    ),
    "evaluate": Command("evaluate.py", "data/models/vae --tracks 2 --workers 1 --res res", "05"),
    "iterate": Command(
        "iterate.py",
        f"{PLACES} --rounds 2 --episodes 2 --steps 40 --workers 1 --epochs 1 --depth 4 "
        "--memory-steps 100 --memory-batch 2 --units 8 --population 4 --rollouts 1 "
        "--generations 1 --patience 15 --validation-tracks 1 --dream-steps 20 --curiosity 1",
        every=8,
    ),
    "run_recipe": Command(
        "run_recipe.py",
        f"recipe.toml {PLACES} --workers 1",
        files={"recipe.toml": RECIPE},
        every=8,
    ),
}


def add_arguments(to: argparse.ArgumentParser) -> None:
    """What whoever kills these commands is given: where, which of them, for how long."""
    command_line.add(to, "--work")
    command_line.add(to, "--only", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    command_line.add(to, "--seconds", default=math.inf)
