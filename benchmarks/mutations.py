"""Real files, damaged in every way, given to all that read them: a sentence, or nothing changed.

    python benchmarks/mutations.py --data-dir DIR [--count 600] [--seed 1]

DIR is one that the scripts filled: episodes, latents, a whole agent, a dream's, an iteration, a
recipe (the sweep of crashes leaves such). Every file of it that somebody reads is damaged: bits
flip, bytes are cut, zeroed, doubled; numbers, texts, lists and names in JSON and CSV become others;
arrays in archives get another type, shape, content, NaN, objects. Where a digest would refuse a
file at once, `model.json` or the training's state gets the digest of the damaged one, as somebody
who means harm would do. Readers are called in this process: what they raise but `BadInput` is a
traceback, and more than a minute a hang. What is taken though it says something else is listed: a
number that could have been meant is no damage that anybody can see.
"""

import collections
import io
import json
import math
import pickle
import shutil
import signal
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from runs.arguments import BadInput

import command_line
import numpy as np
from damageable import Target

PATIENCE = 60  # seconds after which a reader hangs
ODD = [None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**30, "", "x", "7", [], [1], {}]
KINDS = ("same", "refused", "taken", "traceback", "hang")


def mutate(content: bytes, ending: str, rng: np.random.Generator) -> tuple[str, bytes]:
    """What was done to a file's content, and what came of it."""
    ways: dict[str, Callable] = {"bits": bits, "cut": cut, "zeros": zeros, "double": double}
    special = {".json": json_value, ".csv": csv_cell, ".toml": csv_cell, ".npz": array}
    if ending in special and rng.random() < 0.7:
        ways = {special[ending].__name__: special[ending]}
    name = list(ways)[rng.integers(len(ways))]
    return name, ways[name](content, rng)


def bits(content: bytes, rng) -> bytes:
    torn = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        # What describes a file lies at its ends.
        reach = [len(torn), min(len(torn), 3000)][rng.integers(2)]
        place = int(rng.integers(reach)) * (1 if rng.random() < 0.7 else -1)
        torn[place] ^= 1 << int(rng.integers(8))
    return bytes(torn)


def cut(content: bytes, rng) -> bytes:
    return content[: int(rng.integers(len(content)))]


def zeros(content: bytes, rng) -> bytes:
    start = int(rng.integers(len(content)))
    length = int(rng.integers(1, 200))
    return content[:start] + bytes(len(content[start : start + length])) + content[start + length :]


def double(content: bytes, rng) -> bytes:
    start, stop = sorted(rng.integers(len(content) + 1, size=2).tolist())
    return content[:stop] + content[start:stop] + content[stop:]


def json_value(content: bytes, rng) -> bytes:
    """Another value somewhere, a name that is missing or one that nobody knows."""
    changed = json.loads(content)
    holder, place = changed, None
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            break
        place = places[rng.integers(len(places))]
        inner = holder[place]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.15:
            break
        holder = inner
    way = rng.integers(10)
    if place is None or (way == 0 and isinstance(holder, dict)):
        holder["nobody knows"] = 1
    elif way == 1:
        del holder[place]
    else:
        holder[place] = ODD[rng.integers(len(ODD))]
    return json.dumps(changed).encode()


def csv_cell(content: bytes, rng) -> bytes:
    """Another cell, a column or a line less."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    row, way = int(rng.integers(len(rows))), rng.integers(5)
    column = int(rng.integers(len(rows[row])))
    if way == 0:
        rows = [cells[:column] + cells[column + 1 :] for cells in rows]
    elif way == 1:
        del rows[row]
    elif way == 2:
        rows[row].append("1")
    else:
        rows[row][column] = ["", "nan", "inf", "x", "-1", "1e999", "9" * 5000][rng.integers(7)]
    return "\n".join(map(",".join, rows)).encode()


class HarmfulPickle:
    """What no file of ours holds."""

    def __reduce__(self):
        return (print, ("a pickle was executed",))


def array(content: bytes, rng) -> bytes:
    """An archive with another array in it, or one less."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[rng.integers(len(members))]
    values = np.lib.format.read_array(io.BytesIO(members[name]), allow_pickle=False)
    way = rng.integers(9)
    if way == 0:
        del members[name]
    elif way == 1:
        members[name] = npy(np.array([HarmfulPickle()], object))
    elif way == 2:
        members[name] = pickle.dumps(HarmfulPickle())
    else:
        other = [
            lambda: values.astype(np.float64 if values.dtype.kind != "U" else "U40"),
            lambda: values[: len(values) // 2] if values.ndim else values[None],
            lambda: values[..., None],
            lambda: np.full_like(values, np.nan if values.dtype.kind == "f" else 1),
            lambda: np.zeros((0, *values.shape[1:]), values.dtype),
            lambda: np.roll(values, 1),
        ][way - 3]
        members[name] = npy(other())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return packed.getvalue()


def npy(values: np.ndarray) -> bytes:
    written = io.BytesIO()
    # Objects among them are pickled: what a stranger might send, and no reader may unpack.
    np.lib.format.write_array(written, values, allow_pickle=True)
    return written.getvalue()


def attempt(target: Target, seed: int) -> tuple[str, str, str]:
    """Damage a file, read it, restore it: what was done, what came of it, and the words."""
    whole = target.path.read_bytes()
    others = {
        path: path.read_bytes() for path in target.path.parent.glob("*.json") if path.is_file()
    }
    before = target.before
    way, damaged = mutate(whole, target.path.suffix, np.random.default_rng(seed))
    target.path.write_bytes(damaged)
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        if target.path.suffix != ".json":
            target.trusted()
        return way, "same" if same(target.read(), before) else "taken", ""
    except BadInput as refusal:
        return way, "refused", str(refusal)
    except TimeoutError:
        return way, "hang", ""
    except Exception as problem:
        return way, "traceback", repr(problem)[:300]
    finally:
        signal.alarm(0)
        for path, content in others.items():
            path.write_bytes(content)
        target.path.write_bytes(whole)


def too_long(*_) -> None:
    raise TimeoutError


def same(one, other) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return one == other


def main() -> None:
    import mutation_targets

    parser = command_line.parser(__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    command_line.add(parser, "--count", default=600, help="damaged files")
    command_line.add(parser, "--seed", default=1, help="of the first")
    command_line.add(parser, "--seconds", default=math.inf)
    command_line.add(parser, "--only", metavar="WORDS", help="files with these in their path")
    given = parser.parse_args()
    until = time.monotonic() + given.seconds
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        shutil.copytree(given.data_dir, data)
        targets = [t for t in mutation_targets.of(data) if (given.only or "") in str(t.path)]
        for number in range(given.seed, given.seed + given.count):
            if time.monotonic() > until:
                break
            target = targets[number % len(targets)]
            way, outcome, words = attempt(target, number)
            name = target.path.relative_to(data).as_posix()
            counts[target.path.suffix][outcome] += 1
            if outcome in ("traceback", "hang", "taken") or "\n" in words:
                print(f"{number} {name} {way}: {outcome} {words}", flush=True)
    print("| file | " + " | ".join(KINDS) + " |\n|" + "---|" * (len(KINDS) + 1))
    for ending, found in sorted(counts.items()):
        print(f"| {ending} | " + " | ".join(str(found[kind]) for kind in KINDS) + " |")
    print(sum(found.total() for found in counts.values()), "damaged files")


if __name__ == "__main__":
    main()
