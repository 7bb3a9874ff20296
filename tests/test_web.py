"""The page that dreams, in a real browser: what `npm test` in web/ says."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
WEB = TOP / "web"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")  # as in web/tests/browser.js


def missing() -> str:
    """What this machine lacks to try the page; nothing if it can."""
    if not shutil.which("node"):
        return "Node"
    if not os.environ.get("CHROMIUM") and not any(map(shutil.which, BROWSERS)):
        return "Chromium"
    if not (WEB / "node_modules").exists():
        return "the page's packages (npm ci --ignore-scripts in web/)"
    if importlib.util.find_spec("onnx") is None:
        return "the extra `web`"
    return ""


@pytest.mark.skipif(bool(missing()), reason=f"needs {missing()}")
def test_the_page_dreams_in_a_browser(scripts):
    models = WEB / "public" / "models"
    if not (models / "index.json").exists():
        agents = [TOP / "res" / "published" / name for name in ("vae", "vaegan")]
        scripts.succeed("export_web.py", *agents, "--out", models)
    done = subprocess.run(["npm", "test"], cwd=WEB, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
