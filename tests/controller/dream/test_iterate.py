from controller.dream import iterate
from runs.arguments import BadInput
from runs.directory import write_json

import pytest


@pytest.mark.parametrize(
    "content", [{}, {"rounds": 3}, {"rounds": [3]}, {"rounds": [{"round": 1, "score": 2.0}]}]
)
def test_what_is_no_list_of_rounds_is_refused(tmp_path, content):
    write_json(tmp_path / "rounds.json", content)
    with pytest.raises(BadInput, match="rounds.json is no list of rounds"):
        iterate.read(tmp_path / "rounds.json")
