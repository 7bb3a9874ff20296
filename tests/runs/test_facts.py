from pathlib import Path

from runs.arguments import BadInput
from runs.facts import check

import pytest

M = {
    "latent": 32,
    "units": 256,
    "mixtures": 5,
    "heads": ["tile", "done"],
    "vision": "0123456789abcdef",
    "losses": {"val_nll": -0.5},
    "core_hours": None,
    "digest": "fedcba9876543210",
}


def test_facts_that_can_be_are_taken_and_so_are_names_that_nobody_reads():
    check(M, Path("model.json"), "rnn")
    check(M | {"colour": [3]}, Path("model.json"), "rnn")


@pytest.mark.parametrize(
    "name, value",
    [
        ("latent", "32"),
        ("latent", 32.0),
        ("units", True),
        ("units", -1),
        ("units", None),
        ("heads", "tile"),
        ("heads", [1]),
        ("losses", {"val_nll": "low"}),
        ("core_hours", float("nan")),
        ("digest", 7),
        ("finetuned_from", 3),
    ],
)
def test_what_cannot_be_is_named(name, value):
    with pytest.raises(BadInput, match=f"model.json: the {name} of its rnn cannot be"):
        check(M | {name: value}, Path("model.json"), "rnn")


@pytest.mark.parametrize("facts", [None, 3, [], "rnn"])
def test_what_is_no_dictionary_is_refused(facts):
    with pytest.raises(BadInput, match="says nothing of its rnn"):
        check(facts, Path("model.json"), "rnn")
