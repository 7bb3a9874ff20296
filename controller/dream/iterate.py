"""The iterative procedure (Ha & Schmidhuber 2018, section 5): drive, learn, dream, drive again.

A round is done when its row is in `iterate/rounds.json`. Within a round every part can be
repeated: what it has finished it finds finished. So a stopped procedure goes on where it was.
"""

import dataclasses
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import rnn
import vae
from controller.dream.run import adopt
from controller.recording import record_with_agent
from controller.report import coverage
from envs import recording, rollouts, tracks
from rnn import encode, measures
from runs import plots
from runs.arguments import BadInput
from runs.directory import (
    DataDirectory,
    ModelDirectory,
    read_json,
    require_space,
    write_json,
    write_text,
)
from runs.facts import is_number, is_number_or_none, is_whole
from settings.iteration import Iterate

import matplotlib.pyplot as plt
import numpy as np

# Without it the rounds would begin at the first again, on what the last one left.
PUT_BACK = "put it back as it was"
DRAFTS = 3  # episodes driven for each that is kept, if curiosity chooses


@dataclasses.dataclass(frozen=True)
class Round:
    """What one round brought."""

    round: int
    episodes: int  # recorded and kept
    score: float  # mean return of the kept episodes, half of them with exploration
    surprise: float | None  # M's loss on them before it learned from them, nats; no M: none
    loss: float  # M's loss on the episodes held out, after it learned
    tiles: float  # share of their tracks' tiles that the kept episodes reached
    speeds: list[int]  # their steps at each speed, see controller.report.coverage
    dream: float | None  # score in the dream of the round's last mean; evolved in the world: none
    real: float  # score on the real validation tracks of the C that the round leaves
    real_sd: float


def begin(number: int, data: DataDirectory, places: list[ModelDirectory]) -> dict:
    """What there is when a round begins; asked again, the same.

    `places` are the model directories that may hold the present C, the first before the second.
    Gives the `parts` that are trained, and the path of the one with the present C, or None, as
    `driver`. Parts that are trained are trained further, the others from nothing.
    """
    path = data.root / "iterate" / f"round-{number}-begins.json"
    if not path.exists():
        driver = next((place for place in places if place.has("controller")), None)
        parts = [part for part in ("vision", "rnn") if places[-1].has(part)]
        write_json(path, {"parts": parts, "driver": driver and str(driver.path)})
    begun = read_json(path)
    trained, present = begun.get("parts"), begun.get("driver", "")
    known = {place.path.name: str(place.path) for place in places}
    # By its name, for the data directory may have moved.
    name = present if present is None else Path(str(present)).name
    if not isinstance(trained, list) or name not in [None, *known]:
        raise BadInput(
            f"{path} names no agent of this round: it began at another temperature, or the file is "
            "damaged; go on with that temperature, or remove it."
        )
    return {"parts": trained, "driver": name and known[name]}


def drive(
    data: DataDirectory,
    number: int,
    driver: ModelDirectory | None,
    model: ModelDirectory,
    settings: Iterate,
) -> dict:
    """Record the episodes of a round into `data`, on tracks of its own; what they were like.

    `driver` is the model directory whose C drives, half of the episodes as it is and half with
    exploration; None: random driving. With curiosity λ three times as many are driven and
    those are kept that have the most of return / 1000 + λ · M's loss on them: good driving that M
    does not know yet.
    """
    drafts = data.root / "iterate" / f"round-{number}"
    choice_file = drafts.with_suffix(".json")
    if not choice_file.exists():
        count = settings.episodes * (DRAFTS if settings.curiosity else 1)
        asked = tracks.recording(settings.seed, "iterate", count, (number - 1) * count)
        missing = [t for t in asked if not rollouts.path_of(drafts, t).exists()]
        drafts.mkdir(parents=True, exist_ok=True)
        size = len(missing) * settings.steps * rollouts.BYTES_PER_STEP
        require_space(drafts, size, f"{len(missing)} episodes of at most {settings.steps} steps")
        if driver is None:
            recording.record_with_policy(drafts, missing, "random", settings)
        else:
            # M must see C as it will be used too: noise alone can keep it out of trouble.
            quiet = dataclasses.replace(settings, weight_noise=0, action_noise=0, action_bursts=0)
            for share, how in ((asked[::2], quiet), (asked[1::2], settings)):
                own = [track for track in share if track in missing]
                if own:
                    record_with_agent(drafts, own, driver, how)
        write_json(choice_file, _choose(drafts, asked, model, settings))
    choice = _chosen(choice_file)
    for track in choice["tracks"]:
        draft = rollouts.path_of(drafts, track)
        if draft.exists():
            data.rollout.mkdir(parents=True, exist_ok=True)
            os.replace(draft, rollouts.path_of(data.rollout, track))
    shutil.rmtree(drafts, ignore_errors=True)
    return choice


