import dataclasses
import json
from pathlib import Path

from runs import config
from runs.arguments import BadInput
from runs.config import REQUIRED, Settings, override, setting
from settings.__main__ import table

import pytest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shared(Settings):
    seed: int = setting(1, "seed of everything random", least=0, most=999)
    place: Path = setting(Path("data"), "where it lies", metavar="DIR", folder=True, saved=False)
    finetune: bool = setting(False, "go on", exclusive="again")
    from_scratch: bool = setting(
        False, "start over", exclusive="again", saved=False, aliases=("afresh",)
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step(Shared):
    """A setting of every kind."""

    seed: int = override(Shared, "seed", default=7)
    share: float = setting(0.5, "part of it, 100 % being 1", least=0, most=1, above=True)
    count: int = setting(3, "how many", least=2, unit="frames", aliases=("number", "how_many"))
    kind: str = setting("red", "what kind", choices=("red", "blue"), group="looks")
    smooth: bool = setting(True, "smooth it", group="looks")
    noise: tuple[float, float] = setting((0.1, 0.2), "of both", least=0, metavar=("X", "Y"))
    scales: tuple[int, ...] = setting((), "at each of these", words="none", least=1, most=9)
    unseen: Path | None = setting(None, "measured on", words="what was held out")
    most: int | None = setting(None, "no more than so many", words="all", least=1)
    workers: int = setting(lambda: 5, "at once", words="all there are", least=1, saved=False)

    def check(self) -> None:
        super().check()
        if self.most is not None and self.most < self.count:
            raise BadInput(f"--most {self.most} is less than --count {self.count}; give more.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compare(Settings):
    models: tuple[str, ...] = setting(REQUIRED, "directories", metavar="MODEL_DIR")
    scales: tuple[int, ...] = setting((), "at each of these", words="none", least=1)


def parse(*line: str) -> Step:
    return config.parse(Step, "what it does", line)


def help_of(kind: type[Settings], capsys) -> str:
    with pytest.raises(SystemExit) as ending:
        config.parse(kind, "what it does\n\n  as it stands", ["--help"])
    assert ending.value.code == 0
    return capsys.readouterr().out


def refused(capsys, *line: str, kind: type[Settings] = Step) -> str:
    """The one line that a command line is refused with."""
    with pytest.raises(SystemExit) as ending:
        config.parse(kind, None, line)
    assert ending.value.code == 2
    [said] = capsys.readouterr().err.splitlines()
    return said


GIVEN = {
    "--seed 0": {"seed": 0},
    "--place some/where": {"place": Path("some/where")},
    "--share 1": {"share": 1.0},
    "--count 4": {"count": 4},
    "--number 4": {"count": 4},
    "--kind blue --no-smooth": {"kind": "blue", "smooth": False},
    "--noise 0 3.5": {"noise": (0.0, 3.5)},
    "--scales 9 1 1": {"scales": (9, 1, 1)},
    "--unseen there --most 8": {"unseen": Path("there"), "most": 8},
    "--finetune": {"finetune": True},
    "--from-scratch --workers 2": {"from_scratch": True, "workers": 2},
    "--afresh": {"from_scratch": True},
}


def test_without_flags_everything_is_as_usual():
    assert parse() == Step()
    assert (Step().seed, Step().workers, Step().noise) == (7, 5, (0.1, 0.2))


@pytest.mark.parametrize("line, changed", GIVEN.items())
def test_flags_change_what_they_name(line, changed):
    assert parse(*line.split()) == dataclasses.replace(Step(), **changed)


@pytest.mark.parametrize("line", GIVEN)
def test_flags_and_settings_are_the_same_thing(line):
    settings = parse(*line.split())
    assert parse(*config.flags(settings)) == settings


def test_only_what_is_not_as_usual_needs_a_flag():
    assert config.flags(Step()) == []
    assert config.flags(Step(share=0.25, smooth=False)) == ["--share", "0.25", "--no-smooth"]


def test_what_has_no_flag_comes_first_so_that_no_flag_takes_it():
    settings = Compare(models=("a", "b"), scales=(1, 2))
    assert config.flags(settings) == ["a", "b", "--scales", "1", "2"]
    assert config.parse(Compare, None, config.flags(settings)) == settings


@pytest.mark.parametrize(
    "line, words",
    [
        ("--seed 1000", "argument --seed: '1000' is not a whole number from 0 to 999"),
        ("--seed 1.5", "'1.5' is not a whole number"),
        ("--share 0", "argument --share: '0' is not a number above 0 to 1"),
        ("--share nan", "'nan' is not a number"),
        ("--count 1", "'1' is not a whole number from 2 up"),
        ("--number 1", "argument --number: '1' is not a whole number from 2 up"),
        ("--kind green", "argument --kind: invalid choice: 'green'"),
        ("--noise 1", "argument --noise: expected 2 arguments"),
        ("--scales 1 10", "argument --scales: '10' is not a whole number from 1 to 9"),
        ("--finetune --from-scratch", "not allowed with argument --finetune"),
        ("--finetune --afresh", "not allowed with argument --finetune"),
        ("--most 2", "--most 2 is less than --count 3; give more."),
        ("--cou 3", "unrecognized arguments: --cou 3"),
        ("--no-finetune", "unrecognized arguments: --no-finetune"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(capsys, line, words):
    assert words in refused(capsys, *line.split())


def test_a_place_that_is_a_file_is_refused(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file; give a directory" in refused(capsys, "--place", str(tmp_path / "file"))
    with pytest.raises(BadInput, match="place: .*file is a file; give a directory"):
        Step(place=tmp_path / "file" / "below")


def test_a_place_that_is_a_link_to_nothing_is_refused(capsys, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for place in ("link", "link/below"):
        assert "is a link to nothing" in refused(capsys, "--place", str(tmp_path / place))


def test_the_usual_place_is_looked_at_before_the_work_too(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual = config.parse(Step, None, []).place
    usual.write_text("")
    assert "is a file; give a directory" in refused(capsys)


def test_what_has_no_default_must_be_given(capsys):
    assert "required: MODEL_DIR" in refused(capsys, kind=Compare)
    with pytest.raises(BadInput, match="recipe, stage 2: models is missing"):
        config.from_mapping(Compare, {}, "recipe, stage 2")


def unfolded(text: str) -> str:
    return " ".join(text.split())


def test_the_help_tells_defaults_units_and_bounds(capsys):
    text = unfolded(help_of(Step, capsys))
    assert "--count COUNT how many (default: 3 frames; from 2 up)" in text
    assert "--share SHARE part of it, 100 % being 1 (default: 0.5; above 0 to 1)" in text
    assert "--seed SEED seed of everything random (default: 7; from 0 to 999)" in text
    assert "--noise X Y of both (default: 0.1 0.2; from 0 up)" in text
    assert "--workers WORKERS at once (default: 5, all there are; from 1 up)" in text
    assert "--unseen UNSEEN measured on (default: what was held out)" in text
    assert "--smooth, --no-smooth smooth it (default: on)" in text
    assert "--finetune go on --from-scratch start over" in text
    assert "[--finetune | --from-scratch]" in text
    assert "None" not in text


def test_the_help_keeps_the_lines_of_the_description_and_groups(capsys):
    text = help_of(Step, capsys)
    assert "\n  as it stands\n" in text
    general, looks = text.split("\nlooks:\n")
    assert "  --kind {red,blue}" in looks and "--smooth" in looks
    assert "  --seed SEED" in general and "  --kind {red,blue}" not in general


def test_earlier_names_are_taken_and_not_shown(capsys):
    assert parse("--how-many", "5") == Step(count=5)
    assert config.from_mapping(Step, {"how_many": 5}, "a file") == Step(count=5)
    with pytest.raises(BadInput, match="a file: count is given twice, once as number."):
        config.from_mapping(Step, {"count": 5, "number": 5}, "a file")
    with pytest.raises(BadInput, match="there are ((?!how_many|afresh).)*$"):
        config.from_mapping(Step, {"colour": 1}, "a file")
    text = help_of(Step, capsys)
    assert "--how-many" not in text and "--number" not in text and "--afresh" not in text


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"seed": 1000}, "seed: 1000 is not a whole number from 0 to 999."),
        ({"seed": True}, "seed: True is not a whole number"),
        ({"seed": 1.0}, "seed: 1.0 is not a whole number"),
        ({"seed": "1"}, "seed: '1' is not a whole number"),
        ({"seed": None}, "seed: None is not a whole number"),
        ({"share": 0}, "share: 0 is not a number above 0 to 1."),
        ({"share": float("nan")}, "share: nan is not a number"),
        ({"kind": "green"}, "kind: 'green' is not one of red, blue."),
        ({"kind": 3}, "kind: 3 is not a text."),
        ({"smooth": 1}, "smooth: 1 is not true or false."),
        ({"noise": (1.0,)}, r"noise: \[1.0\] has 1 values, not 2."),
        ({"noise": (1.0, -1.0)}, "noise: -1.0 is not a number from 0 up."),
        ({"noise": 3.0}, "noise: 3.0 is not a list."),
        ({"scales": ("1",)}, "scales: '1' is not a whole number"),
        ({"most": 0}, "most: 0 is not a whole number from 1 up."),
        ({"finetune": True, "from_scratch": True}, "finetune and from_scratch exclude each other"),
        ({"most": 2}, "--most 2 is less than --count 3"),
    ],
)
def test_settings_that_cannot_be_are_never_made(changed, words):
    with pytest.raises(BadInput, match=words):
        Step(**changed)
    plain = {
        name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()
    }
    with pytest.raises(BadInput, match=f"a.toml, stage 1: {words}"):
        config.from_mapping(Step, plain, "a.toml, stage 1")


def test_bounds_are_part_of_them():
    assert Step(seed=0).seed == 0 and Step(seed=999).seed == 999 and Step(share=1).share == 1


ALL = {
    "seed": 3,
    "finetune": True,
    "share": 0.25,
    "count": 4,
    "kind": "blue",
    "smooth": False,
    "noise": [0.0, 2.0],
    "scales": [1, 2],
    "unseen": "there",
    "most": 9,
}


def test_what_is_saved_comes_back_through_json():
    settings = config.from_mapping(Step, ALL, "a file")
    assert settings.noise == (0.0, 2.0) and settings.unseen == Path("there")
    assert config.saved(settings) == ALL
    text = json.dumps(config.saved(settings))
    assert config.from_mapping(Step, json.loads(text), "a file") == settings


def test_no_place_and_no_number_of_processes_is_saved():
    assert config.saved(Step()).keys() == ALL.keys()
    assert config.saved(Step(seed=3), Shared) == {"seed": 3, "finetune": False}


def test_what_a_mapping_lacks_is_as_usual():
    assert config.from_mapping(Step, {}, "a file") == Step()


def test_a_name_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="a file: there is no setting shares; do you mean share?"):
        config.from_mapping(Step, {"shares": 1}, "a file")
    with pytest.raises(BadInput, match="no setting colour; there are seed, place, .*, workers."):
        config.from_mapping(Step, {"colour": 1}, "a file")


def test_defaults_may_depend_on_what_is_given():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Sized(Settings):
        size: str = setting("small", "which", choices=("small", "large"))
        depth: int = setting(2, "how deep", least=1)

        @classmethod
        def usual(cls, given):
            return {"depth": 8} if given.get("size") == "large" else {}

    assert config.parse(Sized, None, ["--size", "large"]) == Sized(size="large", depth=8)
    assert config.from_mapping(Sized, {"size": "large", "depth": 3}, "").depth == 3
    assert config.flags(Sized(size="large", depth=8)) == ["--size", "large"]
    assert config.flags(Sized(size="large", depth=2)) == ["--size", "large", "--depth", "2"]


def test_only_the_default_is_overridden():
    [before] = [option for option in config.options(Shared) if option.name == "seed"]
    [after] = [option for option in config.options(Step) if option.name == "seed"]
    assert (before.default, after.default) == (1, 7) and before.meaning == after.meaning


def test_differences_name_what_changed_from_what_to_what():
    before = {"epochs": 3, "seed": 1, "data": "abc"}
    now = {"epochs": 4, "seed": 1, "depth": 8}
    assert config.differences(before, now) == (
        "epochs 3, not 4, data abc, not None, depth None, not 8"
    )
    assert config.differences(before, dict(before)) == ""


def test_the_table_has_a_row_for_each_setting_and_says_nothing_of_this_machine():
    lines = table(Step).splitlines()
    assert lines[:2] == ["| setting | default | values | meaning |", "|---|---|---|---|"]
    assert len(lines) == 2 + len(dataclasses.fields(Step))
    assert "| `--count` | 3 frames | from 2 up | how many |" in lines
    assert "| `--kind` | red | red, blue | what kind |" in lines
    assert "| `--smooth` | on |  | smooth it |" in lines
    assert "| `--finetune` |  |  | go on |" in lines
    assert "| `--workers` | all there are | from 1 up | at once |" in lines
    assert "| `models` |  |  | directories |" in table(Compare)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Player(Settings):
    model: Path | None = setting(
        None, "an agent", words="one's own", metavar="MODEL_DIR", positional=True
    )


def test_what_stands_without_a_flag_may_be_left_out():
    assert config.parse(Player, None, []).model is None
    assert config.parse(Player, None, ["some/where"]).model == Path("some/where")
