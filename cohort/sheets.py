"""Files that people fill in with a spreadsheet: CSV and workbooks, written to survive it, read back as texts.

Whatever the file, `read_sheet` gives rows of text by column name, numbered as a spreadsheet numbers them.
What a spreadsheet does to a file is undone where it is certain what had been there: other separators and
encodings, marks eaten, dates and whole numbers made of texts in a workbook. Anything else is refused, and
said where. CSV is marked by `cohort.spreadsheets`; a workbook's cells are text, so that none is run or changed.
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from cohort.spreadsheets import MARK, marked_lines

MOST_ROWS = 10_000
MOST_COLUMNS = 60
LARGEST_FILE = 10 * 1024 * 1024
#: What a workbook may unpack to; one of 5,000 people is some 20 MB.
LARGEST_UNPACKED = 200 * 1024 * 1024
#: Excel holds no longer text in a cell.
LONGEST_TEXT = 32_767
NOTES = "How to fill it in"
_SEPARATORS = ",;\t"
#: What XML cannot hold or does not keep, and what would be taken for our way of writing that (ECMA-376, ST_Xstring).
_TO_ESCAPE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class UnreadableSheet(Exception):
    """Nothing of the file can be read; the message says why and what to do, and holds none of its data."""


@dataclass(frozen=True)
class Column:
    """A column as it is written: its name, its width in characters, and the only texts to choose from, if any."""

    name: str
    width: int = 16
    choices: tuple[str, ...] = ()
    is_to_fill_in: bool = False


@dataclass(frozen=True)
class Line:
    """A row below the names of the columns. `cells` has every column of the file; `is_too_long`: and there is more."""

    number: int
    cells: dict[str, str]
    is_too_long: bool = False


@dataclass(frozen=True)
class Sheet:
    """A file as read. `letters` are those of the columns that were asked for; blank lines are left out.

    Not `is_unicode`: the letters beyond A to Z are as Windows in western Europe writes them, by assumption.
    """

    letters: dict[str, str]
    lines: list[Line]
    is_unicode: bool = True


def csv_lines(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yields the rows as CSV, a line at a time, the names of the columns first."""
    yield from marked_lines([[column.name for column in columns]])
    # A byte-order mark stands once, at the beginning.
    for line in marked_lines(rows):
        yield line.removeprefix(b"\xef\xbb\xbf")


def write_xlsx(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], *, title: str, notes: Sequence[str], keep: int
) -> bytes:
    """Returns a workbook of two sheets: `title` with the rows, and the notes with what there is to choose from.

    Every cell is text, of 32,767 characters at most. The names of the columns and the first `keep` columns
    stay in sight.
    """
    book = Workbook(write_only=True)
    for style in _styles():
        book.add_named_style(style)
    sheet, explained = book.create_sheet(title), book.create_sheet(NOTES)
    styled = {style: _cell(sheet, "", style)._style for style in ("text", "open")}
    sheet.freeze_panes = f"{get_column_letter(keep + 1)}2"
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    sheet.append([_cell(sheet, column.name, "fill in" if column.is_to_fill_in else "head") for column in columns])
    styles = [styled["open" if column.is_to_fill_in else "text"] for column in columns]
    last = 1
    for row in rows:
        last += 1
        cells = [_cell(sheet, text) for text in row]
        for cell, style in zip(cells, styles, strict=True):
            cell._style = style  # by its name it is looked up for every cell, which takes twice as long in all
        sheet.append(cells)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
    chosen = [(place, column) for place, column in enumerate(columns, start=1) if column.choices]
    for line, (place, column) in enumerate(chosen, start=1):
        letter, end = get_column_letter(line + 1), len(column.choices) + 1
        rule = DataValidation(type="list", formula1=f"'{NOTES}'!${letter}$2:${letter}${end}", allow_blank=True)
        rule.error, rule.errorTitle = "Choose one of the list.", column.name[:32]
        rule.add(f"{get_column_letter(place)}2:{get_column_letter(place)}{max(last, 2)}")
        sheet.data_validations.append(rule)
    _write_notes(explained, notes, [column for _, column in chosen])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def read_sheet(content: bytes, wanted: Sequence[str]) -> Sheet:
    """Returns what a file has: CSV, or a workbook's first sheet. Raises UnreadableSheet.

    `wanted` are the names of columns that must be there, in any order, with others or none.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableSheet("The file is larger than 10 MB. Take out what is not the list, or send it in parts.")
    if not content.strip():
        raise UnreadableSheet("The file is empty.")
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise UnreadableSheet(
            "This is an old Excel workbook, or one with a password. Save it as “Excel workbook (.xlsx)” without one."
        )
    if content[:2] == b"PK":
        return _sheet(list(_xlsx(content)), wanted)
    text, is_unicode = _text(content)
    missing: UnreadableSheet | None = None
    for separator in _SEPARATORS:
        try:
            return _sheet(_csv(text, separator, wanted), wanted, is_unicode=is_unicode)
        except _OtherColumns as error:
            missing = missing or error
    raise missing or UnreadableSheet("The file is empty.")


class _OtherColumns(UnreadableSheet):
    """The names of the columns are not those that were asked for."""


def _sheet(rows: list[tuple[int, list[str]]], wanted: Sequence[str], *, is_unicode: bool = True) -> Sheet:
    filled = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    if not filled:
        raise UnreadableSheet("The file is empty.")
    if len(filled) > MOST_ROWS + 1:
        raise UnreadableSheet(f"There are more than {MOST_ROWS:,} rows. Take out what is not the list.")
    names = _names(filled[0][1], wanted)
    lines = []
    for number, cells in filled[1:]:
        padded = cells + [""] * (len(names) - len(cells))
        beyond = any(cell.strip() for cell in padded[len(names) :])
        lines.append(Line(number, dict(zip(names, padded, strict=False)), is_too_long=beyond))
    letters = {name: get_column_letter(names.index(name) + 1) for name in wanted}
    return Sheet(letters=letters, lines=lines, is_unicode=is_unicode)


def _names(header: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Returns the names of the columns, those wanted as they are wanted and not as somebody typed them."""
    ours = {_plain(name): name for name in wanted}
    names = [ours.get(_plain(cell), cell) for cell in header]
    while names and not names[-1].strip():
        names.pop()
    if missing := [name for name in wanted if name not in names]:
        raise _OtherColumns(
            f"Columns missing: {', '.join(missing)}. The first row must name the columns as in the file you downloaded."
        )
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise UnreadableSheet(f"Two columns are called {twice[0]}. Take one out.")
    return names


