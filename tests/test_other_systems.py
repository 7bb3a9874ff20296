"""The scripts where Python lacks what only Unix has: a small chain, for real."""

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from envs import rollouts
from rnn import series
from runs.directory import read_json
from tests.conftest import TINY

import numpy as np
import pytest

TOP = Path(__file__).parents[1]
PACKAGES = ("runs", "settings", "envs", "vae", "rnn", "controller", "benchmarks")
BY_ITSELF = "benchmarks/crash/sitecustomize.py"  # which only benchmarks of Unix processes load
UNIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}

# Python imports a module of this name when it starts, in every worker too.
SITECUSTOMIZE = """
    import os
    import signal
    import sys

    import filelock  # which locks in a way of its own on every system

    WINDOWS = {
        "CTRL_BREAK_EVENT", "CTRL_C_EVENT", "Handlers", "NSIG", "SIGABRT", "SIGBREAK", "SIGFPE",
        "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN", "Signals",
        "default_int_handler", "getsignal", "raise_signal", "set_wakeup_fd", "signal", "strsignal",
        "valid_signals",
    }
    for name in set(vars(signal)) - WINDOWS:
        if not name.startswith("_"):
            delattr(signal, name)
    for name in (
        "fork", "forkpty", "getegid", "geteuid", "getgid", "getuid", "killpg",
        "sched_getaffinity", "sched_setaffinity", "setsid", "wait3", "wait4",
    ):
        if hasattr(os, name):
            delattr(os, name)
    if hasattr(os, "process_cpu_count"):
        os.process_cpu_count = os.cpu_count
    for name in UNIX_ONLY:
        sys.modules[name] = None
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> dict[str, str]:
    """The environment of a Python that is as bare as on Windows."""
    folder = tmp_path_factory.mktemp("bare")
    bare = textwrap.dedent(SITECUSTOMIZE).replace("UNIX_ONLY", repr(sorted(UNIX_ONLY - {"posix"})))
    (folder / "sitecustomize.py").write_text(bare)
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return {**os.environ, "PYTHONPATH": path}


def run(environment: dict, *command) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, command)], env=environment, capture_output=True, text=True
    )


def test_that_python_is_bare(elsewhere):
    for missing in ("import fcntl", "import resource", "from signal import pthread_sigmask"):
        done = run(elsewhere, "-c", missing)
        assert done.returncode == 1 and "Error" in done.stderr, missing


def test_the_chain_runs_and_is_scored(elsewhere, small, tmp_path):
    data, res = tmp_path / "data", tmp_path / "res"
    scored = "--tracks 1 --rendering fast --scores-only --workers 1"
    chain = {script: small(script, data, res) for script in TINY}
    chain["evaluate.py"] = [data / "models" / "vae", *scored.split(), "--res", res]
    for script, arguments in chain.items():
        done = run(elsewhere, TOP / script, *arguments)
        assert done.returncode == 0, f"{script}:\n{done.stdout}\n{done.stderr}"
    recorded = rollouts.paths(data / "rollout")
    assert len(recorded) == 5
    latents = [series.read(data / "series" / "vae" / path.name, 32) for path in recorded]
    assert all(len(latent["mean"]) == 40 for latent in latents)
    [score] = read_json(res / "scores_fast.json").values()
    assert len(score["episodes"]) == 1 and np.isfinite(score["episodes"][0]["score"])


def test_no_module_needs_unix_to_be_imported():
    """Inside a function such an import can be guarded; at the top level it cannot."""
    files = [*TOP.glob("*.py"), *(path for name in PACKAGES for path in (TOP / name).rglob("*.py"))]
    found = {str(path.relative_to(TOP)): _imported(path) & UNIX_ONLY for path in files}
    assert len(found) > 150
    assert [name for name, needed in found.items() if needed] == [BY_ITSELF]


def _imported(path: Path) -> set[str]:
    """The names of the modules that a file imports at its top level."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    return names
