from runs import aliases

import pytest


@pytest.mark.parametrize("old, today", aliases.TODAY.items())
def test_a_name_of_before_becomes_today_s(old, today):
    assert aliases.renamed({old: 1, "other": 2}) == {today: 1, "other": 2}
    assert old in aliases.earlier(today)


def test_today_s_names_stay():
    saved = {today: number for number, today in enumerate(aliases.TODAY.values())}
    assert aliases.renamed(saved) == saved
    assert aliases.earlier("seed") == ()


def test_settings_that_once_were_none_are_what_they_always_were():
    earlier = {"variant": "repaired", "kl": 1.0}
    assert aliases.completed("vision", earlier) == {
        "variant": "repaired",
        "kl_weight": 1.0,
        "frame_stride": 1,
        "drift": 0.0,
        "flips": False,
    }
    once = aliases.completed("vision", {})
    assert once["latent"] == once["depth"] == 32
    assert aliases.completed("rnn", {"seed": 1}) == {"seed": 1}
