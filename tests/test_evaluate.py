"""What evaluate.py calls the agents it is given; that it scores them: tests/test_scripts.py."""

from pathlib import Path

from runs.arguments import BadInput

import pytest


@pytest.fixture
def named(load):
    return load("evaluate.py").named


def test_an_agent_has_the_name_given_or_its_last_folder_or_its_whole_path(named):
    assert named(["a/vae", "C=b/vae"]) == {"a_vae": Path("a/vae"), "C": Path("b/vae")}
    assert named(["a/vae", "b/dream"]) == {"vae": Path("a/vae"), "dream": Path("b/dream")}


def test_a_path_may_have_an_equals_sign(named, tmp_path):
    path = tmp_path / "sigma=0.1" / "vae"
    path.mkdir(parents=True)
    assert named([str(path)]) == {"vae": path}
    assert named([f"narrow={path}"]) == {"narrow": path}


@pytest.mark.parametrize("twice", [["a/vae", "C=a/vae"], ["C=a/vae", "C=b/vae"]])
def test_one_agent_or_one_name_given_twice_is_refused(named, twice):
    with pytest.raises(BadInput, match="twice|one name"):
        named(twice)


@pytest.mark.parametrize("name", ["a" * 101, "é" * 51, "two\nlines", "\0", " "])
def test_a_name_that_no_file_can_have_is_refused_before_anybody_drives(named, name):
    with pytest.raises(BadInput, match="cannot be the name of an agent"):
        named([f"{name}=a/vae"])


@pytest.mark.parametrize("one, other", [("a b", "a?b"), ("A", "a")])
def test_agents_whose_videos_would_be_one_file_are_refused(named, one, other):
    with pytest.raises(BadInput, match="videos of two agents have one name"):
        named([f"{one}=a/vae", f"{other}=b/vae"])
