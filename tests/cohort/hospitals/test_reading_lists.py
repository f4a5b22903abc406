"""Reading what a unit sends: each wrong row told by line and column, and nothing that breaks the reader."""

import contextlib
import csv
import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from cohort.hospital_lists import (
    COLUMNS,
    LARGEST_FILE,
    MOST_ROWS,
    ReadList,
    SentRow,
    UnusableList,
    as_cells,
    check_rows,
    mended_csv,
    read_file,
    template_csv,
    template_xlsx,
)
from cohort.rules import Request
from tests.cohort.factories import invented_nhs_number

TODAY = date(2020, 3, 20)
NAMES = [column.name for column in COLUMNS]
AMINA, BOB = invented_nhs_number(921), invented_nhs_number(922)
GOOD: dict[str, Any] = {
    "action": "add",
    "nhs_number": AMINA,
    "given_name": "Amina",
    "family_name": "Khan",
    "birth_date": "1961-02-14",
    "postcode": "SM1 1AA",
    "reason": "Starts chemotherapy on Monday",
    "disease_group": "Cancer (solid, with chemotherapy)",
    "hospital_medicine": "rituximab",
}
AMINA_ROW = SentRow(
    2,
    Request.ADD,
    AMINA,
    "Amina",
    "Khan",
    date(1961, 2, 14),
    "SM1 1AA",
    "Starts chemotherapy on Monday",
    "Cancer (solid, with chemotherapy)",
    "rituximab",
)


def row(**changed: Any) -> dict[str, Any]:
    return {**GOOD, **changed}


def as_csv(*rows: dict[str, Any], names: list[str] = NAMES) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow(names)
    writer.writerows([cells.get(name, "") for name in names] for cells in rows)
    return made.getvalue().encode()


