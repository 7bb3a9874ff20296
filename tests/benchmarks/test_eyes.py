"""benchmarks/eyes.py: its recipes, what it keeps of a training, its figures by hand."""

import dataclasses
from pathlib import Path

from runs import config
from runs.arguments import BadInput
from runs.directory import read_json, write_json
from settings import adversary
from vae import compare

import numpy as np
import pytest
from imageio import v3 as imageio

TOP = Path(__file__).parents[2]
RECIPES = sorted((TOP / "recipes" / "eyes").glob("*.toml"))


@pytest.fixture
def eyes(load):
    return load("benchmarks/eyes.py")


@pytest.fixture
def options(eyes, tmp_path):
    given = [*RECIPES, "--data-dir", tmp_path / "data", "--record", tmp_path / "record"]
    return config.parse(eyes.Eyes, None, list(map(str, given)))


def stages(eyes, options, row: str, seed: int = 1) -> list:
    [path] = [path for path in RECIPES if path.stem == row]
    return eyes.stages_of(eyes.EyesTraining(path, seed), options)


def test_all_rows_drive_alike_and_differ_in_v_alone(eyes, options):
    after = set()
    for path in RECIPES:
        rows = [stage.row for stage in stages(eyes, options, path.stem)]
        plain = str([{k: v for k, v in row.items() if k != "vision"} for row in rows[1:]])
        after.add(plain.replace("vaegan", "vae"))
    assert len(after) == 1


def test_the_rows_between_take_one_fault_each_from_the_published_v(eyes, options):
    def recipe(row):
        return stages(eyes, options, row)[0].settings.recipe

    published = adversary.RECIPES["published"]
    assert recipe("published") == recipe("published-8") == published
    assert recipe("published-flips") == dataclasses.replace(published, flips=True)
    assert recipe("published-8-linear") == dataclasses.replace(published, heads="linear")
    assert recipe("published-8-pixels") == dataclasses.replace(
        published, pixels=1.0, ramp_start=0.1, ramp_end=0.4
    )
    assert recipe("repaired") == adversary.REPAIRED
    vae, repaired = (stages(eyes, options, row)[0].settings for row in ("vae", "repaired"))
    assert (vae.epochs, vae.batch_size) == (repaired.epochs, repaired.batch_size)


def test_a_recipe_that_does_not_begin_with_v_is_refused(eyes, options):
    with pytest.raises(BadInput, match="does not begin with a training of V"):
        eyes.stages_of(eyes.EyesTraining(TOP / "recipes" / "quick.toml", 1), options)


def test_losses_are_flat_that_stay_within_a_hundredth_in_the_last_fifth(eyes):
    spread = eyes.eyes_record.spread
    assert spread([50, 40, 30, 20, 10.0, 10.0, 10.0, 10.0, 100, 101]) == pytest.approx(1 / 100.5)
    assert spread([9.0, 1.0, 1.0]) == 0


def test_what_is_held_out_is_the_same_of_both_kinds_of_v(eyes):
    held_out = eyes.eyes_record.held_out
    expected = {"pixels": 20.0, "kl": pytest.approx(16), "pixels + kl": pytest.approx(36)}
    assert held_out({"val_reconstruction": 20.0, "val_kl": 16.0, "val_loss": 36.0}) == expected
    assert held_out({"val_pixels": 20.0, "val_bits": 16 / np.log(2), "val_bce": 1}) == expected


def test_a_record_counts_while_its_recipe_is_the_same(eyes, options, tmp_path):
    one = eyes.EyesTraining(RECIPES[0], 2)
    rows = stages(eyes, options, one.row, 2)
    record = eyes.TrainingRecord(tmp_path, one, rows)
    record.put("visions", {"flat": True})
    assert record.has("visions") and not record.has("drives") and record.is_settled()
    assert not record.of_the_first().has("visions")
    longer = dataclasses.replace(rows[-1], row=rows[-1].row | {"tracks": 200})
    assert eyes.TrainingRecord(tmp_path, one, [*rows[:-1], longer]).has("visions")
    record.put("drives", {})
    assert not eyes.TrainingRecord(tmp_path, one, [*rows[:-1], longer]).has("drives")
    # A setting of the last stage that once had another name.
    earlier = [{"drawing" if k == "rendering" else k: v for k, v in rows[-1].row.items()}]
    path = tmp_path / "drives" / f"{one.name}.json"
    write_json(path, read_json(path) | {"stages": [stage.row for stage in rows[:-1]] + earlier})
    assert record.has("drives")


