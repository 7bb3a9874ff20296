"""Scripts as processes that begin with TensorFlow imported: many start, and the import is long.

A server imports it once, and forks itself for every script. It has used nothing of it, and has one
thread. What it runs is the script as it is, in a process of its own, which can be killed.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).parent.parent


class Server:
    """A process of this module that starts the scripts of `top`, until it is closed."""

    def __init__(self, top: Path = TOP):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            cwd=top,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: dict) -> int | None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


class Script:
    """A script that runs in a process group of its own; used as a `subprocess.Popen` is."""

    def __init__(self, server: Server, command: list[str], folder: Path, environ: dict[str, str]):
        self._server = server
        self._written = tempfile.TemporaryDirectory()
        self._files = [Path(self._written.name) / name for name in ("out", "err")]
        files = list(map(str, self._files))
        request = {"command": command, "folder": str(folder), "environ": environ, "files": files}
        started = server.ask(request)
        assert started is not None
        self.pid = started
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._server.ask({"poll": self.pid})
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def communicate(self) -> tuple[str, str]:
        """What it wrote to stdout and stderr, once it and all that it started have ended."""
        while self.poll() is None or _runs(self.pid):
            time.sleep(0.01)
        out, err = (file.read_text(encoding="utf-8") for file in self._files)
        return out, err


def _runs(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _serve() -> dict | None:
    """Answer requests. Returns twice: a request in the process forked for it, None at the end."""
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            ended, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        else:
            answer = os.fork()
            if answer == 0:
                return request
            # Here as well as in the child: whoever is answered may signal the group.
            os.setpgid(answer, answer)
        print(json.dumps(answer), flush=True)
    return None


def _become(command: list[str], folder: str, environ: dict[str, str], files: list[str]) -> None:
    """Make this process one that runs a script as `python script arguments` does."""
    os.setpgid(0, 0)
    # In the background of a shell an interrupt is ignored, and so by all that it starts; and of
    # `nohup` that the terminal is closed.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for descriptor, file in enumerate([os.devnull, *files]):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    # The server's are full of its requests, and its answers wait for a line.
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", 1, closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = command
    sys.path[0] = str(Path(command[0]).parent)
    runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    import runs  # noqa: F401

    import cma  # noqa: F401
    import gymnasium.envs.box2d.car_racing  # noqa: F401
    import imageio  # noqa: F401
    import keras  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import tensorflow  # noqa: F401

    if request := _serve():
        _become(**request)
