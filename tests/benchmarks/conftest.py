import importlib.util
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.fixture
def load(monkeypatch):
    """`load("benchmarks/vision.py")`: a script of the project as a module."""
    monkeypatch.syspath_prepend(TOP / "benchmarks")

    def load(name: str):
        path = TOP / name
        specification = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
        module = importlib.util.module_from_spec(specification)
        # Where a data class looks for the module that it is made in.
        monkeypatch.setitem(sys.modules, specification.name, module)
        specification.loader.exec_module(module)
        return module

    return load
