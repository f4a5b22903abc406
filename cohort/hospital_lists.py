"""Reading what a hospital unit sends: CSV or XLSX, or what the API was given, row by row.

Each row is either good or has each of its problems told by line and column, with what to do. The
checks are the same whatever way a row came. Nothing here knows the database.
"""

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from nhs_number.validate import is_valid
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from cohort.rules import Request
from cohort.spreadsheets import MARK, write_csv
from shielding.places.rules import normal_postcode

MOST_ROWS = 30_000
LARGEST_FILE = 10 * 1024 * 1024
#: What a workbook may unpack to; one of 30,000 rows is some 40 MB.
LARGEST_UNPACKED = 200 * 1024 * 1024
EARLIEST = date(1900, 1, 1)
#: A column of ours on the rows that are given back to be mended; it is read and ignored.
WRONG = "what_is_wrong"


@dataclass(frozen=True)
class Column:
    """One column: whether every row needs it, how long it may be, and what to write there."""

    name: str
    is_needed: bool
    longest: int
    help: str


COLUMNS = (
    Column("action", True, 6, "add, to put somebody on the list, or remove, to take them off it"),
    Column("nhs_number", False, 40, "10 digits. Leave it empty only if you do not know it"),
    Column("given_name", True, 100, "First name"),
    Column("family_name", True, 100, "Last name"),
    Column("birth_date", True, 30, "Such as 1961-02-14 or 14/02/1961"),
    Column("postcode", False, 20, "Of their home. Helps to find them where there is no NHS number"),
    Column("reason", True, 300, "Why, in words that their GP will read"),
    Column("disease_group", False, 100, "Such as Renal dialysis"),
    Column("hospital_medicine", False, 200, "A medicine that only the hospital prescribes, such as rituximab"),
)
_NAMES = tuple(column.name for column in COLUMNS)
_ACTIONS = {"add": Request.ADD, "remove": Request.REMOVE}
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00:00)?")
_BRITISH = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")


class UnusableList(Exception):
    """Nothing of the list can be used; the message says why and what to do, and holds none of its data."""


@dataclass(frozen=True)
class SentRow:
    """One good row. `number` is its line in the file, or its place in what the API was sent, from 1."""

    number: int
    request: Request
    nhs_number: str
    given_name: str
    family_name: str
    birth_date: date
    postcode: str
    reason: str
    disease_group: str
    medicine: str


@dataclass(frozen=True)
class RowError:
    """What is wrong with a row, by column ("" for the whole row), and what to do."""

    number: int
    column: str
    reason: str


