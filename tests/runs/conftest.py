import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def errands():
    """The module of this name, which workers that are started now can import, too."""
    folder = str(Path(__file__).parents[1] / "errands")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", folder)
        import errands

        yield errands
    del sys.modules["errands"]
