"""Tables that somebody else made: CSV files read row by row, and the report of what was of no use.

A row that cannot be read is reported with its line and does not stop the others. A file that is not
what it should be is refused whole.
"""

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple


class WrongFile(Exception):
    """The file is not of the kind asked for; the message names the file and says what is missing or wrong."""


class Reject(NamedTuple):
    """A row that could not be used, or not wholly. `line` counts from 1; `column` is empty for the whole row."""

    file: str
    line: int
    column: str
    reason: str


@dataclass
class Report:
    """What became of one file: `counts` in the words of its loader, and the rows of no use."""

    file: str
    shape: str
    counts: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)

    def reject(self, line: int, column: str, reason: str) -> None:
        """Adds a row of no use."""
        self.rejects.append(Reject(self.file, line, column, reason))


@dataclass(frozen=True)
class Table:
    """A CSV file, gzipped or not. `header` is its first row, without spaces around names or a byte-order mark."""

    path: Path
    header: tuple[str, ...]
    sha256: str

    @property
    def name(self) -> str:
        """Returns the file's name without its folder."""
        return self.path.name

    def has(self, columns: Collection[str]) -> bool:
        """Returns whether all of these columns are there."""
        return set(columns) <= set(self.header)

    def require(self, columns: Collection[str], *, of: str) -> None:
        """Raises WrongFile naming the columns that are missing, `of` being what the file should have been."""
        missing = [column for column in columns if column not in self.header]
        if missing:
            raise WrongFile(
                f"{self.name} is not {of}: it has no column {', '.join(missing)}. {self.columns_in_words()}"
            )

    def columns_in_words(self) -> str:
        """Returns "It has the columns …", for a message."""
        return f"It has the columns {', '.join(name or '(no name)' for name in self.header)}."

    def cells(
        self, report: Report, *, encoding: str = "utf-8", with_header: bool = True
    ) -> Iterator[tuple[int, list[str]]]:
        """Yields (line, cells) of each row that can be read and is not blank; the others go to the report.

        A row has as many cells as the header. `line` is where it begins. Without a header
        (`with_header=False`) the first row is data too. Raises WrongFile for a quotation mark that
        is never closed: what follows it could not be told apart.
        """
        trouble = ""

        def lines(stream: IO[str]) -> Iterator[str]:
            nonlocal trouble
            for text in stream:
                if "\x00" in text:
                    trouble = "the row has a NUL character"
                elif not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
                    trouble = f"the row is not {encoding.upper()}"
                yield text

        width = len(self.header)
        with _text(self.path, encoding) as stream:
            reader = csv.reader(lines(stream), strict=True)
            if with_header:
                next(reader)
            while True:
                line, trouble = reader.line_num + 1, ""
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    if "unexpected end" in str(error) or "field larger" in str(error):
                        raise WrongFile(f"{self.name}, line {line}: a quotation mark is never closed.") from error
                    report.reject(line, "", "a quotation mark is out of place")
                    continue
                if not any(cells):
                    continue
                if not trouble and len(cells) != width:
                    trouble = f"the row has {len(cells)} cells where {width} are expected"
                if trouble:
                    report.reject(line, "", trouble)
                    continue
                yield line, cells

    def rows(self, report: Report, *, encoding: str = "utf-8") -> Iterator[tuple[int, dict[str, str]]]:
        """Yields (line, cells by column name, without spaces around them), as `cells`."""
        for line, cells in self.cells(report, encoding=encoding):
            yield line, {name: cell.strip() for name, cell in zip(self.header, cells, strict=True)}


def read_table(path: Path) -> Table:
    """Returns the table in this file. Raises WrongFile if it is empty, or not text."""
    try:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        with _text(path, "utf-8") as text:
            first = next(csv.reader([text.readline()], strict=True), [])
    except (OSError, EOFError, csv.Error) as error:
        raise WrongFile(f"{path.name} cannot be read: {error}") from error
    if not any(first):
        raise WrongFile(f"{path.name} has no first row.")
    return Table(path, tuple(name.strip() for name in first), digest.hexdigest())


def _text(path: Path, encoding: str) -> IO[str]:
    """Opens the file as text. Bytes that are not of the encoding come through as surrogates, to be reported."""
    with path.open("rb") as start:
        is_gzip = start.read(2) == b"\x1f\x8b"
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    if is_gzip:
        return gzip.open(path, "rt", encoding=encoding, errors="surrogateescape", newline="")
    return path.open(encoding=encoding, errors="surrogateescape", newline="")
