from pathlib import Path

from runs.arguments import BadInput
from runs.facts import Facts, check

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
        ("core_hours", True),
        ("core_hours", 10**400),
        ("latent", 10**400),
        ("digest", 7),
        ("finetuned_from", 3),
    ],
)
def test_what_cannot_be_is_named(name, value):
    with pytest.raises(BadInput, match=f"model.json: the {name} of its rnn cannot be"):
        check(M | {name: value}, Path("model.json"), "rnn")


def test_what_facts_lack_is_named_at_any_depth():
    facts = Facts(M | {"losses": {"val_loss": 1.0}}, Path("model.json"), "rnn")
    assert facts["losses"] == {"val_loss": 1.0} and facts["losses"]["val_loss"] == 1
    for known, name in ((facts, "colour"), (facts["losses"], "nll")):
        with pytest.raises(BadInput, match=f"model.json does not say the {name} of its rnn") as no:
            known[name]
        assert no.value.make == ("rnn",)


@pytest.mark.parametrize("facts", [None, 3, [], "rnn"])
def test_what_is_no_dictionary_is_refused(facts):
    with pytest.raises(BadInput, match="says nothing of its rnn"):
        check(facts, Path("model.json"), "rnn")


def test_a_score_is_of_numbers_as_far_as_it_goes():
    for score in ({}, {"mean": 900.5, "tracks": 16}):
        check({"validation": score}, Path("model.json"), "controller")
    for score in ({"mean": "900"}, [900.5], {"mean": None}):
        with pytest.raises(BadInput, match="the validation of its controller cannot be"):
            check({"validation": score}, Path("model.json"), "controller")
