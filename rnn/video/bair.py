"""BAIR's robot pushing (Ebert et al. 2017) on disk, in its two layouts, read and written.

TFRecords: `{train,test}/*.tfrecords`, perhaps in `softmotion30_44k/`. A record is a
`tf.train.Example` of one video, with `{t}/image_main/encoded` (64·64·3 raw bytes, no JPEG),
`{t}/action` (4 floats) and `{t}/endeffector_pos` (3 floats) for t = 0, 1, …

Folders: `{train,validate,test}/TRAJECTORY/VIDEO/` with `0.png`, `1.png`, … and, without a header
and a row for each frame, `actions.csv` (4 numbers) and `endeffector_positions.csv` (3).

The condition is both, 7 numbers.
"""

import dataclasses
import hashlib
import struct
from collections.abc import Iterable
from pathlib import Path

from envs.rollouts import FRAME
from runs.arguments import BadInput
from runs.directory import require_file, write_text, write_whole

import numpy as np
import tensorflow as tf
from imageio import v3 as imageio

ACTION, POSITION = 4, 3
CONDITION = ACTION + POSITION
INNER = "softmotion30_44k"
CSV = {"actions.csv": ACTION, "endeffector_positions.csv": POSITION}
HEADER, FOOTER = 12, 4  # bytes around a record: its length and that one's checksum; its own
MOST_BYTES = 2**30  # of a record; BAIR's have less than one MiB
MOST_TABLE = 10e6  # bytes; BAIR's have less than 10,000


@dataclasses.dataclass(frozen=True)
class TFRecordVideo:
    """A video in a file of TFRecords: from byte `start` on, `size` bytes."""

    path: Path
    start: int
    size: int
    length: int

    def __str__(self) -> str:
        return f"{self.path} from byte {self.start:,} on"

    @property
    def name(self) -> str:
        """Which it is of its data set, wherever that lies."""
        return f"{self.path.parent.name}/{self.path.name} {self.start}"

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Frames (T, 64, 64, 3) uint8, condition (T, 7) float32."""
        features = self.features()
        frames, condition = [], []
        for t in range(self.length):
            [image] = self._values(features, f"{t}/image_main/encoded", "bytes_list", 1)
            if len(image) != np.prod(FRAME):
                raise BadInput(
                    f"{self}: frame {t} has {len(image):,} bytes, not 64·64·3 = 12,288; make them "
                    "raw, of that size."
                )
            frames.append(np.frombuffer(image, np.uint8).reshape(FRAME))
            action = self._values(features, f"{t}/action", "float_list", ACTION)
            position = self._values(features, f"{t}/endeffector_pos", "float_list", POSITION)
            condition.append([*action, *position])
        return np.stack(frames), _finite(np.array(condition, np.float32), self)

    def features(self):
        with open(self.path, "rb") as file:
            file.seek(self.start)
            content = file.read(self.size)
        try:
            return tf.train.Example.FromString(content).features.feature
        except Exception:  # protobuf's own, whose module differs between its versions
            raise BadInput(f"{self} is no tf.train.Example; copy the file again.") from None

    def _values(self, features, key: str, kind: str, count: int):
        values = getattr(features[key], kind).value
        if len(values) != count:
            raise BadInput(
                f"{self}: {key} has {len(values)} values, not {count}; it is not laid out as "
                "BAIR's robot pushing."
            )
        return values


@dataclasses.dataclass(frozen=True)
class Folder:
    """A video as a folder of PNG and CSV."""

    path: Path
    length: int

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """Which it is of its data set, wherever that lies."""
        return "/".join(self.path.parts[-3:])

    @property
    def size(self) -> int:
        """Of its tables, in bytes."""
        return sum((self.path / name).stat().st_size for name in CSV)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Frames (T, 64, 64, 3) uint8, condition (T, 7) float32."""
        frames = np.stack([_picture(self.path / f"{t}.png") for t in range(self.length)])
        parts = [_table(self.path / name, self.length, width) for name, width in CSV.items()]
        return frames, _finite(np.concatenate(parts, 1), self)


def find(folder: Path) -> tuple[list, list, list]:
    """The videos to learn from, to validate on and to test on, in whichever layout.

    Where there is no validation part, as in the TFRecords, the test part is it. The first of each
    part is read. Raises `BadInput` when the folder is in neither layout or a file is torn.
    """
    inner = folder / INNER if (folder / INNER).is_dir() else folder
    read = _records if any(inner.glob("train/*.tfrecords")) else _folders
    parts = {name: read(inner / name) for name in ("train", "validate", "test")}
    if not parts["train"] or not (parts["validate"] or parts["test"]):
        raise BadInput(
            f"{folder} holds no videos in a layout of BAIR's: train/*.tfrecords and "
            "test/*.tfrecords, or train/, validate/ and test/ with TRAJECTORY/VIDEO/0.png, … and "
            "actions.csv."
        )
    for videos in parts.values():
        if videos:
            videos[0].read()
    test = parts["test"] or parts["validate"]
    return parts["train"], parts["validate"] or test, test


