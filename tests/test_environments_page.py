"""Each piece of Python in docs/environments.md runs, in a process and a directory of its own."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from envs import rollouts
from runs import config
from settings import STEPS

import pytest

TOP = Path(__file__).parents[1]
PAGE = (TOP / "docs" / "environments.md").read_text(encoding="utf-8")
SNIPPET = r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```"
SNIPPETS = dict(re.findall(SNIPPET, PAGE, re.MULTILINE | re.DOTALL))
EXTRAS = {"envs.sb3": "stable_baselines3", "RecordVideo": "moviepy"}
# What takes long, and as much of it as a test needs.
SHORTER = {
    "agent.learn(1_000_000)": "agent.learn(1)",
    "n_steps=128": "n_steps=8",
    "    256,": "    16,",
    "range(1000)": "range(20)",
    "world = gymnasium.make(envs.ENV_ID": "world = gymnasium.make(envs.ENV_ID, max_episode_steps=9",
    'make("envs:WorldModels/CarRacing-v0")\nframe, info = world': (
        'make("envs:WorldModels/CarRacing-v0", max_episode_steps=9)\nframe, info = world'
    ),
    "range(1, 3)": "range(1, 2)",
}


def test_the_page_has_its_snippets():
    assert PAGE.count("```python") == len(SNIPPETS) == 10


@pytest.mark.parametrize("title", SNIPPETS)
def test_a_snippet_runs(title, tmp_path):
    program = SNIPPETS[title]
    for sign, module in EXTRAS.items():
        if sign in program and importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}")
    for long, short in SHORTER.items():
        program = program.replace(long, short)
    (tmp_path / "res").symlink_to(TOP / "res")
    (tmp_path / "snippet.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "snippet.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if "mine/rollout" in program:
        recorded = rollouts.paths(tmp_path / "mine" / "rollout")
        assert [len(rollouts.read(path)) for path in recorded] == [20] * 10
    if "PPO" in program:
        assert re.search(r"^-?\d+ points in the world$", done.stdout, re.MULTILINE)
    if "RecordVideo" in program:
        assert (tmp_path / "videos" / "rl-video-episode-0.mp4").stat().st_size > 1000
    if "of the lap" in done.stdout and "points" in done.stdout:
        scores = [int(score) for score in re.findall(r": (-?\d+) points", done.stdout)]
        assert len(scores) == 1 and scores[0] > 800  # It drives as it was published.


def test_the_commands_are_ones_that_the_scripts_take():
    commands = re.findall(r"^python (\S+\.py) (.*)$", PAGE, re.M)
    assert len(commands) == 11
    for script, arguments in commands:
        config.parse(STEPS[script], "", shlex.split(arguments, comments=True))
