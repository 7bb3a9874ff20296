"""Where dreams begin: moments of recorded episodes, as V saw and M remembered them.

`starts.npz` lies beside M's weights, so that a model directory dreams without the data it was
trained on. A row for every 50th step of each episode: `z` (N, L) float32, the latent of its frame;
`h` and `c` (N, H) float16, M's memory of all that came before; `step` (N,) int32; `hits` and
`points` (N,) float32, how many of the 50 steps from there reached a tile and what the tiles were
worth; `vision` and `rnn` (N,), the digests of the V and M that made them. Moments of which neither
the 50 steps before nor those after reached a tile are left out: the road is lost and nothing is to
be learned.
"""

import dataclasses
from pathlib import Path

from envs import rollouts
from rnn import series
from rnn.saved import Memory
from runs.arguments import BadInput
from runs.directory import ModelDirectory
from settings.driving import PLACES
from vae import Vision

import numpy as np

STEP_REWARD = -0.1  # of every step of CarRacing, whatever it reaches
USUAL_TILE = 1000 / 300  # 1000 points for all tiles of a track, which has 300 on average
EVERY = 50  # steps between two starts in an episode
TOGETHER = 64  # episodes that M reads side by side


@dataclasses.dataclass(frozen=True)
class Starts:
    """What is seen, `z` (N, L), and remembered, `h` and `c` (N, H), when a dream begins, float32;
    the first `beginnings` rows are where episodes begin. And the points `tile` of a step that
    reaches a tile.

    Now and then a step reaches two tiles at once, so `tile` is a little more than one is worth.
    """

    z: np.ndarray
    h: np.ndarray
    c: np.ndarray
    beginnings: int
    tile: float


def write(directory: ModelDirectory, episodes: list[Path], vision: Vision, memory: Memory) -> None:
    """Keep the starts of latent episodes in a model directory."""
    rows = []
    for i in range(0, len(episodes), TOGETHER):
        read_in = [series.read(path, vision.latent) for path in episodes[i : i + TOGETHER]]
        memories = zip(*_memories(memory, read_in), strict=True)
        rows += [_rows(episode, *hc) for episode, hc in zip(read_in, memories, strict=True)]
    z, h, c, step, hits, points = (np.concatenate(column) for column in zip(*rows, strict=True))
    save(directory, z, h, c, step, hits, points, vision.digest, memory.digest)


def save(directory: ModelDirectory, z, h, c, step, hits, points, vision: str, rnn: str) -> None:
    """Write the rows of `starts.npz`; for shapes see the module."""
    numbers = {"z": z, "hits": hits, "points": points}
    arrays = {name: np.asarray(values, np.float32) for name, values in numbers.items()}
    arrays |= {"h": np.asarray(h, np.float16), "c": np.asarray(c, np.float16)}
    arrays["step"] = np.asarray(step, np.int32)
    arrays |= {"vision": np.full(len(z), vision), "rnn": np.full(len(z), rnn)}
    directory.put(
        "starts",
        lambda temporary: rollouts.write_arrays(temporary, arrays, compress=False),
        {"vision": vision, "rnn": rnn},
    )


def read(directory: ModelDirectory, memory: Memory, place: str = "first") -> Starts:
    """The starts of a model directory, where episodes begin ("first") or "anywhere" in them.

    Raises `BadInput` when they are missing or do not fit M.
    """
    if place not in PLACES:
        raise BadInput(f"Dreams start at {place!r}; they can start {' or '.join(PLACES)}.")
    path = path_in(directory)
    if not path.exists():
        raise BadInput(f"{path} does not exist, so no dream can begin.", make=("rnn",))
    if directory.described("starts"):  # which they were not always
        directory.facts("starts")
    scalar = ((), np.float32)
    digest = ((), np.dtype("<U16"))
    layout: dict[str, tuple] = {
        "z": ((memory.latent,), np.float32),
        "hits": scalar,
        "points": scalar,
    }
    layout |= {"step": ((), np.int32), "vision": digest}
    layout |= {name: ((memory.units,), np.float16) for name in ("h", "c")}
    rows = rollouts.read_arrays(path, layout, later={"rnn": digest})
    for name, part in (("V", "vision"), ("M", "rnn")):
        if (rows.get(part, np.array([])) != directory.facts(part)["digest"]).any():
            raise BadInput(f"{path} was made by another {name}.", make=("rnn",))
    hits = rows["hits"].sum()
    tile = float(rows["points"].sum() / hits) if hits else USUAL_TILE
    beginnings = int((rows["step"] == 0).sum())
    chosen = np.argsort(rows["step"] > 0, kind="stable")
    if place == "first":
        chosen = chosen[:beginnings]
    z, h, c = (rows[name][chosen].astype(np.float32) for name in ("z", "h", "c"))
    return Starts(z, h, c, beginnings, tile)


def path_in(directory: ModelDirectory) -> Path:
    return directory.file("starts")


def _memories(memory: Memory, episodes: list[dict[str, np.ndarray]]) -> tuple[np.ndarray, ...]:
    """M's memory, h and c, at every 50th step of B episodes: (B, steps / 50, H) each."""
    lengths = [len(episode["reward"]) for episode in episodes]
    x = np.zeros((len(episodes), max(lengths), memory.latent + 3), np.float32)
    for row, episode, length in zip(x, episodes, lengths, strict=True):
        row[:length] = np.concatenate([episode["mean"], episode["action"]], -1)
    h = c = np.zeros((len(episodes), memory.units), np.float32)
    kept = [(h, c)]
    for t in range(0, x.shape[1] - EVERY, EVERY):
        outputs = memory.network([x[:, t : t + EVERY], h, c])
        h, c = outputs["h"].numpy(), outputs["c"].numpy()
        kept.append((h, c))
    return tuple(np.stack(part, axis=1) for part in zip(*kept, strict=True))


def _rows(episode: dict[str, np.ndarray], h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, ...]:
    reward = episode["reward"]
    steps = np.arange(0, len(reward), EVERY)
    hit = reward > 0
    points = np.where(hit, reward - STEP_REWARD, 0)
    hits, points = (np.add.reduceat(values, steps) for values in (hit.astype(int), points))
    driving = (hits > 0) | (np.roll(hits, 1) > 0)
    driving[0] = True
    columns = (episode["mean"][steps], h[: len(steps)], c[: len(steps)], steps, hits, points)
    return tuple(column[driving] for column in columns)
