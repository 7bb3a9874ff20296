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
