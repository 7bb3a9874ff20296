"""The robot that pushes, where the extra `robot` is installed."""

import os
import subprocess
import sys
from pathlib import Path

from rnn.video import sequences

import numpy as np
import pytest

TOP = Path(__file__).parents[2]


@pytest.mark.slow
def test_its_sequences_are_read_as_bair_s_are(tmp_path):
    pytest.importorskip("gymnasium_robotics", reason="the extra `robot` is not installed")
    command = [sys.executable, TOP / "benchmarks" / "robot_pushing.py", "--sequences", "21"]
    command += ["--layout", "folders", "--folder", tmp_path]
    subprocess.run(command, check=True, cwd=TOP, env={**os.environ, "PYTHONPATH": "."})
    videos = sequences.load("bair", tmp_path)
    # In tens: 30, of which the last of each ten are held out.
    assert (len(videos.learned), len(videos.held_out), len(videos.test)) == (24, 3, 3)
    assert {int(Path(video.name).name) % 10 for video in videos.test} == {9}
    frames, condition = videos.learned[0].read()
    assert frames.shape == (30, 64, 64, 3) and condition.shape == (30, 7)
    # The arm moves, and where the gripper is follows from what was done.
    assert np.abs(np.diff(frames.astype(int), axis=0)).mean() > 0.5
    moved, action = np.diff(condition[:, 4:6], axis=0).ravel(), condition[:-1, :2].ravel()
    assert np.corrcoef(moved, action)[0, 1] > 0.5