def _chosen(path: Path) -> dict:
    """What `_choose` found, as it was written down."""
    choice = read_json(path)
    tracks_chosen, score = choice.get("tracks"), choice.get("score")
    if (
        not isinstance(tracks_chosen, list)
        or not all(map(is_whole, tracks_chosen))
        or not is_number(score)
        or not is_number_or_none(choice.get("surprise"))
    ):
        raise BadInput(f"{path} does not say which episodes were kept; remove it.")
    return choice


def _choose(drafts: Path, asked: list[int], model: ModelDirectory, settings: Iterate) -> dict:
    paths = [rollouts.path_of(drafts, track) for track in asked]
    scores = np.array([rollouts.read(path).reward.sum() for path in paths])
    losses = surprises(model, paths) if model.has("rnn") else None
    kept = list(range(len(asked)))
    if losses is not None:
        priority = scores / 1000 + settings.curiosity * losses
        kept = sorted(np.argsort(-priority, kind="stable")[: settings.episodes].tolist())
    kept = kept[: settings.episodes]
    return {
        "tracks": [asked[i] for i in kept],
        "score": float(scores[kept].mean()),
        "surprise": None if losses is None else float(losses[kept].mean()),
    }


def surprises(model: ModelDirectory, recordings: list[Path]) -> np.ndarray:
    """M's loss on each recorded episode, nats per step and latent number."""
    vision, memory = vae.load(model), rnn.load(model)
    latents = recordings[0].parent / "latents"
    return measures.surprises(memory, list(encode.episodes(vision, recordings, latents)))


def go_on(driver: ModelDirectory, target: ModelDirectory) -> None:
    """Let a C go on in `target`: its M has learned since C was evolved, from where it stood."""
    if driver.path != target.path and not target.has("controller"):
        target.take(["controller"], driver)


def keep_best(driver: ModelDirectory, best: ModelDirectory, earlier: list[Round], row: Round):
    """Copy the agent of a round to `best` if none of the earlier rounds had a better one.

    With its V, M and starts: M learns on, and C drives as it did only with the M it evolved on.
    """
    if all(row.real > other.real for other in earlier):
        adopt(driver, best, "controller")


def remember(data: DataDirectory, number: int, model: ModelDirectory, most: int) -> list[Path]:
    """Keep the M of a round; the model directories of at most `most` rounds before it."""
    kept = [data.root / "iterate" / f"memory-{i}" for i in range(number + 1)]
    adopt(model, ModelDirectory(kept[number]))
    return [path for path in kept[max(0, number - most) : number] if path.exists()]


def close(number: int, data: DataDirectory, choice: dict, model, driver, pairs: list) -> Round:
    """What a round brought, from what its parts left behind."""
    kept = [rollouts.path_of(data.rollout, track) for track in choice["tracks"]]
    covered = coverage.of(kept)
    validation = driver.facts("controller")["validation"]
    return Round(
        round=number,
        episodes=len(kept),
        score=choice["score"],
        surprise=choice["surprise"],
        loss=model.facts("rnn")["losses"]["val_nll"],
        tiles=covered.tiles,
        speeds=covered.speeds.tolist(),
        dream=pairs[-1].dream if pairs else None,
        real=validation["mean"],
        real_sd=validation["sd"],
    )


