import math

from controller.report import scores as scoring
from controller.rollout import Outcome

import gymnasium
import numpy as np
import pytest


def outcomes(*scores: float) -> list[Outcome]:
    return [Outcome(score, 1000, 1.0, score > 900) for score in scores]


def test_a_summary_by_hand():
    summary = scoring.summary(outcomes(1, 2, 3, 4, 1000))
    assert summary["tracks"] == 5 and summary["laps"] == 1
    assert summary["mean"] == 202 and summary["median"] == 3
    assert (summary["worst"], summary["best"]) == (1, 1000)
    squares = [(score - 202) ** 2 for score in (1, 2, 3, 4, 1000)]
    assert summary["sd"] == pytest.approx(math.sqrt(sum(squares) / 5))


def test_equal_scores_have_an_interval_of_no_width():
    assert scoring.bootstrap(np.full(20, 7.0)) == (7, 7)


def test_the_interval_of_two_scores_is_all_of_them():
    """Of two resampled scores both are the lower one in a quarter of all draws."""
    assert scoring.bootstrap(np.array([0.0, 10.0])) == (0, 10)
    assert scoring.bootstrap(np.array([0.0, 10.0]), level=0.4) == (5, 5)


def test_the_interval_is_that_of_the_normal_where_that_is_known():
    """For many scores the resampled mean is normal with SD σ/√n: ± 1.96 of it are 95 %."""
    scores = np.random.default_rng(1).normal(800, 100, 400)
    low, high = scoring.bootstrap(scores)
    half = 1.959964 * scores.std() / math.sqrt(400)
    assert low == pytest.approx(scores.mean() - half, abs=0.06 * half)
    assert high == pytest.approx(scores.mean() + half, abs=0.06 * half)


def test_the_interval_leans_as_the_scores_do():
    scores = np.array([900.0] * 19 + [0.0])
    low, high = scoring.bootstrap(scores)
    assert scores.mean() - low > high - scores.mean()
    assert 0 < low < 855 < high <= 900


def test_the_same_scores_have_the_same_interval():
    scores = np.random.default_rng(2).normal(size=30)
    assert scoring.bootstrap(scores) == scoring.bootstrap(scores)


def test_a_report_keeps_every_episode():
    report = scoring.report(outcomes(1, 2), [70, 71])
    assert report["first_track"] == 70 and report["environment"] == "CarRacing-v3"
    assert report["episodes"][1] == {"score": 2, "steps": 1000, "tiles": 1.0, "lap": False}


def test_the_table_of_one_agent():
    report = scoring.report(outcomes(910, 950, 840), [70, 71, 72])
    head, rule, row, _, where = scoring.table({"vae": report}).splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:2] == ["vae", "900.0 ± 45.5"]
    assert cells[3:] == ["910.0", "840.0 (72)", "2", "3"]
    assert where == f"CarRacing-v3, Gymnasium {gymnasium.__version__}, tracks from 70."
    assert head.count("|") == rule.count("|") == row.count("|") == 8


def test_agents_are_compared_with_the_first_track_by_track():
    first = scoring.report(outcomes(100, 500, 900), [1, 2, 3])
    second = scoring.report(outcomes(110, 510, 910), [1, 2, 3])
    rows = scoring.table({"a": first, "b": second}).splitlines()
    assert rows[2].endswith("|  |")
    assert rows[3].endswith("| +10.0 (+10.0 to +10.0) |")


def test_the_median_track_is_that_of_the_median_episode():
    assert scoring.median_track(scoring.report(outcomes(900, 100, 500), [7, 8, 9])) == 9
    assert scoring.median_track(scoring.report(outcomes(4, 3, 2, 1), [0, 1, 2, 3])) == 2


def test_the_worst_track_is_that_of_the_lowest_score():
    assert scoring.worst_track(scoring.report(outcomes(900, 100, 500), [7, 8, 9])) == 8


def test_the_histogram_is_a_picture(tmp_path):
    report = scoring.report(outcomes(-30, 500, 905), [1, 2, 3])
    scoring.histogram(tmp_path / "h.png", {"vae": report})
    assert (tmp_path / "h.png").stat().st_size > 1000


def test_the_bins_show_the_scores_whether_near_each_other_or_far():
    near, far = scoring.bin_edges(903.2, 930.0), scoring.bin_edges(-94.9, 933.3)
    assert near[0] <= 903.2 < near[1] and near[-2] <= 930 < near[-1] and len(near) > 20
    assert far[0] <= -94.9 < far[1] and far[-2] <= 933.3 < far[-1] and len(far) <= 41


def test_agents_may_have_names_that_matplotlib_and_markdown_read_otherwise(tmp_path, monkeypatch):
    names = [r"$\foo$", "_hidden", "a|b", "$5"]
    scores = {name: scoring.report(outcomes(1, 2), [3, 4]) for name in names}
    shown = []
    monkeypatch.setattr(
        scoring.plots,
        "save_figure",
        lambda figure, path: shown.extend(t.get_text() for t in figure.axes[0].get_legend().texts),
    )
    scoring.histogram(tmp_path / "scores.png", scores)
    labels = [text.split(":")[0] for text in shown]
    assert set(labels) == {r"\$\foo\$", " _hidden", "a|b", r"\$5", "solved, as a mean"}
    assert r"| a\|b |" in scoring.table(scores)