def _plain(name: str) -> str:
    return " ".join(name.removeprefix(MARK).split()).casefold()


def _text(content: bytes) -> tuple[str, bool]:
    """Returns a file's text, and whether its encoding is certain."""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what Excel calls Unicode text
            return content.decode("utf-16"), True
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252"), False
    except UnicodeDecodeError as error:
        raise UnreadableSheet(
            "The file is neither a workbook nor text that can be read. Save it as .xlsx, or as “CSV UTF-8”."
        ) from error


def _csv(text: str, separator: str, wanted: Sequence[str]) -> list[tuple[int, list[str]]]:
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if not rows and any(cells):
                _names(cells, wanted)  # a file of another separator is told from its first row
            if any(cells):
                rows.append((number, [cell.removeprefix(MARK) for cell in cells]))
            if len(rows) > MOST_ROWS + 1:
                break
    except csv.Error as error:
        if not rows:
            raise _OtherColumns(
                "The first row does not name the columns. Save the list as .xlsx and send that."
            ) from error
        raise UnreadableSheet(
            f"Line {reader.line_num} of the file is not CSV: look for a quotation mark out of place there."
        ) from error
    return rows


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
        if "content.xml" in {member.filename for member in members}:
            raise UnreadableSheet("This is an OpenDocument sheet. Save it as an Excel workbook (.xlsx), or as CSV.")
        if sum(member.file_size for member in members) > LARGEST_UNPACKED:
            raise UnreadableSheet("The workbook is too large. Copy the list alone into a new one.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it leaves out: styles, lists to choose from
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            try:
                rows = book.worksheets[0].iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS, values_only=True)
                found = [(number, [_as_text(value) for value in cells]) for number, cells in enumerate(rows, start=1)]
            finally:
                book.close()
    except UnreadableSheet:
        raise
    except Exception as error:  # whatever a file that is no workbook makes the library raise
        raise UnreadableSheet(
            "The file cannot be read as an Excel workbook. Save it again as .xlsx, or as CSV."
        ) from error
    yield from found


def _as_text(value: Any) -> str:
    """Returns what a cell shows: a date as 2020-03-14, a whole number without a point."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _cell(sheet: Any, text: str, style: str = "") -> Any:
    cell = WriteOnlyCell(sheet, _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    cell.data_type = "s"  # else what begins with = would be a formula
    if style:
        cell.style = style
    return cell


def _styles() -> Iterator[NamedStyle]:
    for name in ("text", "open", "head", "fill in"):
        style = NamedStyle(name, number_format="@", alignment=Alignment(vertical="top", wrap_text=name != "open"))
        if name in {"head", "fill in"}:
            style.font = Font(bold=True)
        if name in {"open", "fill in"}:
            style.fill = PatternFill("solid", fgColor="FFF9C4")
        yield style


def _write_notes(sheet: Any, notes: Sequence[str], chosen: Sequence[Column]) -> None:
    """Writes the notes in the first column, and beside them what each column takes."""
    sheet.column_dimensions["A"].width = 90
    for place in range(len(chosen)):
        sheet.column_dimensions[get_column_letter(place + 2)].width = 44
    sheet.append([_cell(sheet, NOTES, "head"), *(_cell(sheet, column.name, "head") for column in chosen)])
    for line in range(max(len(notes), *(len(column.choices) for column in chosen), 0)):
        cells = [notes[line] if line < len(notes) else ""]
        cells += [column.choices[line] if line < len(column.choices) else "" for column in chosen]
        sheet.append([_cell(sheet, text, "text") for text in cells])
