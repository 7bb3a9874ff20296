import os
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
    with subprocess.Popen(
        [sys.executable, str(script), FOLLOWER],
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
