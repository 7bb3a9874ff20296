import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LEADER = """
    import sys
    from runs.following import lead

    lead([sys.executable, "-c", sys.argv[1]])
"""
FOLLOWER = """
import os, time
from runs import arguments

def main():
    print(os.getpid(), flush=True)
    time.sleep(600)

arguments.run(main)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="watches its parent on Unix alone")
def test_a_script_ends_when_only_the_process_that_leads_it_is_killed(tmp_path):
    script = tmp_path / "leader.py"
    script.write_text("\n".join(line.strip() for line in LEADER.splitlines()))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ends_with_its_leader([sys.executable, str(script), FOLLOWER], environment)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("make"), reason="has no make")
def test_what_make_runs_ends_when_only_make_is_killed(tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    (tmp_path / "follower.py").write_text(FOLLOWER)
    # Python of the environment, which runs this in place of the recipe.
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path / "follower.py"}"\n')
    python.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = ["make", "--silent", "--old-file=install", f"VENV={tmp_path / 'venv'}", "run"]
    ends_with_its_leader(command, environment)


def ends_with_its_leader(command: list[str], environment: dict[str, str]) -> None:
    """Start what leads the `FOLLOWER` and kill it alone; that must end, as Ctrl-C ends it."""
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as leader:
        follower = int(leader.stdout.readline())
        assert Path(f"/proc/{follower}").exists() or sys.platform != "linux"
        leader.send_signal(signal.SIGKILL)
        # Its end closes what it says to.
        assert "Stopped. What is done is kept" in leader.stderr.read()
    for _ in range(100):
        try:
            os.kill(follower, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(follower, signal.SIGKILL)
    raise AssertionError("it went on without the process that led it")