def fingerprint(videos: Iterable) -> str:
    """Eight hexadecimal digits that change with the videos' names, sizes and lengths.

    What is in them is not read: one replaced by another of the same size goes unnoticed.
    """
    names = "".join(sorted(f"{one.name} {one.size} {one.length}\n" for one in videos))
    return hashlib.sha256(names.encode()).hexdigest()[:8]


def _records(folder: Path) -> list[TFRecordVideo]:
    found = []
    for path in sorted(folder.glob("*.tfrecords")):
        places = _places(path)
        if places:
            features = TFRecordVideo(path, *places[0], 0).features()
            length = 0
            while f"{length}/image_main/encoded" in features:
                length += 1
            if not length:
                raise BadInput(
                    f"{path} has no 0/image_main/encoded; it is not laid out as BAIR's robot "
                    "pushing."
                )
            found += [TFRecordVideo(path, start, size, length) for start, size in places]
    return found


def _places(path: Path) -> list[tuple[int, int]]:
    """Start and size of every record of a file, by their headers alone."""
    places: list[tuple[int, int]] = []
    place, end = 0, require_file(path).stat().st_size
    with open(path, "rb") as file:
        while place < end:
            file.seek(place)
            header = file.read(HEADER)
            size = struct.unpack("<Q", header[:8])[0] if len(header) == HEADER else MOST_BYTES
            if size >= MOST_BYTES or place + HEADER + size + FOOTER > end:
                raise BadInput(
                    f"{path} ends in the middle of record {len(places)}; copy the file again."
                )
            places.append((place + HEADER, size))
            place += HEADER + size + FOOTER
    return places


def _folders(folder: Path) -> list[Folder]:
    found = []
    for path in sorted(folder.glob("*/*/")):
        if not path.is_dir():  # Before Python 3.11 the pattern finds files as well.
            continue
        there = {file.name for file in path.iterdir()}
        length = sum(name.endswith(".png") for name in there)
        lacking = {f"{t}.png" for t in range(length)} - there
        lacking |= (CSV.keys() if length else set()) - there
        if lacking:
            raise BadInput(
                f"{path} lacks {min(lacking)}; a video has 0.png, 1.png, … without a gap, "
                "actions.csv and endeffector_positions.csv."
            )
        if length:
            found.append(Folder(path, length))
    return found


def _picture(path: Path) -> np.ndarray:
    require_file(path)
    try:
        picture = imageio.imread(path)
    except Exception as problem:  # a broken picture makes a reader raise any of a dozen
        reason = " ".join(str(problem).split())
        raise BadInput(f"{path} cannot be read ({reason}); make it again.") from None
    if picture.shape != FRAME or picture.dtype != np.uint8:
        raise BadInput(
            f"{path} is {picture.shape} {picture.dtype}, not (64, 64, 3) uint8; make it again."
        )
    return picture


def _table(path: Path, rows: int, columns: int) -> np.ndarray:
    require_file(path, MOST_TABLE)
    try:
        table = np.loadtxt(path, np.float32, delimiter=",", ndmin=2)
    except ValueError as problem:
        raise BadInput(f"{path} is no table of numbers ({problem}).") from None
    if table.shape != (rows, columns):
        raise BadInput(
            f"{path} has {table.shape[0]} rows of {table.shape[1]} numbers, not {rows} of "
            f"{columns}, a row for each frame."
        )
    return table


def _finite(condition: np.ndarray, where) -> np.ndarray:
    if not np.isfinite(condition).all():
        raise BadInput(f"{where}: the condition is not all finite numbers; make it again.")
    return condition


def write_records(path: Path, videos: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
    """Write videos, each frames (T, 64, 64, 3) uint8 and condition (T, 7), to a file."""
    with write_whole(path) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
        for frames, condition in videos:
            features = {}
            for t, (frame, row) in enumerate(zip(frames, condition, strict=True)):
                features[f"{t}/image_main/encoded"] = _bytes(frame)
                features[f"{t}/action"] = _floats(row[:ACTION])
                features[f"{t}/endeffector_pos"] = _floats(row[ACTION:])
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def _bytes(frame: np.ndarray):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[frame.tobytes()]))


def _floats(numbers: np.ndarray):
    return tf.train.Feature(float_list=tf.train.FloatList(value=numbers))


def write_folder(folder: Path, frames: np.ndarray, condition: np.ndarray) -> None:
    """Write a video, frames (T, 64, 64, 3) uint8 and condition (T, 7), as PNG and CSV."""
    for t, frame in enumerate(frames):
        with write_whole(folder / f"{t}.png") as temporary:
            imageio.imwrite(temporary, frame)
    for name, part in zip(CSV, np.split(condition, [ACTION], axis=1), strict=True):
        rows = [",".join(f"{number:.8g}" for number in row) for row in part]
        write_text(folder / name, "\n".join(rows) + "\n")
