"""evaluate_dream.py as a user runs it: on an agent where it lies, and on too short episodes."""

import json

from imageio import v3 as imageio

SCRIPT = "evaluate_dream.py"


def test_an_agent_of_elsewhere_is_measured_on_ones_own_recordings(dreamer, scripts, tmp_path):
    data = ["--data-dir", tmp_path, "--policy", "brownian"]
    scripts.succeed("01_generate_data.py", *data, "--episodes", 2, "--steps", 90, "--workers", 2)
    scripts.succeed(SCRIPT, dreamer.path, "--data-dir", tmp_path, "--res", tmp_path)
    [(name, found)] = json.loads((tmp_path / "dream_truth.json").read_text()).items()
    assert name == dreamer.path.name
    assert found["episodes"] == 1 and found["open_loop"]["stretches"] == 1
    assert len(found["open_loop"]["model"]) == 4 and found["heads"].keys() == {"tile", "done"}
    assert imageio.imread(tmp_path / f"{name}_calibration.png").std() > 0
    assert imageio.imread(tmp_path / f"{name}_dream.gif", index=None).ndim == 4
    assert not (tmp_path / "series").exists()  # The data directory's own latents are left alone.


def test_episodes_that_are_too_short_are_refused(dreamer, refuse, record, tmp_path):
    record(tmp_path / "rollout", [70, 79])
    said = refuse(SCRIPT, dreamer.path, "--data-dir", tmp_path, ignore_progress=True)
    assert "None of the 1 episodes held out has the 80 steps" in said
