"""Which track seeds are for what, so that no score is measured on a track trained on.

A track is the random number seed that Gymnasium's `reset(seed=...)` gets. Each seed of a run (0 to
999) owns a million of them, cut into blocks; validation and evaluation have their own, far above.
"""

from collections.abc import Iterable

from runs.arguments import LARGEST_SEED, BadInput
from settings.driving import FIRST_EVALUATION_TRACK, MOST_EVALUATION_TRACKS

TRACKS_PER_SEED = 1_000_000
RECORDING = {"random": 0, "brownian": 100_000, "agent": 200_000, "iterate": 300_000}
RECORDING_BLOCK = 100_000
EVOLUTION = 500_000
EVOLUTION_BLOCK = 500_000
VALIDATION = 1_000_000_000
EVALUATION = FIRST_EVALUATION_TRACK


def recording(seed: int, policy: str, count: int, first: int = 0) -> list[int]:
    """The tracks on which `policy` is recorded of a run with this seed."""
    if first + count > RECORDING_BLOCK:
        raise BadInput(f"A policy has {RECORDING_BLOCK} tracks for each seed; ask for fewer.")
    start = seed * TRACKS_PER_SEED + RECORDING[policy] + first
    return list(range(start, start + count))


def evolution(seed: int, generation: int, count: int) -> list[int]:
    """The tracks that all candidates of a generation drive; different in the next."""
    first = generation * count % (EVOLUTION_BLOCK - count)
    start = seed * TRACKS_PER_SEED + EVOLUTION + first
    return list(range(start, start + count))


def validation(count: int) -> list[int]:
    """The fixed tracks that choose the best mean during training."""
    return list(range(VALIDATION, VALIDATION + count))


def evaluation(count: int, first: int = EVALUATION) -> list[int]:
    """The fixed tracks of the scores that count; training never sees them."""
    if first < EVALUATION or first + count > EVALUATION + MOST_EVALUATION_TRACKS:
        raise BadInput(f"There are {MOST_EVALUATION_TRACKS} evaluation tracks; ask for fewer.")
    return list(range(first, first + count))


def refuse_evaluation(tracks: Iterable[int]) -> None:
    """Raise `BadInput` if a track to be trained on is kept for evaluation."""
    for track in tracks:
        if track >= EVALUATION:
            raise BadInput(f"Track {track} is kept for evaluation and cannot be trained on.")


assert (LARGEST_SEED + 1) * TRACKS_PER_SEED <= VALIDATION < EVALUATION < 2**31
