"""A person at the keyboard: a real window on a virtual screen, real key presses."""

import os
import re
import shutil
import subprocess
import time

from rnn.dream import starts
from runs.directory import DataDirectory

import pytest

NEEDED = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
SCREEN = pytest.mark.skipif(bool(NEEDED), reason=f"needs {' and '.join(NEEDED)} (apt-get install)")
PATIENCE = 300  # seconds that a busy machine may take to open a window
WORDS = r"(\d+) steps driven; at the end (.*)\."


@pytest.fixture(scope="module")
def screen():
    """A virtual screen: the environment that shows windows there."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x720x24"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as display:
        number = display.readline().strip()
    yield {**os.environ, "DISPLAY": f":{number}", "SDL_VIDEODRIVER": "x11"}
    server.terminate()
    server.wait()


class Keyboard:
    """Presses keys in the window of one program."""

    def __init__(self, screen: dict, player: subprocess.Popen):
        self.screen = screen
        self.player = player
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and player.poll() is None:
            # Without a window manager the one window beside the root has the keyboard.
            if len(self._xdotool("search", "--onlyvisible", "--class", "").split()) > 1:
                time.sleep(1)
                return
            time.sleep(0.5)
        raise AssertionError(f"no window opened: {player.communicate()}")

    def hold(self, key: str, seconds: float) -> None:
        self._xdotool("keydown", key)
        time.sleep(seconds)
        self._xdotool("keyup", key)

    def press(self, key: str) -> None:
        self._xdotool("key", key)

    def _xdotool(self, *arguments) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self.screen, capture_output=True, text=True).stdout


def drive(scripts, screen, chain, world: str, keys) -> re.Match:
    """Start play.py, let `keys(keyboard)` drive and leave with Esc; what it said at the end."""
    command = scripts.command("play.py", "--data-dir", chain.data, "--world", world)
    player = subprocess.Popen(
        command, env=screen, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        keyboard = Keyboard(screen, player)
        keys(keyboard)
        keyboard.press("Escape")
        out, problems = player.communicate(timeout=PATIENCE)
    finally:
        player.kill()
    assert player.returncode == 0, problems
    found = re.search(WORDS, out)
    assert found, out
    return found


@SCREEN
def test_gas_drives_the_car_and_the_dream_goes_along(scripts, screen, chain):
    found = drive(scripts, screen, chain, "both", lambda keyboard: keyboard.hold("Up", 4))
    points = dict(re.findall(r"(world|dream): (-?[\d.]+) points", found[2]))
    assert int(found[1]) > 10 and points.keys() == {"world", "dream"}
    # A car that stands earns its first tile, about 3 points, and then loses 0.1 a step.
    steps = int(re.search(r"world: \S+ points, (\d+) steps", found[2])[1])
    assert float(points["world"]) > 5 - 0.1 * steps


@SCREEN
@pytest.mark.parametrize("world", ["world", "dream"])
def test_r_starts_over(scripts, screen, chain, world):
    def keys(keyboard):
        keyboard.hold("Left", 2)
        keyboard.press("r")
        time.sleep(0.5)

    found = drive(scripts, screen, chain, {"world": "real"}.get(world, world), keys)
    driven = int(re.search(rf"{world}: \S+ points, (\d+) steps", found[2])[1])
    assert driven < int(found[1])


def test_refuses_to_play_without_a_screen(refuse, chain, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    said = refuse("play.py", "--data-dir", chain.data, "--world", "dream")
    assert "no screen" in said


def test_refuses_a_model_without_starts(refuse, chain, tmp_path):
    data = chain.copy(tmp_path, "models")
    starts.path_in(DataDirectory(data).model("vae")).unlink()
    said = refuse("play.py", "--data-dir", data, "--world", "dream")
    assert "no dream can begin; run 04_train_rnn.py" in said


@pytest.mark.parametrize("temperature", ["0", "-1", "warm"])
def test_refuses_a_temperature_that_is_not_above_0(refuse, chain, temperature):
    said = refuse("play.py", "--data-dir", chain.data, "--temperature", temperature)
    assert "is not a number above 0" in said
