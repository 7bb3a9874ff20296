"""A person at the keyboard: a real window on a virtual screen, real key presses."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import rnn
from controller.window import BAR, GREEN, LARGE, SMALL
from envs import rollouts
from rnn import series
from rnn.dream import starts
from runs.directory import DataDirectory

import numpy as np
import pytest
from imageio import v3 as imageio

TOP = Path(__file__).parents[1]
NEEDED = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
SCREEN = pytest.mark.skipif(bool(NEEDED), reason=f"needs {' and '.join(NEEDED)} (apt-get install)")
PATIENCE = 300  # seconds that a busy machine may take to open a window
WORDS = r"(\d+) steps driven; at the end (.*)\."


@pytest.fixture(scope="module")
def framebuffer(tmp_path_factory) -> Path:
    """The directory where the virtual screen keeps what it shows."""
    return tmp_path_factory.mktemp("framebuffer")


@pytest.fixture(scope="module")
def screen(framebuffer):
    """A virtual screen: the environment that shows windows there."""
    reading, writing = os.pipe()
    size = ["-screen", "0", "1280x720x24", "-fbdir", str(framebuffer)]
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), *size],
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


def shown(framebuffer: Path) -> np.ndarray:
    """What the virtual screen shows, (720, 1280, 3) uint8; the file is an X window dump."""
    dump = (framebuffer / "Xvfb_screen0").read_bytes()
    header = np.frombuffer(dump, ">u4", 20)
    start, width, height, line = header[0] + 12 * header[19], *header[[4, 5, 12]]
    rows = np.frombuffer(dump, np.uint8, height * line, start).reshape(height, line)
    return rows[:, : 4 * width].reshape(height, width, 4)[..., 2::-1]


def wait_until(true) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def drive(scripts, screen, data: Path, world: str, keys, *more) -> re.Match:
    """Start play.py, let `keys(keyboard)` drive and leave with Esc; what it said at the end."""
    command = scripts.command("play.py", *more, "--data-dir", data, "--world", world)
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
    found = drive(scripts, screen, chain.data, "both", lambda keyboard: keyboard.hold("Up", 4))
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

    found = drive(scripts, screen, chain.data, {"world": "real"}.get(world, world), keys)
    driven = int(re.search(rf"{world}: \S+ points, (\d+) steps", found[2])[1])
    assert driven < int(found[1])


@SCREEN
def test_v_and_m_learn_from_what_hands_have_driven(scripts, screen, small, tmp_path):
    def keys(keyboard):
        for after in ("n", "n", "p"):  # Two further tracks.
            keyboard.hold("Up", 1.5)
            keyboard.hold("Left", 0.5)
            keyboard.press(after)

    said = drive(scripts, screen, tmp_path, "real", keys, "--record", "--track", 7).string
    assert "the longest drive on each of 3 tracks is kept" in said
    recorded = rollouts.paths(DataDirectory(tmp_path).rollout)
    assert [rollouts.track_of(path) for path in recorded] == [7, 8, 9]
    driven = [rollouts.read(path).action for path in recorded]
    assert all(action[:, 1].any() and (action[:, 0] < 0).any() for action in driven)

    few = {"02_train_vae.py": ["--epochs", 1, "--depth", 8], "04_train_rnn.py": ["--steps", 1]}
    for script in ("02_train_vae.py", "03_generate_rnn_data.py", "04_train_rnn.py"):
        scripts.succeed(script, *small(script, tmp_path, tmp_path), *few.get(script, []))
    encoded = series.read(tmp_path / "series" / "vae" / recorded[0].name, 32)
    np.testing.assert_array_equal(encoded["action"], driven[0])
    rnn.load(DataDirectory(tmp_path).model("vae"))  # M of the latents of this V, or a refusal.


@SCREEN
def test_pause_stops_the_world_and_the_agent_drives_on_a_key(
    scripts, screen, framebuffer, chain, tmp_path
):
    def moves() -> bool:
        before = shown(framebuffer)
        time.sleep(1.5)
        return not np.array_equal(before, shown(framebuffer))

    def gas_is_pressed() -> bool:
        screenshot = shown(framebuffer)  # with the window in its middle
        top = (screenshot.shape[0] - LARGE[1] - BAR) // 2 + LARGE[1]
        left = (screenshot.shape[1] - LARGE[0] - SMALL[0]) // 2
        instrument = screenshot[top : top + BAR, left : left + 160]
        return bool((instrument == GREEN).all(-1).sum() > 50)

    def keys(keyboard):
        keyboard.press("p")
        wait_until(lambda: not moves())
        keyboard.press("p")
        wait_until(moves)
        assert not gas_is_pressed()
        keyboard.press("v")
        keyboard.press("a")
        wait_until(gas_is_pressed)
        time.sleep(6)
        keyboard.press("v")
        keyboard.hold("Left", 1)  # Who touches the wheel has it, and presses no gas.
        wait_until(lambda: not gas_is_pressed())

    agent = TOP / "res" / "published" / "vae"
    (tmp_path / "play_2.gif").write_bytes(b"an earlier one")
    found = drive(scripts, screen, chain.data, "real", keys, agent, "--res", tmp_path)
    points, steps = re.search(r"world: (\S+) points, (\d+) steps", found[2]).groups()
    assert float(points) > 5 - 0.1 * int(steps)
    assert imageio.imread(tmp_path / "play_1.gif", index=None).ndim == 4
    assert (tmp_path / "play_2.gif").read_bytes() == b"an earlier one"


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
