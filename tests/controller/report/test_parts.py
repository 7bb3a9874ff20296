from controller import arch
from controller.fleet import Fleet
from controller.report import parts
from runs.arguments import BadInput
from runs.directory import read_json, write_json
from runs.workplace import Workplace

import numpy as np
import pytest

TRACKS = [20, 21, 22]
# Straight on and fast, until the car has left the field.
STRAIGHT_ON = np.array([0.0] * (arch.size(32 + 16) - 3) + [0, 0.3, -1])


@pytest.fixture
def drive(tmp_path, own_model, ready_workers, monkeypatch):
    """Drives in parts of two tracks; gives the outcomes, and how many were known before."""
    monkeypatch.setattr(parts, "PART", 2)

    def drive(tracks=TRACKS, cluster=None):
        told = []
        driven = parts.drive_in_parts(
            tmp_path / "part.json",
            parts.identity(own_model, False),
            Fleet(own_model, "float32", Workplace(cluster=cluster), worlds=2),
            STRAIGHT_ON,
            tracks,
            False,
            told.append,
        )
        return driven, told[0]

    return drive


def test_an_evaluation_that_was_stopped_drives_only_what_is_missing(drive, tmp_path, own_model):
    whole, first = drive()
    assert first == 0 and len(whole) == 3
    kept = tmp_path / "part.json"
    saved = read_json(kept)
    del saved["episodes"]["22"]
    write_json(kept, saved)
    assert drive() == (whole, 2)
    assert drive(tracks=[22, 20]) == ([whole[2], whole[0]], 2)
    # Nobody is asked where nothing is missing: here no scheduler is.
    assert drive(cluster="tcp://127.0.0.1:1") == (whole, 3)

    saved = read_json(kept)
    saved["driver"]["drawing"] = saved["driver"].pop("rendering")  # as it once was called
    write_json(kept, saved)
    assert drive() == (whole, 3)

    saved = read_json(kept)
    saved["driver"]["agent"]["controller"] = "another"
    write_json(kept, saved)
    assert drive(tracks=[20]) == (whole[:1], 0)


@pytest.mark.parametrize("episodes", [3, {"x": {}}, {"20": {"score": "1"}}, {"20": [1, 2, 3, 4]}])
def test_a_file_that_cannot_be_what_was_kept_is_refused(tmp_path, own_model, episodes):
    kept = tmp_path / "part.json"
    driver = parts.identity(own_model, False)
    write_json(kept, {"driver": driver, "episodes": episodes})
    with pytest.raises(BadInput, match="part.json does not hold what was driven"):
        parts.drive_in_parts(kept, driver, None, None, TRACKS, False, int)
