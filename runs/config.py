"""Settings written once: a frozen dataclass for each step, each field with its meaning beside it.

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class TrainVAE(Settings):
        epochs: int = setting(10, "passes over all frames", least=1, most=10_000)

Such a class makes a script's flags and their help (`parse`, `flags`), the keys of a recipe
(`from_mapping`), what is saved with a result (`saved`, `differences`) and the page of all settings;
all refuse the same values. Shared settings are classes of their own, which steps inherit. A step
may give one another default, with `override`, but no other help, bounds or unit.
"""

import argparse
import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from runs.arguments import BadInput, Numbers, no_directory, unwritable

REQUIRED = dataclasses.MISSING  # the default of a setting that has none


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What a setting is, beside its name, type and default."""

    help: str  # a phrase, without the default, the unit and the bounds
    least: float = -math.inf
    most: float = math.inf
    above: bool = False  # greater than `least`, not equal to it
    choices: tuple[str, ...] | None = None
    unit: str | None = None  # what a number counts, or is measured in
    words: str | None = None  # of the default, where its value does not say all
    metavar: str | tuple[str, ...] | None = None  # what stands for the value in the help
    group: str | None = None  # the heading in the help
    exclusive: str | None = None  # at most one setting with the same name here may be given
    folder: bool = False  # a directory that is written to
    positional: bool = False  # stands on the command line without a flag, though it has a default
    saved: bool = True  # is part of what a result was made with, as a place for it is not
    aliases: tuple[str, ...] = ()  # earlier names: still taken as flag and key, and not shown


def setting(default: Any, help: str, **meaning: Any) -> Any:
    """A field of a settings class; for its meaning see `Meaning`.

    A `default` may be a function that finds it, such as the number of processors, or `REQUIRED`:
    then the setting stands on the command line without a flag.
    """
    known = Meaning(help, **meaning)
    if callable(default):
        return dataclasses.field(default_factory=default, metadata={"meaning": known})
    assert known.words or (default is not None and default != ())
    return dataclasses.field(default=default, metadata={"meaning": known})


def override(base: type["Settings"], name: str, *, default: Any, words: str | None = None) -> Any:
    """The setting `name` of `base`, under this or another name, with another default."""
    [meaning] = [option.meaning for option in options(base) if option.name == name]
    return setting(default, **(vars(meaning) | {"words": words}))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a step, or some that steps share.

    A field is a bool, int, float, str or Path, or a tuple of one of these, or None where `| None`
    says so. Raises `BadInput` when a value is none of its field's, or two do not go together.
    """

    def __post_init__(self):
        given: dict[str, str] = {}
        for option in options(type(self)):
            value = getattr(self, option.name)
            if complaint := option.complaint(value):
                raise BadInput(f"{option.name}: {complaint}.")
            if option.meaning.exclusive and value != option.default:
                other = given.setdefault(option.meaning.exclusive, option.name)
                if other != option.name:
                    raise BadInput(f"{other} and {option.name} exclude each other; give one.")
        self.check()

    @property
    def model_name(self) -> str | None:
        """Of the model directory that the step makes or changes, beside others; None: of none."""
        return None

    def check(self) -> None:
        """Raise `BadInput` when settings do not go together."""

    @classmethod
    def usual(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults that depend on what is given, in place of those of the fields."""
        return {}


S = TypeVar("S", bound=Settings)


@dataclasses.dataclass(frozen=True)
class Option:
    """A field of a settings class, its type taken apart."""

    name: str
    kind: type[Any]  # of the value, or of each in a tuple
    count: int | str | None  # how many a tuple has, "+" for any number; None: it is no tuple
    optional: bool  # may be None
    field: dataclasses.Field

    @property
    def meaning(self) -> Meaning:
        return self.field.metadata["meaning"]

    @property
    def default(self) -> Any:
        """The value without a flag; `REQUIRED` if there is none."""
        if self.field.default_factory is not dataclasses.MISSING:
            return self.field.default_factory()
        return self.field.default

    @property
    def flag(self) -> str:
        return self.name if self.positional else _flag(self.name)

    @property
    def positional(self) -> bool:
        """Whether it stands on the command line without a flag."""
        return self.meaning.positional or self.default is REQUIRED

    @property
    def switch(self) -> bool:
        """Whether it is off unless its flag is given, which then takes no value."""
        return self.kind is bool and not self.default

    @property
    def numbers(self) -> Numbers | None:
        """The numbers that are allowed, where it is a number."""
        if self.kind not in (int, float):
            return None
        return Numbers(self.kind, self.meaning.least, self.meaning.most, self.meaning.above)

    def complaint(self, value: Any) -> str | None:
        """Why it cannot have this value, or None if it can."""
        if value is None and self.optional:
            return None
        if self.count is None:
            return self._complaint(value)
        if not isinstance(value, tuple):
            return f"{value!r} is not a list"
        if self.count != "+" and len(value) != self.count:
            return f"{list(value)!r} has {len(value)} values, not {self.count}"
        return next(filter(None, map(self._complaint, value)), None)

    def _complaint(self, value: Any) -> str | None:
        if self.numbers:
            return None if value in self.numbers else f"{value!r} is not {self.numbers}"
        if not isinstance(value, self.kind):
            return f"{value!r} is not {'true or false' if self.kind is bool else 'a text'}"
        if self.meaning.choices and value not in self.meaning.choices:
            return f"{value!r} is not one of {', '.join(self.meaning.choices)}"
        if not self.meaning.folder:
            return None
        # The usual place may be read only, for steps that only read there.
        return no_directory(value) if value == self.default else unwritable(value)

    def value(self, plain: Any) -> Any:
        """The value that JSON or TOML holds: lists are tuples, paths are texts."""
        if self.count is not None and isinstance(plain, list):
            return tuple(map(self._value, plain))
        return self._value(plain)

    def _value(self, plain: Any) -> Any:
        return Path(plain) if self.kind is Path and isinstance(plain, str) else plain

    def shown(self, here: bool = False) -> str:
        """The default in words; with `here` also one that a function finds on this machine."""
        computed = self.field.default_factory is not dataclasses.MISSING
        value = None if computed and not here else self.default
        known = "" if value in (None, ()) else f"{words(value)} {self.meaning.unit or ''}".strip()
        return ", ".join(filter(None, [known, self.meaning.words]))


def options(kind: type[Settings]) -> tuple[Option, ...]:
    """The fields of a settings class, those of the classes that it inherits first."""
    hints = typing.get_type_hints(kind)
    return tuple(_option(field, hints[field.name]) for field in dataclasses.fields(kind))


def _option(field: dataclasses.Field, hint: Any) -> Option:
    optional = typing.get_origin(hint) is types.UnionType
    if optional:
        [hint] = [part for part in typing.get_args(hint) if part is not types.NoneType]
    count: int | str | None = None
    if typing.get_origin(hint) is tuple:
        parts = typing.get_args(hint)
        hint, count = parts[0], "+" if parts[-1] is Ellipsis else len(parts)
    return Option(field.name, hint, count, optional, field)


def from_mapping(kind: type[S], mapping: Mapping[str, Any], where: str) -> S:
    """The settings that a recipe or a saved result holds, in the types of JSON and TOML.

    What is missing has its default. Raises `BadInput`, which begins with `where`, the file and the
    place in it, for a name that is none of the settings', or a value that is none of the name's.
    """
    known = {name: option for option in options(kind) for name in _names(option)}
    given: dict[str, Any] = {}
    for name, plain in mapping.items():
        if name not in known:
            names = [option.name for option in options(kind)]
            near = difflib.get_close_matches(name, names, 1)
            advice = f"do you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            raise BadInput(f"{where}: there is no setting {name}; {advice}")
        option = known[name]
        if option.name in given:
            raise BadInput(f"{where}: {option.name} is given twice, once as {name}.")
        given[option.name] = option.value(plain)
    for option in options(kind):
        if option.default is REQUIRED and option.name not in given:
            raise BadInput(f"{where}: {option.name} is missing.")
    try:
        return _made(kind, given)
    except BadInput as problem:
        raise BadInput(f"{where}: {problem}") from None


def saved(settings: Settings, kind: type[Settings] | None = None) -> dict[str, Any]:
    """What to save of the settings with a result, as JSON has it; of the fields of `kind` only."""
    chosen = [option.name for option in options(kind or type(settings)) if option.meaning.saved]
    return {name: _plain(getattr(settings, name)) for name in chosen}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what saved settings differ: "epochs 3, not 4, seed 1, not 2"."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(f"{name} {before.get(name)}, not {now.get(name)}" for name in names)


def parse(kind: type[S], description: str | None, arguments: Sequence[str] | None = None) -> S:
    """The settings that a command line gives, or one line of what is wrong and exit code 2.

    A script calls this above its other imports, so that --help and wrong arguments are answered
    at once: what follows loads TensorFlow, which takes seconds.
    """
    parser = _parser(kind, description)
    given = vars(parser.parse_args(arguments))
    try:
        return _made(kind, {n: tuple(v) if isinstance(v, list) else v for n, v in given.items()})
    except BadInput as problem:
        parser.exit(2, f"{parser.prog}: {problem}\n")


def flags(settings: Settings) -> list[str]:
    """The command line that `parse` makes these settings of: all that is not as usual."""
    usual = settings.usual(vars(settings))
    line: list[str] = []
    for option in options(type(settings)):
        value = getattr(settings, option.name)
        if value == usual.get(option.name, option.default):
            continue
        if option.kind is bool:
            line.append(option.flag if value else _flag(f"no_{option.name}"))
            continue
        values = [str(one) for one in (value if isinstance(value, tuple) else (value,))]
        # First what has no flag, which would be taken for more values of a flag before it.
        line = [*values, *line] if option.positional else [*line, option.flag, *values]
    return line


def words(value: Any) -> str:
    """A value as the help shows it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _made(kind: type[S], given: Mapping[str, Any]) -> S:
    return kind(**{**kind.usual(given), **given})


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _names(option: Option) -> tuple[str, ...]:
    return option.name, *option.meaning.aliases


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> typing.NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def _parser(kind: type[Settings], description: str | None) -> argparse.ArgumentParser:
    parser = _Parser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    places: dict[tuple, argparse._ActionsContainer] = {(None, None): parser}
    for option in options(kind):
        group, exclusive = option.meaning.group, option.meaning.exclusive
        if (group, None) not in places:
            places[group, None] = parser.add_argument_group(group)
        if (group, exclusive) not in places:
            places[group, exclusive] = places[group, None].add_mutually_exclusive_group()
        place, details = places[group, exclusive], _details(option)
        place.add_argument(option.flag, help=_help(option), **details)
        for alias in option.meaning.aliases:
            place.add_argument(_flag(alias), dest=option.name, help=argparse.SUPPRESS, **details)
    return parser


def _details(option: Option) -> dict[str, Any]:
    """What argparse is given for an option, beside its help."""
    if option.kind is bool:
        return {"action": "store_true" if option.switch else argparse.BooleanOptionalAction}
    kind = option.numbers or option.kind
    details = {
        "type": kind,
        "nargs": "?" if option.meaning.positional else option.count,
        "choices": option.meaning.choices,
        "metavar": option.meaning.metavar,
    }
    given = {name: value for name, value in details.items() if value is not None}
    # argparse would take its own mark for what is left out as a text to be read.
    return given | {"default": option.default} if option.meaning.positional else given


def _help(option: Option) -> str:
    """The help with default, unit and bounds: "passes (default: 10; from 1 to 10,000)"."""
    known = []
    if option.default is not REQUIRED and not option.switch:
        known.append(f"default: {option.shown(here=True)}")
    if option.numbers:
        known.append(option.numbers.span)
    facts = f" ({'; '.join(known)})" if known else ""
    return f"{option.meaning.help}{facts}".replace("%", "%%")
