"""A setting is declared once: a second step that has it inherits or overrides it."""

import ast
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "settings"
# One word for several things, each with a unit of its own, or a type.
OF_SEVERAL_THINGS = {"batch_size", "episodes", "epochs", "kl_weight", "models", "steps"}


def declared(text: str) -> list[str]:
    """The fields whose help, bounds and default are written here, not taken from another."""
    return [
        field.target.id
        for kind in ast.walk(ast.parse(text))
        if isinstance(kind, ast.ClassDef)
        for field in kind.body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and "override(" not in ast.unparse(field)
    ]


def test_no_setting_is_declared_twice():
    found = Counter(
        name for path in FOLDER.glob("*.py") for name in declared(path.read_text(encoding="utf-8"))
    )
    assert len(found) > 100
    assert {name for name, times in found.items() if times > 1} == OF_SEVERAL_THINGS
