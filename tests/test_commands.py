"""The commands that the pages and compose.yaml give are ones that the project takes."""

import itertools
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from runs import config
from settings import STEPS

import pytest

TOP = Path(__file__).parents[1]
PAGES = [
    TOP / "README.md",
    *(TOP / "docs" / f"{name}.md" for name in ("cluster", "docker", "ec2", "install")),
]
FENCED = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(
    r"^ +command:\s(\s*\[.*?\])$", re.MULTILINE | re.DOTALL
)  # a list, which JSON reads
COMPOSES = ["docker", "compose"], ["docker-compose"]  # today's, and that of before


def words_of(text: str) -> Iterator[list[str]]:
    """The commands of a page's blocks, word by word, without what is behind a #."""
    for block in FENCED.findall(text):
        # What is left of backslashes is Windows'.
        for line in block.replace("\\\n", " ").replace("\\", "/").splitlines():
            if not re.search(r"\b(python3?|make)\b", line):
                continue
            reader = shlex.shlex(line, posix=True, punctuation_chars=True)
            reader.whitespace_split = True
            for between, words in itertools.groupby(
                reader, lambda word: set(word) <= set("&|;<>()")
            ):
                if not between:
                    yield list(words)


def of_project(words: list[str]) -> list[str] | None:
    """The script and its arguments, or make and its targets, that a command comes down to."""
    if "apt-get" in words or "apt" in words:
        return None
    for place, word in enumerate(words):
        if word in ("python", "python3", "make"):
            return words[place:] if word == "make" else words[place + 1 :]
    return None


def complaint(command: list[str], capsys) -> str | None:
    """Why the project does not take a command."""
    if command[0] == "make":
        makefile = (TOP / "Makefile").read_text()
        targets = [word for word in command[1:] if "=" not in word and not word.startswith("-")]
        lacks = [one for one in targets if not re.search(rf"^{one}:", makefile, re.MULTILINE)]
        return f"make has no {lacks[0]}" if lacks else None
    script, *arguments = command
    if script.startswith("-"):
        return None  # Of Python itself.
    if not (TOP / script.replace("\\", "/")).exists():
        return f"there is no {script}"
    if script not in STEPS:
        return None
    try:
        settings = config.parse(STEPS[script], None, arguments)
    except SystemExit as ending:
        return capsys.readouterr().err.strip() if ending.code else None
    recipe = getattr(settings, "recipe", None)
    return None if recipe is None or (TOP / recipe).exists() else f"there is no {recipe}"


def complaints(commands: list[list[str]], capsys) -> list[str]:
    found = [(command, complaint(command, capsys)) for command in commands]
    return [f"{shlex.join(command)}: {why}" for command, why in found if why]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_tells_to_type_is_taken(page, capsys):
    commands = [found for words in words_of(page.read_text()) if (found := of_project(words))]
    assert len(commands) > 3
    assert complaints(commands, capsys) == []


def composed() -> list[list[str]]:
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (TOP / "compose.yaml").read_text())
    return [json.loads(one) for one in COMMAND.findall(text)]


def test_compose_calls_what_there_is(capsys):
    commands = [found for words in composed() if (found := of_project(words))]
    assert len(commands) > 1
    assert complaints(commands, capsys) == []


def test_a_command_that_is_not_taken_is_complained_of(capsys):
    wrong = [
        ["make", "nothing"],
        ["07_nobody.py"],
        ["evaluate.py", "data/models/vae", "--no-such-flag"],
        ["run_recipe.py", "recipes/none.toml"],
    ]
    assert len(complaints(wrong, capsys)) == len(wrong)
    assert (
        complaints([["make", "best", "GPU=1"], ["02_train_vae.py", "--epochs", "2"]], capsys) == []
    )


@pytest.fixture
def compose() -> list[str]:
    """The command of Docker's Compose. It reads a file without an engine."""
    for command in COMPOSES:
        if shutil.which(command[0]):
            version = subprocess.run([*command, "version"], capture_output=True)
            if version.returncode == 0:
                return command
    pytest.skip("there is no Docker Compose here")


@pytest.mark.parametrize("profile", ["gpu", "cluster"])
def test_docker_takes_compose_yaml(compose, profile):
    command = [*compose, "--profile", profile, "config", "--quiet"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
