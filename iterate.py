"""Drive, learn, dream, drive again: the iterative procedure, from nothing or from trained parts.

Each round records episodes driven by the present C, every other one with exploration (at first
all at random), adds them to DIR/rollout, trains M from where it stands (and V, if asked or if
there is none) and evolves C further in M's dream or in the world: the numbered scripts in their
order.
Writes DIR/iterate/rounds.json, RES/VISION_iterate.md and RES/VISION_iterate.png. Stopped at any
moment, the same command goes on; with more --rounds it adds rounds.

From a dream the present C is always the last mean, however it does in the world: where it
exploits errors of M, M learns better in the next round. DIR/models/VISION-iterated is the agent
of the best round.
"""

import sys
from pathlib import Path
from typing import Any

from runs import config
from runs.config import Settings
from runs.following import lead
from settings import MAKERS, STEPS
from settings.adversary import TrainVAEGAN
from settings.driving import TrainController
from settings.iteration import Iterate
from settings.memory import GenerateRNNData, TrainRNN
from settings.vision import TrainVAE

if __name__ == "__main__":
    given = config.parse(Iterate, __doc__)  # before the imports below

from controller.dream import iterate
from controller.dream.history import read
from runs import arguments, directory

HERE = Path(__file__).parent
SCRIPTS = {kind: name for name, kind in STEPS.items()}


def main(settings: Iterate) -> None:
    data = directory.DataDirectory(settings.data_dir)
    rounds_file = data.root / "iterate" / "rounds.json"
    with directory.locked(rounds_file.parent):
        rounds = iterate.read(rounds_file)
        for number in range(len(rounds) + 1, settings.rounds + 1):
            row, agent = one_round(number, data, settings)
            iterate.keep_best(agent, data.model(f"{settings.vision}-iterated"), rounds, row)
            rounds.append(row)
            iterate.write(rounds_file, rounds)
            iterate.report(settings.res, settings.vision, rounds)
        text, picture = iterate.report(settings.res, settings.vision, rounds)
    print(f"{text}, {picture}\n{text.read_text(encoding='utf-8')}")


def one_round(
    number: int, data: directory.DataDirectory, settings: Iterate
) -> tuple[iterate.Round, directory.ModelDirectory]:
    """What a round brought, and the agent that came of it."""
    model = driver = data.model(settings.vision)
    if settings.evolve_in == "dream":
        driver = data.model(f"{settings.vision}-dream-{settings.temperature:g}")
    before = iterate.begin(number, data, [driver, model])
    present = directory.ModelDirectory(before["driver"]) if before["driver"] else None
    places: dict[str, Any] = {
        "data_dir": settings.data_dir,
        "res": settings.res,
        "seed": settings.seed,
    }

    print(f"Round {number} of {settings.rounds}: drive", flush=True)
    choice = iterate.drive(data, number, present, model, settings)

    print(f"Round {number}: learn", flush=True)
    if settings.retrain_vision or "vision" not in before["parts"]:
        kind = {"vae": TrainVAE, "vaegan": TrainVAEGAN}[settings.vision]
        passes = {"epochs": settings.epochs, "depth": settings.depth}
        script(kind(**places, **passes, finetune="vision" in before["parts"]))
    script(
        GenerateRNNData(
            data_dir=settings.data_dir,
            vision=settings.vision,
            cluster=settings.cluster,
            shared_disk=settings.shared_disk,
            hang_timeout=settings.hang_timeout,
        )
    )
    script(
        TrainRNN(
            **places,
            vision=settings.vision,
            steps=settings.memory_steps,
            batch_size=settings.memory_batch,
            units=settings.units,
            latent_noise=settings.latent_noise,
            finetune="rnn" in before["parts"],
        )
    )

    print(f"Round {number}: evolve", flush=True)
    if present:
        iterate.go_on(present, driver)
    in_dream = settings.evolve_in == "dream"
    also = iterate.remember(data, number, model, settings.memories - 1)
    script(
        TrainController(
            **places,
            vision=settings.vision,
            workers=settings.workers,
            cluster=settings.cluster,
            hang_timeout=settings.hang_timeout,
            finetune=present is not None,
            generations=settings.generations,
            population=settings.population,
            rollouts=settings.rollouts,
            sigma=settings.sigma,
            validation_tracks=settings.validation_tracks,
            dream=in_dream,
            keep="last" if in_dream else "best",
            temperature=settings.temperature,
            dream_steps=settings.dream_steps,
            also=tuple(also) if in_dream else (),
        )
    )
    pairs = read(driver.path / "dream.csv")
    return iterate.close(number, data, choice, model, driver, pairs), driver


def script(settings: Settings) -> None:
    """Run the numbered script of these settings; where it stops, this one stops too."""
    command = [sys.executable, str(HERE / SCRIPTS[type(settings)]), *config.flags(settings)]
    done = lead(command)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    arguments.run(main, given, makers=MAKERS)
