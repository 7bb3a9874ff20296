from runs import versions
from runs.preparation import Preparation


def test_differences_name_what_is_there_and_what_is_here():
    ours = {"Python": "3.11.7", "numpy": "2.0", "cma": "none"}
    assert versions.differences(ours, ours) == ""
    assert versions.differences({**ours, "keras": "3.9"}, ours) == ""
    theirs = {"Python": "3.11.7", "cma": "4.0"}
    assert versions.differences(theirs, ours) == "numpy none, not 2.0, cma 4.0, not none"


def test_the_digest_of_the_project_changes_with_its_sources_alone(tmp_path):
    (tmp_path / "runs").mkdir()
    source = tmp_path / "runs" / "one.py"
    source.write_bytes(b"a = 1\nb = 2\n")
    known = versions.project(tmp_path)
    source.write_bytes(b"a = 1\r\nb = 2\r\n")
    (tmp_path / "runs" / "notes.txt").write_text("no source")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "conf.py").write_text("a = 1")
    assert versions.project(tmp_path) == known
    source.write_bytes(b"a = 1\nb = 3\n")
    assert versions.project(tmp_path) != known


def test_this_process_has_the_versions_that_it_runs_with():
    import numpy

    assert versions.here()["numpy"] == numpy.__version__


def test_who_knows_a_kind_of_work_knows_it_in_these_versions(monkeypatch):
    known, *_ = Preparation().packed()
    assert Preparation().packed()[0] == known
    other = {**versions.here(), "numpy": "0.1"}
    monkeypatch.setattr(versions, "here", lambda: other)
    assert Preparation().packed()[0] != known


def test_what_draws_the_world_is_compared():
    import pygame

    names = "pygame", "pygame-ce"  # which of them Gymnasium brings depends on its version
    there = {versions.here()[name] for name in names}
    assert there == {pygame.version.ver, "none"}
