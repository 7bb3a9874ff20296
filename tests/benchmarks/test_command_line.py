"""benchmarks/command_line.py: an argument is declared once, and its help tells its default."""

import ast
import math
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.fixture
def command_line(load):
    return load("benchmarks/command_line.py")


def first_texts(function: str, position: int) -> Counter:
    """How many benchmarks call a method of this name with each text at a position."""
    found: Counter = Counter()
    for path in BENCHMARKS:
        texts = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if named and node.func.attr == function and len(node.args) > position:
                argument = node.args[position]
                if isinstance(argument, ast.Constant):
                    texts.add(argument.value)
        found.update(texts)
    return found


def test_no_argument_is_declared_twice(command_line):
    own = first_texts("add_argument", 0)
    assert len(own) > 10 and max(own.values()) == 1, own.most_common(3)
    assert not own.keys() & command_line.SHARED.keys()
    shared = first_texts("add", 1).keys()
    assert {name for name in shared if name.startswith("--")} <= command_line.SHARED.keys()


def test_help_ends_with_the_default_where_there_is_one(command_line, capsys):
    parser = command_line.parser("what it does", "there/some.py", rounds=5)
    command_line.add(parser, "--count", default=20_000, help="kills")
    command_line.add(parser, "--seconds", default=math.inf)
    command_line.add_episodes(parser, 8)
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "where the figures go (default: benchmarks/some.json)" in words
    assert "kills (default: 20,000)" in words and "inf" not in words
    given = parser.parse_args(["--steps", "7", "--seconds", "0.5"])
    assert (given.rounds, given.episodes, given.steps, given.seconds) == (5, 8, 7, 0.5)
    with pytest.raises(SystemExit):
        parser.parse_args(["--count", "0"])
