"""What a reconstruction keeps of a frame: measures of pairs of frames, (N, 64, 64, 3) in [0, 1].

Each gives one number for each pair, (N,), unless it says otherwise.
"""

import numpy as np
import tensorflow as tf

# What a pixel can show.
ROAD_COLOURS = ((102, 102, 102), (107, 107, 107))
OTHER_COLOURS = (
    (102, 204, 102),  # grass, dark and light
    (102, 230, 102),
    (255, 0, 0),  # kerb
    (255, 255, 255),
    (204, 0, 0),  # car and its wheels
    (0, 0, 0),
    (102, 102, 0),  # tracks in the grass
)
# The camera holds the car here once it has come down.
CAR = (slice(50, 60), slice(30, 34))
# Fewer pixels of road than this (of 4,056) are a far corner; a share of them would be noise.
LEAST_ROAD = 80
LOST = 0.5  # of a frame's road found: under this, the road is lost


def psnr(truth: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB; equal frames have 100 dB instead of infinitely many."""
    error = np.square(truth - other).mean(axis=(1, 2, 3))
    return -10 * np.log10(np.maximum(error, 1e-10))


def ssim(truth: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004): 11×11 Gaussian of σ 1.5, K 0.01 and 0.03."""
    found = tf.image.ssim(
        tf.cast(truth, tf.float32),
        tf.cast(other, tf.float32),
        max_val=1.0,
        filter_size=11,
        filter_sigma=1.5,
        k1=0.01,
        k2=0.03,
    )
    return found.numpy()


def edge_energy(frames: np.ndarray) -> np.ndarray:
    """The mean square of the grey frame's Laplacian, by differences with the four neighbours.

    A reconstruction's over its truth's is its sharpness: 1 is as sharp, less is blurred, more is
    noise.
    """
    grey = frames.mean(axis=3)
    inner = grey[:, 1:-1, 1:-1]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return np.square(around - 4 * inner).mean(axis=(1, 2))


def road(frames: np.ndarray) -> np.ndarray:
    """Where a frame shows road, (N, 64, 64) bool: by the nearest colour, never under the car."""
    colours = np.array(ROAD_COLOURS + OTHER_COLOURS, np.float32) / 255
    pixels = np.asarray(frames, np.float32)
    # ‖p - c‖² without ‖p‖², which is the same for all colours.
    distance = np.square(colours).sum(axis=1) - 2 * pixels @ colours.T
    found = distance.argmin(axis=-1) < len(ROAD_COLOURS)
    rows, columns = CAR
    found[:, rows, columns] = False
    return found


def road_agreement(truth: np.ndarray, other: np.ndarray) -> dict[str, np.ndarray]:
    """Intersection over union, precision and recall of the road, and `lost`: recall under a half.

    Frames whose truth shows hardly any road have NaN throughout. Where the other shows none, its
    precision is NaN, for it claims nothing.
    """
    real, found = road(truth), road(other)
    area = real.sum(axis=(1, 2))
    claimed = found.sum(axis=(1, 2))
    both = (real & found).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        measured = {
            "iou": both / (area + claimed - both),
            "precision": both / claimed,
            "recall": both / area,
        }
    measured["lost"] = (measured["recall"] < LOST).astype(float)
    return {name: np.where(area < LEAST_ROAD, np.nan, value) for name, value in measured.items()}
