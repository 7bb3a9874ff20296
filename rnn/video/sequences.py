"""Videos from any source: frames, and a condition for each, streamed in batches.

A source lists its videos without reading their frames; memory does not grow with their number.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from envs import rollouts
from rnn.video import bair
from runs.arguments import BadInput
from runs.fitting import sized

import numpy as np
import tensorflow as tf

# The camera comes down in the first second of an episode; what it shows then is not driving.
ZOOM = 50
OPENED = 32  # videos kept in memory: 0.4 GB if each has 1,000 frames


@dataclasses.dataclass(frozen=True)
class Video:
    """A video that can be read: `read()` gives frames (T, 64, 64, 3) uint8, condition (T, K).

    condition[t] is what was known and done on seeing frames[t], float32. `name` says which it is,
    `length` is T.
    """

    name: str
    length: int
    read: Callable[[], tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Videos:
    """What a source has: videos to learn from, to watch a training on, and to measure on.

    `condition` is the width of the condition, K. `fingerprint` changes when a video is added or
    removed, or replaced by one of another size.
    """

    learned: list[Video]
    held_out: list[Video]
    test: list[Video]
    condition: int
    fingerprint: str


def load(source: str, path: Path, skip_damaged: bool = False) -> Videos:
    """The videos of a directory; if asked, but for damaged recordings.

    Raises `BadInput` when it has none, or not in a known layout.
    """
    return car_racing(path, skip_damaged) if source == "carracing" else robot_pushing(path)


def long_enough(videos: list[Video], frames: int) -> list[Video]:
    """The videos of at least so many frames. Raises `BadInput` when there are none."""
    longest = max(video.length for video in videos)
    if longest < frames:
        raise BadInput(
            f"{frames} frames are needed, and of {len(videos)} videos, {videos[0].name} among "
            f"them, the longest has {longest}; ask for fewer or record longer ones."
        )
    return [video for video in videos if video.length >= frames]


def refuse_other_width(videos: Videos, condition: int) -> None:
    """Raise `BadInput` when the videos' condition is not as wide as a CVAE's."""
    if videos.condition != condition:
        raise BadInput(
            f"The videos have a condition of {videos.condition} numbers, and the CVAE was trained "
            f"with one of {condition}; give those of the source that it was trained on."
        )


def car_racing(folder: Path, skip_damaged: bool = False) -> Videos:
    """Recorded episodes from where the camera has come down; the condition is the action."""
    found = rollouts.paths(folder, skip_damaged)
    learned, held_out = ([_episode(path) for path in part] for part in rollouts.split(found))
    return Videos(learned, held_out, held_out, rollouts.ACTIONS, rollouts.fingerprint(found))


def _episode(path: Path) -> Video:
    length = max(0, rollouts.length(path) - ZOOM)
    return Video(str(path), length, functools.partial(_driving, path))


def _driving(path: Path) -> tuple[np.ndarray, np.ndarray]:
    episode = rollouts.read(path)
    return episode.obs[ZOOM:], episode.action[ZOOM:]


def robot_pushing(folder: Path) -> Videos:
    """BAIR's robot pushing or its like; the condition is the action and the gripper's position."""
    parts = bair.find(folder)
    learned, held_out, test = (
        [Video(str(one), one.length, one.read) for one in part] for part in parts
    )
    fingerprint = bair.fingerprint(one for part in parts for one in part)
    return Videos(learned, held_out, test, bair.CONDITION, fingerprint)


def batches(
    videos: list[Video], frames: int, batch_size: int, count: int, seed: tuple[int, ...]
) -> tf.data.Dataset:
    """`count` batches of random stretches of random videos; see `rnn.video.training` for keys.

    The order follows from `seed`.
    """
    condition = videos[0].read()[1].shape[1]

    def generate() -> Iterator[dict[str, np.ndarray]]:
        rng = np.random.default_rng(seed)
        # Reading an episode takes longer than a small network takes for a stretch of it.
        read = functools.lru_cache(OPENED)(lambda number: videos[number].read())
        for _ in range(count):
            chosen = rng.integers(len(videos), size=batch_size)
            places = rng.random(batch_size)
            yield _stack(
                [_stretch(*read(n), frames, p) for n, p in zip(chosen, places, strict=True)]
            )

    signature = {
        "frames": tf.TensorSpec((None, frames, *rollouts.FRAME), tf.uint8),
        "condition": tf.TensorSpec((None, frames, condition), tf.float32),
    }
    made = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return sized(made.prefetch(4), count)


def _stretch(obs, condition, frames: int, place: float) -> tuple[np.ndarray, np.ndarray]:
    start = int(place * (len(obs) - frames + 1))
    return obs[start : start + frames], condition[start : start + frames]


def _stack(stretches: list[tuple]) -> dict[str, np.ndarray]:
    frames, condition = zip(*stretches, strict=True)
    return {"frames": np.stack(frames), "condition": np.stack(condition)}
