import argparse
import sys

from runs import arguments
from runs.arguments import BadInput

import pytest


@pytest.mark.parametrize("text", ["2", "9", " 5 "])
def test_whole_takes_numbers_in_its_range(text):
    assert arguments.whole(2, 9)(text) == int(text)


@pytest.mark.parametrize("text", ["1", "10", "-3", "2.0", "two", "", "nan", "1e1"])
def test_whole_refuses_all_else_and_names_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 2 to 9"):
        arguments.whole(2, 9)(text)


def test_whole_without_an_end():
    assert arguments.whole(1)("1000000000000") == 10**12
    with pytest.raises(argparse.ArgumentTypeError, match="a whole number from 1 up"):
        arguments.whole(1)("0")


def test_number_may_leave_out_its_least():
    assert arguments.number(0, 1)("0") == 0
    assert arguments.number(0, 1, above=True)("1e-9") == 1e-9
    with pytest.raises(argparse.ArgumentTypeError, match="above 0 to 1"):
        arguments.number(0, 1, above=True)("0")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "-0.1", "1.1", "x"])
def test_number_refuses_what_is_not_finite_or_outside(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 1"):
        arguments.number(0, 1)(text)


@pytest.mark.parametrize("value", [True, "3", None, [3], float("nan"), float("inf"), -1, 10])
def test_what_is_no_number_is_in_no_range(value):
    assert value not in arguments.number(0, 9)
    assert value not in arguments.whole(0, 9)


def test_a_whole_number_is_a_number_but_not_the_other_way_round():
    assert 3 in arguments.number(0, 9) and 3 in arguments.whole(0, 9)
    assert 3.0 in arguments.number(0, 9) and 3.0 not in arguments.whole(0, 9)


def test_no_number_is_infinite_or_larger_than_what_a_float_holds():
    assert 1e308 in arguments.number(0)
    for value in (float("inf"), float("nan"), 10**400):
        assert value not in arguments.number(0)
    assert 10**400 in arguments.whole(0)


def test_folder_may_be_made_later_but_not_below_a_file(tmp_path):
    assert arguments.folder(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(argparse.ArgumentTypeError, match="is a file"):
            arguments.folder(str(taken))


def ending_of(problem: BaseException, capsys, monkeypatch) -> tuple[int, str]:
    def main(given: str):
        print(given)
        raise problem

    monkeypatch.setattr(sys, "argv", ["/somewhere/03_script.py"])
    with pytest.raises(SystemExit) as ending:
        arguments.run(main, "so far")
    printed = capsys.readouterr()
    assert printed.out == "so far\n"
    return ending.value.code, printed.err


def test_bad_input_ends_with_its_sentence_and_2(capsys, monkeypatch):
    code, text = ending_of(BadInput("x is bad; mend it."), capsys, monkeypatch)
    assert (code, text) == (2, "03_script.py: x is bad; mend it.\n")


def test_what_is_missing_and_what_may_help_is_told_by_the_scripts(capsys, monkeypatch):
    problem = BadInput("there is no rope.", make=("rope", "cart"), options=("much_longer",))
    assert str(problem) == "there is no rope."
    assert problem.message({}) == "there is no rope (--much-longer)."
    made = problem.message({"rope": "spin.py", "cart": "saw.py"})
    assert made == "there is no rope; run spin.py and saw.py (--much-longer)."


def test_a_full_disk_ends_with_a_sentence_and_2(capsys, monkeypatch):
    problem = OSError(28, "No space left on device", "models/a.h5")
    code, text = ending_of(problem, capsys, monkeypatch)
    assert code == 2
    assert text == "03_script.py: [Errno 28] No space left on device: 'models/a.h5'.\n"


def test_an_interrupt_ends_with_130_and_says_how_to_go_on(capsys, monkeypatch):
    code, text = ending_of(KeyboardInterrupt(), capsys, monkeypatch)
    assert code == 130 and "to go on" in text


def test_an_error_of_the_project_itself_keeps_its_traceback(monkeypatch):
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        arguments.run(main)