@dataclass
class ReadList:
    """A list as read. `rejected` are the rows in error as they came: their number, and a text for each column."""

    rows: list[SentRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    rejected: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def reject(self, number: int, cells: Mapping[str, Any], *problems: tuple[str, str]) -> None:
        """Takes a row out, for these problems: (column, reason)."""
        self.errors += [RowError(number, column, reason) for column, reason in problems]
        self.rejected.append((number, {name: _shown(cells.get(name)) for name in _NAMES}))


def read_file(name: str, content: bytes, *, today: date) -> ReadList:
    """Returns the rows of a CSV or XLSX file; `name` tells which. Raises UnusableList."""
    if len(content) > LARGEST_FILE:
        raise UnusableList("The file is larger than 10 MB. Divide it and send the parts one after another.")
    if content[:4] == b"PK\x03\x04" or name.lower().endswith((".xlsx", ".xlsm")):
        table = _xlsx(content)
    elif content[:4] == b"\xd0\xcf\x11\xe0":
        raise UnusableList('This is an old Excel workbook (.xls). Save it as "Excel workbook (.xlsx)" or as CSV.')
    else:
        table = _csv(content)
    return check_rows(_by_column(table), today=today)


def check_rows(rows: Iterable[tuple[int, Mapping[str, Any]]], *, today: date) -> ReadList:
    """Returns the rows checked: (number, value by column). Raises UnusableList where there are none, or too many."""
    read = ReadList()
    for count, (number, cells) in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise UnusableList(f"There are more than {MOST_ROWS:,} rows. Divide the list and send the parts.")
        _check(read, number, cells, today)
    if not read.rows and not read.errors:
        raise UnusableList("There are no rows. Put one row for each person.")
    _check_against_each_other(read)
    return read


def template_csv() -> bytes:
    """Returns an empty list as CSV: the names of the columns."""
    return write_csv([], _NAMES)


def template_xlsx() -> bytes:
    """Returns an empty list as a workbook whose cells are text, so that Excel changes no number or date in them."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Patients"
    notes = book.create_sheet("How to fill it in")
    notes.append(["Column", "Needed", "What to write"])
    for place, column in enumerate(COLUMNS, start=1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = 20
        sheet.column_dimensions[letter].number_format = "@"
        for line in range(1, 501):
            sheet.cell(line, place).number_format = "@"
        sheet.cell(1, place, column.name).font = Font(bold=True)
        notes.append([column.name, "yes" if column.is_needed else "no", column.help])
    sheet.freeze_panes = "A2"
    for letter, width in (("A", 20), ("B", 10), ("C", 80)):
        notes.column_dimensions[letter].width = width
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def mended_csv(rejected: Iterable[tuple[int, Mapping[str, str]]], errors: Iterable[RowError]) -> bytes:
    """Returns the rows in error as CSV with what is wrong with each, to be mended and sent again."""
    wrong: dict[int, list[str]] = {}
    for error in errors:
        wrong.setdefault(error.number, []).append(f"{error.column}: {error.reason}" if error.column else error.reason)
    rows = [{**cells, WRONG: " ".join(wrong.get(number, []))} for number, cells in rejected]
    return write_csv(rows, [*_NAMES, WRONG])


def _csv(content: bytes) -> list[tuple[int, list[Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableList('The file is not UTF-8. In Excel, save it as "CSV UTF-8 (comma delimited)".') from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    table: list[tuple[int, list[Any]]] = []
    line = 1
    try:
        for cells in reader:
            table.append((line, list(cells)))
            line = reader.line_num + 1
            if len(table) > MOST_ROWS + 1:
                break
    except csv.Error as error:
        raise UnusableList(f"Line {reader.line_num} cannot be read as CSV: {error}.") from error
    return table


def _xlsx(content: bytes) -> list[tuple[int, list[Any]]]:
    unreadable = "The file cannot be read as an Excel workbook. Save it again as .xlsx, or as CSV."
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > LARGEST_UNPACKED:
            raise UnusableList("The workbook is too large. Copy the rows alone into a new one.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it leaves out: styles, validation
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            try:
                rows = book.worksheets[0].iter_rows(max_row=MOST_ROWS + 2, max_col=50, values_only=True)
                return [(line, list(cells)) for line, cells in enumerate(rows, start=1)]
            finally:
                book.close()
    except UnusableList:
        raise
    except Exception as error:  # whatever a file that is no workbook makes the library raise
        raise UnusableList(unreadable) from error


def _by_column(table: list[tuple[int, list[Any]]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Returns the rows below the first that is not blank, which names the columns."""
    filled = [(line, cells) for line, cells in table if any(_shown(cell).strip() for cell in cells)]
    if not filled:
        raise UnusableList("The file is empty.")
    header = [_shown(cell).strip().lower().replace(" ", "_") for cell in filled[0][1]]
    while header and not header[-1]:
        header.pop()
    if missing := [column.name for column in COLUMNS if column.is_needed and column.name not in header]:
        raise UnusableList(
            f"Columns missing: {', '.join(missing)}. The first row must name them; download the template to see how."
        )
    for place, name in enumerate(header):
        if name not in (*_NAMES, WRONG):
            raise UnusableList(
                f"Column {place + 1} is not one of ours. Take it out: send no more about people than is asked."
            )
        if name in header[:place]:
            raise UnusableList(f"Two columns are called {name}.")
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for line, cells in filled[1:]:
        # A cell beyond the last column means that the others may have moved.
        beyond = any(_shown(cell).strip() for cell in cells[len(header) :])
        named = dict(zip(header, cells, strict=False)) | ({_BEYOND: True} if beyond else {})
        rows.append((line, named))
    return rows


_BEYOND = "beyond"


def _check(read: ReadList, number: int, cells: Mapping[str, Any], today: date) -> None:
    problems: list[tuple[str, str]] = []
    if cells.get(_BEYOND) is True:
        problems.append(("", "has more cells than there are columns. Look for a comma that is not in quotation marks."))
    text: dict[str, str] = {}
    for column in COLUMNS:
        value, problem = _text(cells.get(column.name), column)
        text[column.name] = value
        if problem:
            problems.append((column.name, problem))
    wrong = {name for name, _ in problems}
    read_as: dict[str, Any] = {}
    for name, reader in (("action", _action), ("nhs_number", _nhs_number), ("postcode", _postcode)):
        if name not in wrong:
            read_as[name], problem = reader(text[name])
            problems += [(name, problem)] if problem else []
    if "birth_date" not in wrong:
        read_as["birth_date"], problem = _birth_date(text["birth_date"], today)
        problems += [("birth_date", problem)] if problem else []
    if problems:
        read.reject(number, cells, *problems)
        return
    read.rows.append(
        SentRow(
            number=number,
            request=read_as["action"],
            nhs_number=read_as["nhs_number"],
            given_name=text["given_name"],
            family_name=text["family_name"],
            birth_date=read_as["birth_date"],
            postcode=read_as["postcode"],
            reason=text["reason"],
            disease_group=text["disease_group"],
            medicine=text["hospital_medicine"],
        )
    )


def _check_against_each_other(read: ReadList) -> None:
    """Takes out rows that ask the opposite of an earlier row for the same NHS number."""
    first: dict[str, SentRow] = {}
    good: list[SentRow] = []
    for row in read.rows:
        said = first.setdefault(row.nhs_number, row) if row.nhs_number else row
        if said.request is row.request:
            good.append(row)
        else:
            reject_opposite(read, row, said.number)
    read.rows = good


def reject_opposite(read: ReadList, row: SentRow, earlier: int) -> None:
    """Puts a row among those in error that asks the opposite of an earlier one for the same person."""
    problem = f"asks the opposite of row {earlier} for the same person. Leave in the one that is right."
    read.reject(row.number, as_cells(row), ("action", problem))


def as_cells(row: SentRow) -> dict[str, str]:
    """Returns a good row as the texts of its columns."""
    return {
        "action": row.request.value.lower(),
        "nhs_number": row.nhs_number,
        "given_name": row.given_name,
        "family_name": row.family_name,
        "birth_date": row.birth_date.isoformat(),
        "postcode": row.postcode,
        "reason": row.reason,
        "disease_group": row.disease_group,
        "hospital_medicine": row.medicine,
    }


def _shown(value: Any) -> str:
    """Returns a cell as text, with nothing in it that PostgreSQL or JSON cannot hold."""
    if isinstance(value, datetime):
        value = value.date() if value.time() == datetime.min.time() else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value)
    return "".join(c for c in text if c in "\t\n\r" or unicodedata.category(c) not in {"Cc", "Cs"})[:1000]


