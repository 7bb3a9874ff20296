"""What the pages point at is there, and they can be read in a terminal."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PAGES = [TOP / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((TOP / "docs").rglob("*.md"))
# But for diaries, which stay as they were written, and a page that is made by a program.
KEPT = [page for page in PAGES if page.parent.name != "lab-notes" and page.stem != "settings"]
# They name flags of pip, Docker, Dask, …
OF_OTHER_PROGRAMS = ("CHANGELOG", "cluster", "docker", "ec2", "install")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PICTURES = (".png", ".gif")
# A file as a link, a colon, then names in it: [`vae/arch.py`](../vae/arch.py): `encoder`, `decoder`
NAMED = re.compile(r"\]\(\.\./([\w/]+\.py)\):((?:\s+`\w+`,?)+)")


def name(page: Path) -> str:
    return page.relative_to(TOP).as_posix()


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def resolves(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        # The Docker image has no pictures (.dockerignore), and no .git.
        return target.suffix in PICTURES and not (TOP / ".git").exists()
    return not anchor or anchor in anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_within_the_project_resolves(page):
    links = [link for link in LINK.findall(prose(page)) if "://" not in link]
    assert [link for link in links if not resolves(page, link)] == []


@pytest.mark.parametrize("page", KEPT, ids=name)
def test_no_line_is_over_100_columns(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > 100] == []


def test_every_flag_that_a_page_names_is_one_of_the_scripts():
    known = set(re.findall(r"^\| `(--[a-z-]+)`", (TOP / "docs" / "settings.md").read_text(), re.M))
    assert len(known) > 90
    known |= {"--help", "--model"}  # the second of benchmarks/processors.py
    pages = [page for page in KEPT if page.stem not in OF_OTHER_PROGRAMS]
    assert [
        f"{name(page)}: {flag}"
        for page in pages
        for flag in re.findall(r"`(--[a-z-]+)", prose(page))
        if flag not in known
    ] == []


def test_the_readme_fits_two_screens():
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_what_how_it_works_names_beside_a_file_stands_in_it():
    found = [
        (path, named)
        for path, names in NAMED.findall(prose(TOP / "docs" / "how-it-works.md"))
        for named in re.findall(r"\w+", names)
    ]
    assert len(found) > 50
    sources = {path: (TOP / path).read_text(encoding="utf-8") for path, _ in found}
    defined = r"^\s*(def|class) {0}\b|^{0}\b.* = "
    assert [
        f"{path}: {named}"
        for path, named in found
        if not re.search(defined.format(named), sources[path], re.MULTILINE)
    ] == []