def as_xlsx(*rows: dict[str, Any]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(NAMES)
    for cells in rows:
        sheet.append([cells.get(name) for name in NAMES])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def read(content: bytes, name: str = "list.csv") -> ReadList:
    return read_file(name, content, today=TODAY)


@pytest.mark.parametrize("make", [as_csv, as_xlsx])
def test_a_good_row_is_read_from_either_kind_of_file(make: Any) -> None:
    found = read(make(row(), row(action="Remove", nhs_number=BOB)))
    assert found.errors == []
    assert found.rows[0] == AMINA_ROW
    assert (found.rows[1].number, found.rows[1].request, found.rows[1].nhs_number) == (3, Request.REMOVE, BOB)


SPELLINGS = [
    ("nhs_number", f"{AMINA[:3]} {AMINA[3:6]} {AMINA[6:]}"),
    ("nhs_number", f"'{AMINA}"),
    ("nhs_number", int(AMINA)),
    ("birth_date", "14/02/1961"),
    ("birth_date", "19610214"),
    ("birth_date", datetime(1961, 2, 14)),  # noqa: DTZ001
    ("birth_date", "'1961-02-14"),
    ("postcode", "sm11aa"),
    ("action", "ADD"),
    ("given_name", "  Amina "),
]


@pytest.mark.parametrize(("column", "cell"), SPELLINGS)
def test_what_spreadsheets_make_of_a_cell_is_understood(column: str, cell: Any) -> None:
    found = read(as_xlsx(row(**{column: cell})), "list.xlsx")
    assert found.errors == []
    assert found.rows == [AMINA_ROW]


WRONG = [
    ("action", "", "is missing"),
    ("action", "delete", "must be add or remove"),
    ("nhs_number", "999 123", "must be 10 numbers long; this has 6"),
    ("nhs_number", AMINA[:9] + str((int(AMINA[9]) + 1) % 10), "its check digit is wrong"),
    ("nhs_number", "9.99E+09", "must be numbers only"),
    ("given_name", "", "is missing"),
    ("family_name", "x" * 101, "is longer than 100"),
    ("birth_date", "", "is missing"),
    ("birth_date", "22326", "is a bare number, as Excel keeps dates"),
    ("birth_date", "31/02/1961", "is not a day of the calendar"),
    ("birth_date", "14/02/61", "is not a date"),
    ("birth_date", "21/03/2020", "is after today"),
    ("birth_date", "1899-12-31", "is before 1900"),
    ("postcode", "SM1", "is not a full postcode"),
    ("reason", "", "is missing"),
    ("reason", "a\0b", "a character in it that is not text"),
    ("hospital_medicine", "x" * 201, "is longer than 200"),
]


@pytest.mark.parametrize(("column", "cell", "reason"), WRONG)
def test_each_wrong_cell_is_told_by_line_and_column(column: str, cell: str, reason: str) -> None:
    found = read(as_csv(row(nhs_number=BOB), row(**{column: cell})))
    (error,) = found.errors
    assert (error.number, error.column) == (3, column)
    assert reason in error.reason
    assert [kept.nhs_number for kept in found.rows] == [BOB]
    assert found.rejected[0][0] == 3


def test_lines_are_those_of_the_file_where_a_cell_has_several() -> None:
    found = read(as_csv(row(reason="one\ntwo\nthree"), row(action="?")))
    assert found.rows[0].reason == "one two three"
    assert [error.number for error in found.errors] == [5]


def test_all_that_is_wrong_with_a_row_is_told_at_once_and_once() -> None:
    found = read(as_csv(row(action="?", birth_date="?", reason="")))
    assert sorted(error.column for error in found.errors) == ["action", "birth_date", "reason"]
    assert len(found.rejected) == 1


def test_a_row_that_asks_the_opposite_of_an_earlier_one_is_in_error() -> None:
    found = read(as_csv(row(), row(), row(action="remove")))
    assert len(found.rows) == 2
    (error,) = found.errors
    assert (error.number, error.column) == (4, "action")
    assert "the opposite of row 2" in error.reason


FILES = [
    (b"", "empty"),
    (b"\xff\xfe", "not UTF-8"),
    (b"name\nx\n", "Columns missing: action"),
    (as_csv(), "There are no rows"),
    (as_csv(row(), names=[*NAMES, "hospital_number"]), "Column 10 is not one of ours"),
    (as_csv(row(), names=[*NAMES, "reason"]), "Two columns are called reason"),
    (b'action,"x\n', "cannot be read as CSV"),
    (b"PK\x03\x04 no workbook", "cannot be read as an Excel workbook"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
    (b"x" * (LARGEST_FILE + 1), "larger than 10 MB"),
]


@pytest.mark.parametrize(("content", "why"), FILES)
def test_a_file_that_is_no_list_is_refused_with_what_to_do(content: bytes, why: str) -> None:
    with pytest.raises(UnusableList, match=why):
        read(content)


def test_too_many_rows_are_refused() -> None:
    rows = ((number, GOOD) for number in range(MOST_ROWS + 1))
    with pytest.raises(UnusableList, match="more than 30,000 rows"):
        check_rows(rows, today=TODAY)


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (210 * 1024 * 1024))
    with pytest.raises(UnusableList, match="too large"):
        read(made.getvalue(), "list.xlsx")


def test_a_row_with_more_cells_than_columns_is_in_error() -> None:
    found = read(as_csv(row()) + b"a,b,c,d,e,f,g,h,i,j\n")
    assert ("", 3) in [(error.column, error.number) for error in found.errors]


def test_the_rows_in_error_can_be_downloaded_mended_and_sent_again() -> None:
    found = read(as_csv(row(reason="=1+1", birth_date="1961-02-30"), row(action="?", nhs_number=BOB)))
    back = mended_csv(found.rejected, found.errors).decode("utf-8-sig")
    assert "birth_date: is not a day of the calendar." in back
    mended = read(back.replace("1961-02-30", "1961-02-14").replace('"?"', '"add"').encode())
    assert mended.errors == []
    assert (mended.rows[0].reason, mended.rows[0].birth_date) == ("=1+1", date(1961, 2, 14))


def test_the_templates_are_read_back_as_lists_without_rows() -> None:
    for name, content in (("t.csv", template_csv()), ("t.xlsx", template_xlsx())):
        with pytest.raises(UnusableList, match="There are no rows"):
            read(content, name)
    sheet = load_workbook(io.BytesIO(template_xlsx())).worksheets[0]
    sheet.append([GOOD[name] for name in NAMES])
    assert sheet["B2"].number_format == "@"


CELL = st.one_of(
    st.text(max_size=30), st.none(), st.integers(), st.floats(), st.booleans(), st.dates(), st.lists(st.text())
)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from(NAMES), CELL), min_size=1, max_size=4))
def test_whatever_a_row_holds_it_is_good_or_told(rows: list[dict[str, Any]]) -> None:
    found = check_rows(enumerate(rows, start=1), today=TODAY)
    assert {each.number for each in found.rows} | {number for number, _ in found.rejected} == set(
        range(1, len(rows) + 1)
    )
    assert {error.number for error in found.errors} == {number for number, _ in found.rejected}
    for each in found.rows:
        (again,) = check_rows([(each.number, as_cells(each))], today=TODAY).rows
        assert again == each


@settings(max_examples=300, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda t: as_csv(GOOD) + t.encode("utf-8", "replace"))
    )
)
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes) -> None:
    for name in ("a.csv", "a.xlsx"):
        with contextlib.suppress(UnusableList):
            read(content, name)


@settings(max_examples=60, deadline=None)
@given(flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_damaged_workbook_is_read_or_refused(flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(as_xlsx(GOOD))
    for place, byte in flips:
        damaged[place % len(damaged)] = byte
    with contextlib.suppress(UnusableList):
        read(bytes(damaged), "a.xlsx")
