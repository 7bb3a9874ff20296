import dataclasses

from controller.report import history
from runs.arguments import BadInput
from runs.directory import ModelDirectory, write_json

import numpy as np
import pytest
from imageio import v3 as imageio

ROWS = [
    history.Row(1, 1, 12.5, -3.25, -40.0, 0.1, 5000, 36.0, 2),
    history.Row(1, 2, 90.0, 10.0, -30.0, 0.11, 6000, 72.0, 2, 55.5, 12.25),
    history.Row(2, 1, 1e-9, 1 / 3, -30.0, 0.04, 6000, 18.0, 4),
]


def test_rows_come_back_to_the_last_bit(tmp_path):
    history.write(tmp_path / "c.csv", ROWS)
    assert history.read(tmp_path / "c.csv") == ROWS
    assert history.read(tmp_path / "missing.csv") == []


def test_any_program_can_read_it(tmp_path):
    history.write(tmp_path / "c.csv", ROWS[:2])
    assert (tmp_path / "c.csv").read_text().splitlines() == [
        ",".join(field.name for field in dataclasses.fields(history.Row)),
        "1,1,12.5,-3.25,-40.0,0.1,5000,36.0,2,,,,",
        "1,2,90.0,10.0,-30.0,0.11,6000,72.0,2,55.5,12.25,,",
    ]


def test_a_column_may_have_its_earlier_name(tmp_path):
    rows = [dataclasses.replace(row, on_new_tracks=number) for number, row in enumerate(ROWS)]
    history.write(tmp_path / "c.csv", rows)
    text = (tmp_path / "c.csv").read_text()
    (tmp_path / "c.csv").write_text(text.replace("on_new_tracks", "scouted"))
    assert history.read(tmp_path / "c.csv") == rows


@pytest.mark.parametrize(
    "content", [b"a,b\r\n1,2\r\n", b"stage,generation\r\n1,x\r\n", b"\xff\xfe\r\n1", b"a\r\n\x00"]
)
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(BadInput, match="c.csv cannot be read .*; put it back as it was, or remove"):
        history.read(tmp_path / "c.csv")


def test_a_line_cut_off_is_refused(tmp_path):
    history.write(tmp_path / "c.csv", ROWS)
    whole = (tmp_path / "c.csv").read_bytes()
    (tmp_path / "c.csv").write_bytes(whole[: whole.rindex(b",0.04")])
    with pytest.raises(BadInput, match="c.csv cannot be read"):
        history.read(tmp_path / "c.csv")


def test_core_hours_add_up():
    np.testing.assert_allclose(history.core_hours(ROWS), [0.02, 0.06, 0.08])


def test_what_v_and_m_took_is_added_where_all_of_it_is_known():
    learned = [
        dataclasses.replace(r, learned=h) for r, h in zip(ROWS, (1.0, 1.0, 2.5), strict=True)
    ]
    [hours], counted = history.costs([learned])
    np.testing.assert_allclose(hours, [1.02, 1.06, 2.58])
    assert counted == "core-hours of V, M and C"
    both, counted = history.costs([learned, ROWS])
    for hours in both:
        np.testing.assert_allclose(hours, [0.02, 0.06, 0.08])
    assert "not counted" in counted


@pytest.mark.slow
@pytest.mark.parametrize("rows", [ROWS[:1], ROWS])
def test_the_curve_is_a_picture(tmp_path, rows):
    history.curve(tmp_path / "c.png", rows, "C")
    assert imageio.imread(tmp_path / "c.png").std() > 0


@pytest.mark.parametrize("begun, led_here, stages", [(2, 2, [1, 1, 2]), (2, 1, [2]), (3, 1, [])])
def test_the_line_of_an_agent_leaves_out_what_was_given_up(tmp_path, begun, led_here, stages):
    history.write(tmp_path / "controller.csv", ROWS)
    write_json(tmp_path / "controller.training.json", {"stage": begun, "lineage": [{}] * led_here})
    assert [row.stage for row in history.line(ModelDirectory(tmp_path))] == stages


def test_the_line_of_a_published_agent_is_all_its_record(tmp_path):
    assert history.line(ModelDirectory(tmp_path)) == []
    history.write(tmp_path / "controller.csv", ROWS)
    assert history.line(ModelDirectory(tmp_path)) == ROWS


@pytest.mark.parametrize("content", [{}, {"stage": 1, "lineage": []}, {"stage": 1}])
def test_a_line_of_a_torn_state_is_refused(tmp_path, content):
    write_json(tmp_path / "controller.training.json", content)
    with pytest.raises(BadInput, match="not the state of a training"):
        history.line(ModelDirectory(tmp_path))


def test_the_curves_of_several_agents_are_a_picture(tmp_path):
    history.curves(tmp_path / "c.png", {"a": ROWS, "b": ROWS[1:2], "without": ROWS[:1]})
    assert imageio.imread(tmp_path / "c.png").std() > 0
