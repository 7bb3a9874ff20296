import dataclasses

from runs import records
from runs.arguments import BadInput

import pytest


@dataclasses.dataclass(frozen=True)
class Weighing:
    number: int
    weight: float
    height: float | None = None


WEIGHINGS = [Weighing(1, 1 / 3), Weighing(-2, 1e300, 0.0)]


def test_records_come_back_to_the_last_bit(tmp_path):
    records.write(tmp_path / "w.csv", Weighing, WEIGHINGS)
    assert records.read(tmp_path / "w.csv", Weighing) == WEIGHINGS
    assert records.read(tmp_path / "missing.csv", Weighing) == []


def test_no_records_are_a_line_of_names(tmp_path):
    records.write(tmp_path / "w.csv", Weighing, [])
    assert (tmp_path / "w.csv").read_text() == "number,weight,height\n"
    assert records.read(tmp_path / "w.csv", Weighing) == []


def test_a_file_from_before_a_field_was_there_has_its_default(tmp_path):
    (tmp_path / "w.csv").write_text("number,weight\n1,2.5\n")
    assert records.read(tmp_path / "w.csv", Weighing) == [Weighing(1, 2.5)]


@pytest.mark.parametrize(
    "content",
    [
        b"number\n1\n",  # a column that is needed
        b"number,weight,colour\n1,2,3\n",  # and one that nobody knows
        b"number,weight\n1\n",  # cut off
        b"number,weight\n1,2,3\n",
        b"number,weight\n1.5,2\n",
        b"number,weight\n,2\n",
        *(b"number,weight\n1," + weight for weight in (b"nan", b"-inf", b"1e999")),
        b"number,weight,height\n1,2,inf\n",
        # A whole number that Python reads and no float can hold, and one that floats would skip.
        *(b"number,weight\n" + number + b",2\n" for number in (b"9" * 400, b"-9007199254740993")),
        b"\xff\xfe\n1",
    ],
)
def test_what_is_no_record_is_refused(tmp_path, content):
    (tmp_path / "w.csv").write_bytes(content)
    with pytest.raises(BadInput, match="w.csv cannot be read .*; remove it"):
        records.read(tmp_path / "w.csv", Weighing)
