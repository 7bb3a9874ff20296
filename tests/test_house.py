"""The rules of the house: what may import what, how long a file may be, who knows the scripts."""

import ast
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PACKAGES = ("runs", "settings", "envs", "vae", "rnn", "controller")  # each may import those before
LONGEST = 350  # lines
# What names the scripts on purpose: their list, their earlier names, and how they are run.
OF_SCRIPTS = {"runs/aliases.py", "runs/recipe.py"}
SCRIPTS = {path.name for path in TOP.glob("*.py")} - {"setup.py"}


def files(*folders: str) -> dict[str, str]:
    """Python files of the project by their names, with their text."""
    paths = [path for folder in folders for path in (TOP / folder).rglob("*.py")]
    return {
        path.relative_to(TOP).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if "node_modules" not in path.parts
    }


def imported(text: str) -> set[str]:
    """The first names of all that a file imports, at its top or in a function."""
    nodes = list(ast.walk(ast.parse(text)))
    names = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    above = {*PACKAGES[PACKAGES.index(package) + 1 :], "benchmarks", "tests"}
    found = {name: imported(text) & above for name, text in files(package).items()}
    assert found and {name: wrong for name, wrong in found.items() if wrong} == {}


def test_no_file_is_too_long_to_be_read_at_once():
    everything = files(*PACKAGES, "tests", "benchmarks")
    everything |= {name: (TOP / name).read_text(encoding="utf-8") for name in SCRIPTS}
    lengths = {name: text.count("\n") for name, text in everything.items()}
    assert len(lengths) > 250
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_two_classes_have_one_name():
    places: dict[str, list[str]] = {}
    for file, text in files(*PACKAGES, "benchmarks").items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(file)
    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_packages_name_no_script():
    """They say what is missing or wrong; which command mends it the scripts know."""
    for name, text in files(*(set(PACKAGES) - {"settings"})).items():
        if name in OF_SCRIPTS:
            continue
        strings = [
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        named = {script for script in SCRIPTS for string in strings if script in string}
        assert not named, (name, named)
