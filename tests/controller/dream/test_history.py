from controller.dream.history import Pair, curve, read, write, write_table
from runs.arguments import BadInput

import pytest
from imageio import v3 as imageio

PAIRS = [
    Pair(stage=1, generation=10, dream=100.0, dream_sd=5.0, real=50.0, real_sd=20.0),
    Pair(stage=1, generation=20, dream=300.0, dream_sd=6.0, real=-60.0, real_sd=4.0),
]


def test_reads_what_it_wrote(tmp_path):
    assert read(tmp_path / "dream.csv") == []
    write(tmp_path / "dream.csv", PAIRS)
    assert read(tmp_path / "dream.csv") == PAIRS


@pytest.mark.parametrize("text", ["stage,generation\n1,2\n", "stage,generation,dream\n1,x,2\n"])
def test_refuses_a_damaged_file(tmp_path, text):
    (tmp_path / "dream.csv").write_text(text)
    with pytest.raises(BadInput, match=r"dream\.csv cannot be read"):
        read(tmp_path / "dream.csv")


def test_the_table_shows_the_last_mean_and_the_best_in_the_real_world(tmp_path):
    write_table(tmp_path / "dream.md", {1.15: PAIRS})
    row = (tmp_path / "dream.md").read_text().splitlines()[2]
    assert row == "| 1.15 | 300 ± 6 | -60 ± 4 | 100 ± 5 | 50 ± 20 |"


def test_a_temperature_of_which_no_pair_is_left_has_dashes_and_an_empty_panel(tmp_path):
    write_table(tmp_path / "dream.md", {1.0: [], 1.15: PAIRS})
    rows = (tmp_path / "dream.md").read_text(encoding="utf-8").splitlines()
    assert rows[2] == "| 1 | – | – | – | – |" and rows[3].startswith("| 1.15 | 300")
    curve(tmp_path / "none.png", {1.0: []}, "none")
    assert imageio.imread(tmp_path / "none.png").std() > 0


@pytest.mark.slow
def test_the_curve_has_a_panel_for_each_temperature(tmp_path):
    curve(tmp_path / "one.png", {1.0: PAIRS}, "one")
    curve(tmp_path / "four.png", dict.fromkeys((0.5, 1.0, 1.15, 1.3), PAIRS), "four")
    one, four = (imageio.imread(tmp_path / f"{name}.png") for name in ("one", "four"))
    assert one.std() > 0 and four.shape[1] > one.shape[1]
