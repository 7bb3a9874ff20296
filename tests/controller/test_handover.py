"""An agent of elsewhere becomes the one that a data directory goes on from."""

from controller import arch, handover
from runs.arguments import BadInput
from runs.directory import ModelDirectory

import numpy as np
import pytest


def digests(directory: ModelDirectory) -> dict[str, str]:
    return {part: directory.facts(part)["digest"] for part in handover.AGENT}


def test_all_of_an_agent_is_copied_and_what_is_made_of_it_stays(model, own_model, tmp_path):
    (own_model.path / handover.HISTORY).write_text("what it scored")
    target = ModelDirectory(tmp_path / "models" / "vae")
    handover.take_over(own_model, target)
    assert digests(target) == digests(own_model)
    assert (target.path / handover.HISTORY).read_text() == "what it scored"
    further = np.ones_like(arch.load(own_model, 48))
    arch.save(target, further, {"rnn": target.facts("rnn")["digest"]})
    (target.path / handover.HISTORY).write_text("and since")
    handover.take_over(own_model, target)
    assert np.array_equal(arch.load(target, 48), further)
    assert (target.path / handover.HISTORY).read_text() == "and since"


def test_a_kill_between_two_parts_is_made_good_by_the_same_call(own_model, tmp_path):
    target = ModelDirectory(tmp_path / "models" / "vae")
    target.take(["vision"], own_model)
    handover.take_over(own_model, target)
    assert digests(target) == digests(own_model)


def test_another_v_is_not_replaced(own_model, full_model):
    before = digests(own_model)
    with pytest.raises(BadInput, match="holds another vision than .*; choose another"):
        handover.take_over(full_model, own_model)
    assert digests(own_model) == before


def test_what_is_no_whole_agent_is_not_begun_with(dreamer, tmp_path):
    target = ModelDirectory(tmp_path / "models" / "vae")
    with pytest.raises(BadInput, match="has no trained controller"):
        handover.take_over(dreamer, target)
    assert not target.has("vision")
