"""Files that people fill in with a spreadsheet: what is written comes back, and what a spreadsheet did is undone."""

import contextlib
import csv
import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from cohort.sheets import Column, UnreadableSheet, csv_lines, read_sheet, write_xlsx

COLUMNS = [Column("NHS number"), Column("Detail", choices=("yes", "no"), is_to_fill_in=True)]
NAMES = ["NHS number", "Detail"]
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(exclude_categories=[]), max_size=6),
    st.from_regex(r"['=+\-@\t\r\n0-9 /:.,;_x\"]{0,10}", fullmatch=True),
    st.from_regex(r"(_x[0-9A-Fa-f]{4}_?){1,2}", fullmatch=True),
    st.dates().map(str),
)
#: A row that is not blank: a blank one is nobody's.
ROWS = st.lists(st.tuples(TEXTS, TEXTS).filter(lambda row: any(text.strip() for text in row)), max_size=4)


def workbook(rows: list[tuple[str, str]]) -> bytes:
    return write_xlsx(COLUMNS, rows, title="List", notes=["Read this."], keep=1)


def texts(content: bytes) -> list[tuple[str, ...]]:
    return [tuple(line.cells.values()) for line in read_sheet(content, NAMES).lines]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS)
@example(rows=[("=1+1", "_x0041_"), ("_x005F_x0041_", "\r\x00\ud800\ufffe"), (" a ", "\n\tb")])
def test_a_workbook_is_read_back_exactly(rows: list[tuple[str, str]]) -> None:
    assert texts(workbook(rows)) == rows


@settings(deadline=None)
@given(rows=st.lists(st.tuples(*[st.text(max_size=8)] * 2).filter(lambda r: any(t.strip() for t in r)), max_size=4))
def test_csv_is_read_back_exactly(rows: list[tuple[str, str]]) -> None:
    assert texts(b"".join(csv_lines(COLUMNS, rows))) == rows


@settings(deadline=None, max_examples=100)
@given(content=st.one_of(st.binary(max_size=200), st.binary(max_size=60).map(lambda some: b"PK\x03\x04" + some)))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    with pytest.raises(UnreadableSheet, match=r"\w{4}.*\.$"):
        read_sheet(content, NAMES)


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 6000), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_read_or_refused_in_words(place: int, byte: int) -> None:
    content = bytearray(_WHOLE)
    content[place % len(content)] = byte
    with contextlib.suppress(UnreadableSheet):
        read_sheet(bytes(content), NAMES)


_WHOLE = workbook([("9991234567", "yes")])


def test_nothing_in_a_workbook_is_a_formula_a_number_or_a_date() -> None:
    book = load_workbook(io.BytesIO(workbook([("0991234567", "=HYPERLINK(1)"), ("2020-03-14", "1E5")])))
    cells = [cell for row in book["List"].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}


def test_a_workbook_offers_the_choices_and_keeps_the_names_in_sight() -> None:
    book = load_workbook(io.BytesIO(workbook([("9991234567", ""), ("9991234568", "")])))
    sheet, notes = book["List"], book["How to fill it in"]
    (rule,) = sheet.data_validations.dataValidation
    assert (sheet.freeze_panes, str(rule.sqref)) == ("B2", "B2:B3")
    assert rule.formula1 == "'How to fill it in'!$B$2:$B$3"
    assert [[cell.value for cell in row] for row in notes.iter_rows()] == [
        ["How to fill it in", "Detail"],
        ["Read this.", "yes"],
        [None, "no"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9991234567, "9991234567"),
        (9991234567.0, "9991234567"),
        (1.5, "1.5"),
        (date(2020, 3, 14), "2020-03-14"),
        (datetime(2020, 3, 14, 9, 30), "2020-03-14 09:30:00"),  # noqa: DTZ001 - a workbook knows no zones
        (True, "yes"),
        ("'0991", "'0991"),
    ],
)
def test_what_a_spreadsheet_made_of_a_cell_is_text_again(value: object, text: str) -> None:
    book = Workbook()
    book.active.append(NAMES)  # type: ignore[union-attr]
    book.active.append([value, None])  # type: ignore[union-attr]
    made = io.BytesIO()
    book.save(made)
    assert texts(made.getvalue()) == [(text, "")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_of_any_spreadsheet_is_read(separator: str, encoding: str) -> None:
    made = io.StringIO(newline="")
    rows = [["nhs  NUMBER", "Detail", "Other"], ["9991234567", "Zoë\u2019s, so; \t", "x"], [], ["9991234568", "", ""]]
    csv.writer(made, delimiter=separator).writerows(rows)
    sheet = read_sheet(made.getvalue().encode(encoding), NAMES)
    assert [(line.number, line.cells["NHS number"], line.cells["Detail"]) for line in sheet.lines] == [
        (2, "9991234567", "Zoë\u2019s, so; \t"),
        (4, "9991234568", ""),
    ]
    assert sheet.is_unicode == (encoding != "cp1252")
    assert sheet.letters == {"NHS number": "A", "Detail": "B"}


def test_a_row_with_cells_beyond_the_columns_is_told() -> None:
    lines = read_sheet(b"NHS number,Detail\r\n1,2\r\n1,2,3\r\n1\r\n1,2,,\r\n", NAMES).lines
    assert [line.is_too_long for line in lines] == [False, True, False, False]


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xff\xfe", "empty"),
        (b"NHS number\r\n1\r\n", "Columns missing: Detail"),
        (b"NHS number,Detail,detail\r\n", "Two columns are called Detail"),
        (b'NHS number,Detail\r\n1,"x\r\n', "quotation mark"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"NHS number,Detail\r\n\x81,\x8d", "neither a workbook nor text"),
        (b"PK\x03\x04 not a zip", "cannot be read as an Excel workbook"),
        (zipped(content__xml=b"<x/>"), "OpenDocument"),
        (zipped(a=b"0" * 201 * 1024 * 1024), "too large"),
        (b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MB"),
        (b"NHS number,Detail\r\n" + b"1,2\r\n" * 10_001, "more than 10,000 rows"),
    ],
)
def test_a_file_of_no_use_says_why(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableSheet, match=says):
        read_sheet(content, NAMES)