def read(path: Path) -> list[Round]:
    """The rounds that are over. Raises `BadInput` when the file is no such list."""
    if not path.exists():
        return []
    saved = read_json(path)
    try:
        rounds = [Round(**row) for row in saved["rounds"]]
    except (KeyError, TypeError) as problem:
        raise BadInput(f"{path} is no list of rounds ({problem!r}); {PUT_BACK}.") from None
    if not all(map(_is_whole, rounds)):
        raise BadInput(f"{path} is no list of rounds (a value is no number); {PUT_BACK}.")
    numbers = [row.round for row in rounds]
    if numbers != list(range(1, len(rounds) + 1)):
        raise BadInput(f"{path} is no list of rounds (not all from 1 on); {PUT_BACK}.")
    return rounds


def _is_whole(row: Round) -> bool:
    """Whether all values of a row are what they should be."""
    values = dataclasses.asdict(row)
    speeds, maybe = values.pop("speeds"), (values.pop("surprise"), values.pop("dream"))
    return (
        all(map(is_number, values.values()))
        and all(map(is_number_or_none, maybe))
        and isinstance(speeds, list)
        and len(speeds) == coverage.BINS
        and all(map(is_whole, speeds))
    )


def write(path: Path, rounds: list[Round]) -> None:
    write_json(path, {"rounds": [dataclasses.asdict(row) for row in rounds]})


def speeds_driven(rounds: list[Round]) -> list[float]:
    """The share of speeds driven by the end of each round."""
    return [
        coverage.share_of_speeds(steps)
        for steps in np.cumsum([row.speeds for row in rounds], axis=0)
    ]


def table(rounds: list[Round]) -> str:
    """A row for each round, as Markdown."""
    lines = [
        "| round | episodes | their return | tiles reached | speeds driven | "
        "M's loss on them before | M's held-out loss after | C in the dream | C in the world |",
        "|" + "---|" * 9,
    ]
    for row, share in zip(rounds, speeds_driven(rounds), strict=True):
        cells = [
            str(row.round),
            str(row.episodes),
            f"{row.score:.0f}",
            f"{100 * row.tiles:.0f} %",
            f"{100 * share:.0f} %",
            "" if row.surprise is None else f"{row.surprise:.3f}",
            f"{row.loss:.3f}",
            "" if row.dream is None else f"{row.dream:.0f}",
            f"{row.real:.0f} ± {row.real_sd:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def report(res: Path, vision: str, rounds: list[Round]) -> tuple[Path, Path]:
    """Save the table and the plot of all rounds."""
    text, picture = res / f"{vision}_iterate.md", res / f"{vision}_iterate.png"
    write_text(text, table(rounds))
    numbers = [row.round for row in rounds]
    figure, (scores, losses, shares) = plt.subplots(1, 3, figsize=(13, 3.5))
    scores.errorbar(
        numbers,
        [row.real for row in rounds],
        [row.real_sd for row in rounds],
        fmt="o-",
        capsize=3,
        label="C in the world, ± SD",
    )
    _line(scores, numbers, [row.dream for row in rounds], "C in the dream")
    _line(scores, numbers, [row.score for row in rounds], "while recording")
    _line(losses, numbers, [row.loss for row in rounds], "held out, after learning")
    _line(losses, numbers, [row.surprise for row in rounds], "new episodes, before learning")
    _line(shares, numbers, [row.tiles for row in rounds], "tiles reached")
    _line(shares, numbers, speeds_driven(rounds), "speeds driven so far")
    shares.set_ylim(0, 1.05)
    for axis, title in (
        (scores, "return, points"),
        (losses, "M's loss, nats"),
        (shares, "coverage, a share"),
    ):
        axis.set(title=title, xlabel="round", xticks=numbers)
        axis.legend(fontsize="small")
    figure.tight_layout()
    plots.save_figure(figure, picture)
    return text, picture


def _line(axis, numbers: list[int], values: Sequence[float | None], label: str) -> None:
    known = [(n, value) for n, value in zip(numbers, values, strict=True) if value is not None]
    if known:
        axis.plot(*zip(*known, strict=True), "o-", label=label)
