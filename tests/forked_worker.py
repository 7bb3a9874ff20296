"""A Dask worker as a script, which `tests.forked` starts with TensorFlow imported."""

import sys
from pathlib import Path

from distributed.cli.dask_worker import main

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
