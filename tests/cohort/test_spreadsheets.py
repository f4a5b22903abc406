"""CSV for spreadsheets: nothing runs, nothing is mangled, and everything comes back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohort.spreadsheets import FORMULA_STARTS, UnreadableCsv, read_csv, write_csv

CELLS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"['=+\-@\t\r0-9 /:.,]{0,8}", fullmatch=True),
    st.dates().map(str),
)


def as_a_spreadsheet_sees(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def cell(value: str) -> str:
    return as_a_spreadsheet_sees(write_csv([{"a": value}], ["a"]))[1][0]


@given(columns=st.lists(CELLS, min_size=1, max_size=4, unique=True), data=st.data())
def test_what_was_written_is_read_back(columns: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, CELLS)), max_size=4))

    assert read_csv(write_csv(rows, columns)) == rows


@given(value=CELLS)
def test_no_cell_begins_like_a_formula(value: str) -> None:
    written = cell(value)

    assert written[:1] not in FORMULA_STARTS
    assert written.strip()[:1] not in FORMULA_STARTS


@pytest.mark.parametrize(
    "value",
    [
        "=1+1",
        "+447700900123",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "＝1",  # noqa: RUF001
        "|x",
        "0123456789",
        "9991234567",
        "07700900123",
        "07700 900123",
        "100012345678",
        "2020-03-14",
        "14/03/2020",
        "3-4",
        "MAR1",
        "12 May",
        "9:30 am",
        "1 1/2",
        "£5",
        "5%",
        "(5)",
        "1E5",
        "1.50",
        "TRUE",
        "'Til",
    ],
)
def test_cells_a_spreadsheet_would_run_or_change_are_marked(value: str) -> None:
    assert cell(value) == "'" + value


@pytest.mark.parametrize(
    "value",
    ["", "0", "12", "12345678", "Amina", "May", "12 High Street", "Flat 2", "SM1 1AA", "a@b.nhs.uk", "O'Neill"],
)
def test_text_and_small_numbers_are_left_as_they_are(value: str) -> None:
    assert cell(value) == value


def test_excel_is_told_it_is_utf_8() -> None:
    assert write_csv([], ["name"]) == b'\xef\xbb\xbf"name"\r\n'


def test_a_separator_inside_a_cell_cannot_start_another() -> None:
    assert as_a_spreadsheet_sees(write_csv([{"a": 'x",=1,"y', "b": "z\n=1"}], ["a", "b"]))[1] == ['x",=1,"y', "z\n=1"]


def test_blank_lines_are_left_out() -> None:
    assert read_csv(b"a,b\r\n1,2\r\n\r\n3,4\r\n\r\n") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        ("name\r\nZo\u00eb\r\n".encode("cp1252"), "not UTF-8"),
        (b"a,a\r\n1,2\r\n", "same name"),
        (b"a,b\r\n1\r\n", "line 2 has 1 cells"),
        (b'a\r\n"unended', "Line 2"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableCsv, match=says):
        read_csv(content)
