"""CSV that people open in a spreadsheet, change, save, and send back.

A spreadsheet runs a cell that begins like a formula (OWASP, CSV Injection; ASVS 5.0 rule 1.2.10:
put an apostrophe before `=`, `+`, `-`, `@`, tab and NUL), and turns what looks like a number, date
or time into one: leading zeros go, `2020-03-14` becomes `14/03/2020`, a long number `1E+11`, and the
changed text is what it saves. Both are stopped by the same mark: an apostrophe before the cell,
which `read_csv` takes off again. The library for this, defusedcsv, marks no tab, keeps no zeros and
cannot be read back.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

MARK = "'"
#: The full-width signs count too: some spreadsheets read them as the plain ones.
FORMULA_STARTS = frozenset("=+-@|%\t\r\n\0＝＋－＠")  # noqa: RUF001
#: A longer number is shown, and saved, as 9.99E+09 in a column of the usual width.
LONGEST_PLAIN_NUMBER = 8
_PLAIN_NUMBER = re.compile(rf"0|[1-9][0-9]{{0,{LONGEST_PLAIN_NUMBER - 1}}}")
_WORD = re.compile(r"[^\W\d_]+")
_MONTHS = "january february march april may june july august september october november december"
#: The words a number, date or time can hold; with any other word the cell is text to a spreadsheet.
_VALUE_WORDS = frozenset({*_MONTHS.split(), *(month[:3] for month in _MONTHS.split()), "sept", *"ape", "am", "pm"})


class UnreadableCsv(Exception):
    """The file is not CSV that can be read back; the message says where, and holds none of its data."""


def write_csv(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    """Returns the rows as CSV (UTF-8 with a byte-order mark, every cell quoted, lines end CR LF).

    Each row must have every column; `read_csv` gives back the same rows. A first line names the columns.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow([_marked(column) for column in columns])
    writer.writerows([_marked(row[column]) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def read_csv(content: bytes) -> list[dict[str, str]]:
    """Returns the rows of a file by column name, as text, without the marks `write_csv` put there.

    Lines with nothing at all are left out. Raises UnreadableCsv for a file that is not UTF-8, has no
    or repeated column names, or has a row of another length.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableCsv('The file is not UTF-8. In Excel, save it as "CSV UTF-8 (comma delimited)".') from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    columns: list[str] | None = None
    try:
        for cells in reader:
            if not cells:
                continue
            cells = [cell.removeprefix(MARK) for cell in cells]
            if columns is None:
                columns = cells
                if len(set(columns)) < len(columns):
                    raise UnreadableCsv("Two columns have the same name.")
            elif len(cells) != len(columns):
                raise UnreadableCsv(f"The row that ends on line {reader.line_num} has {len(cells)} cells.")
            else:
                rows.append(dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise UnreadableCsv(f"Line {reader.line_num} cannot be read as CSV: {error}.") from error
    if columns is None:
        raise UnreadableCsv("The file is empty.")
    return rows


def marked_lines(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yields rows of any length as `write_csv` writes them, a line at a time, for files too large to hold."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    text.write("\ufeff")
    for row in rows:
        writer.writerow([_marked(cell) for cell in row])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def unmarked_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yields what `marked_lines` was given, a row at a time; spreadsheets' empty cells at the end are cut.

    `lines` are those of the file, as text with their ends. Raises UnreadableCsv.
    """
    reader = csv.reader(lines, strict=True)
    width = 0
    try:
        for cells in reader:
            row = [cell.removeprefix(MARK) for cell in cells]
            while len(row) > width and row[-1] == "":
                row.pop()
            width = width or len(row)
            if row:
                yield row
    except UnicodeDecodeError as error:
        raise UnreadableCsv('The file is not UTF-8. In Excel, save it as "CSV UTF-8 (comma delimited)".') from error
    except csv.Error as error:
        raise UnreadableCsv(f"Line {reader.line_num} cannot be read as CSV: {error}.") from error


def _marked(cell: str) -> str:
    return MARK + cell if cell.startswith(MARK) or _would_change(cell) else cell


def _would_change(cell: str) -> bool:
    """Returns whether a spreadsheet would run the cell, or make a number, date, time or truth value of it."""
    text = cell.strip()
    if not FORMULA_STARTS.isdisjoint((cell[:1], text[:1])):
        return True
    words = _WORD.findall(text.lower())
    if words in (["true"], ["false"]):
        return True
    return any(c.isdigit() for c in text) and _VALUE_WORDS.issuperset(words) and not _PLAIN_NUMBER.fullmatch(cell)
