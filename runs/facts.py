"""What a `model.json` says of a part, checked: other people write such files too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runs.arguments import LARGEST, BadInput

LARGEST_WHOLE = 2**53  # beyond, floats skip whole numbers


class Facts(dict):
    """The facts of a part; asked for what they lack, they name the file.

    So do those of them that are dictionaries themselves, such as its losses.
    """

    def __init__(self, facts: dict, source: Path, part: str):
        super().__init__(
            {
                name: Facts(value, source, part) if isinstance(value, dict) else value
                for name, value in facts.items()
            }
        )
        self._source, self._part = source, part

    def __missing__(self, name: str):
        raise BadInput(
            f"{self._source} does not say the {name} of its {self._part}.",
            make=(self._part,),
        )


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_WHOLE


def is_count(value: Any) -> bool:
    return is_whole(value) and value > 0


def is_number(value: Any) -> bool:
    kind = isinstance(value, int | float) and not isinstance(value, bool)
    return kind and -LARGEST <= value <= LARGEST


def is_positive(value: Any) -> bool:
    return is_number(value) and value > 0


def is_number_or_none(value: Any) -> bool:
    return value is None or is_number(value)


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def are_few_texts(value: Any) -> bool:
    return are_texts(value) and len(value) <= 10


def are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_number, value.values()))


def is_score(value: Any) -> bool:
    names = {"tracks", "mean", "sd"}
    return isinstance(value, dict) and all(is_number(value[name]) for name in names & value.keys())


# What is read of each part, and what it must be. Recipes and settings check their own.
KINDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "vision": {
        "architecture": is_text,
        "latent": is_count,
        "depth": is_count,
        "data": is_text,
        "losses": are_numbers,
        "core_hours": is_number_or_none,
    },
    "rnn": {
        "vision": is_text,
        "latent": is_count,
        "units": is_count,
        "mixtures": is_count,
        "heads": are_few_texts,  # each is a layer of the network
        "finetuned_from": are_texts,
        "losses": are_numbers,
        "core_hours": is_number_or_none,
    },
    "cvae": {
        "condition": is_whole,
        "width": is_positive,
        "past": is_count,
        "prior": is_text,
        "data": is_text,
        "losses": are_numbers,
        "core_hours": is_number_or_none,
    },
    "controller": {
        "vision": is_text,
        "rnn": is_text,
        "sees": is_text,
        "features": is_count,
        "validation": is_score,
    },
}


def check(facts: Any, source: Path, part: str) -> None:
    """Raise `BadInput` when what a file says of a part cannot be."""
    if not isinstance(facts, dict):
        raise BadInput(f"{source} says nothing of its {part}.", make=(part,))
    for name, fits in {"digest": is_text, **KINDS.get(part, {})}.items():
        if name in facts and not fits(facts[name]):
            shown = repr(facts[name])[:50]
            raise BadInput(
                f"{source}: the {name} of its {part} cannot be {shown}.",
                make=(part,),
            )
