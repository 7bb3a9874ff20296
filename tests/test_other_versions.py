"""A published agent drives as well under other versions of Keras and TensorFlow.

Their sums differ in the last bits, and so after some hundred steps the car is elsewhere: on this
track Keras 3.6.0 gave 930.7 points and Keras 3.15.1 932.9, both a whole lap.

Where OTHER_PYTHONS names interpreters that have them, as `PATH` names directories:

    python -m venv /tmp/oldest && /tmp/oldest/bin/pip install tensorflow==2.18.0 keras==3.6.0 \
        "gymnasium[box2d]" cma opencv-python-headless matplotlib imageio tqdm filelock tensorboard
    OTHER_PYTHONS=/tmp/oldest/bin/python python -m pytest tests/test_other_versions.py
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
OTHERS = [path for path in os.environ.get("OTHER_PYTHONS", "").split(os.pathsep) if path]

pytestmark = pytest.mark.skipif(not OTHERS, reason="OTHER_PYTHONS names none")


def episode(python: str, folder: Path) -> dict:
    """How the agent does on the first evaluation track, driven by this interpreter."""
    options = ["--tracks", "1", "--workers", "1", "--scores-only", "--res", str(folder)]
    script, agent = TOP / "evaluate.py", TOP / "res" / "published" / "vae"
    done = subprocess.run(
        [python, str(script), str(agent), *options],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    [score] = json.loads((folder / "scores.json").read_text()).values()
    return score["episodes"][0]


@pytest.mark.parametrize("other", OTHERS)
def test_another_version_drives_as_well(other, tmp_path):
    there, here = episode(other, tmp_path / "other"), episode(sys.executable, tmp_path / "here")
    assert there["lap"] and here["lap"]
    assert there["score"] == pytest.approx(here["score"], abs=15)
