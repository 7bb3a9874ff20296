from controller.report import history
from controller.run import line


def test_a_line_tells_a_generation():
    row = history.Row(1, 7, 300.0, 120.0, 1.0, 0.1, 20_000, 10.0, 1, 650.0, 80.0)
    words = line(row)
    assert "generation    7" in words and "2,000 steps/s" in words
    assert "mean on validation tracks 650.0 ± 80.0" in words