def _text(value: Any, column: Column) -> tuple[str, str]:
    """Returns a cell as text without needless white space, and what is wrong with it, or ""."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | date | None):
        return "", "must be text."
    shown = _shown(value)
    if isinstance(value, str) and len(shown) < min(len(value), 1000):
        return "", "has a character in it that is not text. Type it again."
    text = unicodedata.normalize("NFC", " ".join(shown.removeprefix(MARK).split()))
    if not text and column.is_needed:
        return "", f"is missing. Write: {column.help}."
    if len(text) > column.longest:
        return "", f"is longer than {column.longest} characters. Make it shorter."
    return text, ""


def _action(text: str) -> tuple[Request | None, str]:
    request = _ACTIONS.get(text.lower())
    return request, "" if request else "must be add or remove."


def _nhs_number(text: str) -> tuple[str, str]:
    digits = "".join(c for c in text if not c.isspace() and unicodedata.category(c) not in {"Pd", "Cf"})
    if not digits:
        return "", ""
    if not (digits.isascii() and digits.isdigit()):
        return "", "must be numbers only, such as 999 123 4567. A spreadsheet may have shortened it."
    if len(digits) != 10:
        return "", f"must be 10 numbers long; this has {len(digits)}."
    if not is_valid(digits):
        return "", "is not an NHS number: its check digit is wrong. A number may be mistyped."
    return digits, ""


def _postcode(text: str) -> tuple[str, str]:
    if not text:
        return "", ""
    postcode = normal_postcode(text)
    return postcode or "", "" if postcode else "is not a full postcode such as SM1 1AA. Mend it or leave it empty."


def _birth_date(text: str, today: date) -> tuple[date | None, str]:
    if re.fullmatch(r"[0-9]{4,6}(\.[0-9]+)?", text):
        return None, "is a bare number, as Excel keeps dates. Format the cells as text and write 1961-02-14."
    for pattern, order in ((_ISO, (1, 2, 3)), (_BRITISH, (3, 2, 1)), (_COMPACT, (1, 2, 3))):
        if (found := pattern.fullmatch(text)) and text.isascii():
            try:
                day = date(*(int(found[part]) for part in order))
            except ValueError:
                return None, "is not a day of the calendar."
            if day < EARLIEST:
                return None, "is before 1900."
            return (None, "is after today.") if day > today else (day, "")
    return None, "is not a date. Write it as 1961-02-14 or 14/02/1961."
