import argparse
import sys

from runs import arguments
from runs.arguments import BadInput

import pytest


def parser() -> argparse.ArgumentParser:
    made = arguments.parser("what it does\n\n  as it stands")
    made.add_argument("--count", type=arguments.whole(2, 9), default=3, help="how many")
    made.add_argument("--share", type=arguments.number(0, 1, above=True), default=0.5, help="part")
    return made


@pytest.mark.parametrize("text", ["2", "9", " 5 "])
def test_whole_takes_numbers_in_its_range(text):
    assert arguments.whole(2, 9)(text) == int(text)


@pytest.mark.parametrize("text", ["1", "10", "-3", "2.0", "two", "", "nan", "1e1"])
def test_whole_refuses_all_else_and_names_the_range(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 2 to 9"):
        arguments.whole(2, 9)(text)


def test_whole_without_an_end():
    assert arguments.whole(1)("1000000000000") == 10**12
    with pytest.raises(argparse.ArgumentTypeError, match="of at least 1"):
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


def test_folder_may_be_made_later_but_not_below_a_file(tmp_path):
    assert arguments.folder(str(tmp_path / "a" / "b")) == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("")
    for taken in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(argparse.ArgumentTypeError, match="is a file"):
            arguments.folder(str(taken))


def test_a_wrong_argument_is_one_line_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as ending:
        parser().parse_args(["--count", "-1"])
    assert ending.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "--count" in line and "from 2 to 9" in line


def test_arguments_are_not_abbreviated(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["--cou", "3"])
    assert "--cou" in capsys.readouterr().err


def test_help_shows_defaults_and_keeps_the_lines_of_the_description():
    text = parser().format_help()
    assert "\n  as it stands\n" in text
    assert "(default: 3)" in text and "(default: 0.5)" in text


def test_settings_are_the_named_arguments():
    options = parser().parse_args(["--count", "4"])
    assert arguments.settings(options, "count") == {"count": 4}


def ending_of(problem: BaseException, capsys, monkeypatch) -> tuple[int, str]:
    def main():
        print("so far")
        raise problem

    monkeypatch.setattr(sys, "argv", ["/somewhere/03_script.py"])
    with pytest.raises(SystemExit) as ending:
        arguments.run(main)
    printed = capsys.readouterr()
    assert printed.out == "so far\n"
    return ending.value.code, printed.err


def test_bad_input_ends_with_its_sentence_and_2(capsys, monkeypatch):
    code, text = ending_of(BadInput("x is bad; mend it."), capsys, monkeypatch)
    assert (code, text) == (2, "03_script.py: x is bad; mend it.\n")


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