def test_curves_that_end_alike_differ_in_their_height(eyes):
    found = eyes.eyes_report.RowResults(
        np.zeros((2, 1)), np.array([2, 4, 8]), np.array([[0, 0, 90], [0, 90, 90.0]])
    )
    np.testing.assert_allclose(found.area, [(0 * 2 + 45 * 4) / 6, (45 * 2 + 90 * 4) / 6])


def test_how_many_trainings_an_interval_takes_follows_from_their_spread(eyes):
    def row(means):
        return eyes.eyes_report.RowResults(np.array(means)[:, None], np.arange(2), np.zeros((2, 2)))

    # Variances 5000 and 200: 1.96² · 5200 / 20² = 49.9.
    assert eyes.eyes_report.needed(row([700.0, 800.0]), row([700.0, 720.0])) == 50
    assert "about 50 trainings" in eyes.eyes_report.verdict(
        row([700.0, 800.0]), row([700.0, 720.0]), "a", "b"
    )
    assert "says nothing" in eyes.eyes_report.verdict(row([1.0]), row([1.0, 2.0]), "a", "b")


def put(eyes, options, row: str, seed: int, scores: np.ndarray) -> None:
    """A made-up record of a whole training."""
    [path] = [path for path in RECIPES if path.stem == row]
    one = eyes.EyesTraining(path, seed)
    record = eyes.TrainingRecord(options.record, one, eyes.stages_of(one, options))
    epochs = [{"pixels": 20.0, "kl": 16.0, "pixels + kl": 36.0}] * 3
    ranges = {"pixels": 0.0, "kl": 0.0, "pixels + kl": 0.005}
    vision = {"held_out": epochs, "ranges": ranges, "flat": True, "core_hours": 2.0}
    record.put("visions", vision)
    sums = {column: np.array([[seed + 1.0, 2.0], [2.0, 2.0]]) for column in compare.COLUMNS}
    record.put("measures", eyes.eyes_record.measured(sums))
    drive = {"core_hours": {"M": 0.25, "C": 0.25}, "scores": scores.tolist()}
    record.put("drives", drive | {"validated": {"2": 100.0, "4": 500.0 + seed}})


def test_the_report_holds_rows_against_the_vae_on_the_same_tracks(eyes, options, monkeypatch):
    monkeypatch.setattr(compare, "RESAMPLED", 20)
    scores = np.array([500.0, 700.0, 900.0])
    for seed in (1, 2):
        put(eyes, options, "repaired", seed, scores + 10)
        put(eyes, options, "vae", seed, scores)
    text = eyes.eyes_report.write(options.record)
    assert text == (options.record / "eyes.md").read_text()
    assert "| vae | 2 | 2 | 0.5% to 0.5% | 36.0 | 3 | 2.00 |" in text
    found = read_json(options.record / "eyes.json")["drives"]
    assert list(found["score"]) == ["vae", "repaired"]
    assert found["score"]["repaired"]["less"] == pytest.approx({"mean": 10, "low": 10, "high": 10})
    assert found["failed tracks"]["vae"]["mean"] == pytest.approx(1 / 3)
    assert found["height of the curve"]["vae"]["mean"] == pytest.approx(300.75)
    assert "repaired against vae: known to ± 0 points." in text
    assert imageio.imread(options.record / "eyes.png").std() > 0


def test_the_plan_reckons_with_what_was_measured(eyes, options, record):
    record(options.learned, [64] * 5)  # Four are learned from: 8 batches of 32.
    put(eyes, options, "vae", 1, np.ones(3))
    rows = ("vae", 1), ("vae", 2), ("repaired", 1), ("published", 1)
    trainings = [
        eyes.EyesTraining(TOP / "recipes" / "eyes" / f"{row}.toml", seed) for row, seed in rows
    ]
    planned = [eyes.planned(one, options) for one in trainings]
    at = {"epoch": 2, "batch": 8, "core_seconds": 3600.0, "history": []}
    state = {"lineage": [{}], "stage": 1, "position": at, "saves": 1}
    write_json(
        planned[2].model.path / "vision.training.json",
        state | {"finished": False, "checkpoint": None},
    )
    text = eyes.eyes_plan.table(planned)
    assert "| vae-1 | yes | yes | yes | 100% | 2.00 | 0.50 | 0.00 |" in text
    assert "| vae-2 |  |  |  | 0% | 2.00 | 0.50 | 2.50 |" in text
    assert "| repaired-1 |  |  |  | 25% | 4.00 | 0.50 | 3.50 |" in text
    assert "| published-1 |  |  |  | 0% | ? | 0.50 | ? |" in text
    assert "Left: 6.0 core-hours, and 1 trainings whose cost nobody has measured." in text
