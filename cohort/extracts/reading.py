"""Reading a supplier's files: batches of text columns, each row with the line it begins on.

Memory stays bounded whatever the size of the file. Blocks of CSV go to Arrow's parser; a block in
which a row could be misread, or could not be placed on its line, goes through Python's `csv` row by
row instead. Both read the same bytes as the same rows.
"""

import csv
import gzip
import re
import zlib
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from cohort.extracts.schema import REJECTED_COLUMNS, TABLES, Table

BLOCK_BYTES = 16 << 20
PIECE_BYTES = 256 << 10
LONGEST_LINE_BYTES = 64 << 20
#: A quote that is not closed within so many lines was never meant to be opened.
LONGEST_RECORD_LINES = 100
PARQUET_ROWS = 250_000

REPLACEMENT = "\ufffd"
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])
_DAMAGE = re.compile("[\udc80-\udcff]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|" + REPLACEMENT)
_DAMAGE_IN_PARQUET = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\x{FFFD}"
_SUFFIX = re.compile(r"(\.csv|\.csv\.gz|\.parquet)$")


class Unreadable(Exception):
    """A whole file cannot be used; the message names the file and says why."""


@dataclass(frozen=True)
class BadLine:
    """A line that is no row: where it begins, the columns at fault, why, and what it held."""

    line: int
    column: str
    reason: str
    fields: list[str]


@dataclass
class Batch:
    """Some rows of a file: `line` (BIGINT) and `c0`, `c1`, ... (text), beside the lines that are no rows."""

    rows: pa.Table
    bad: list[BadLine] = field(default_factory=list)


@dataclass(frozen=True)
class SourceFile:
    """One file of one table."""

    path: Path
    table: Table

    @property
    def stem(self) -> str:
        """The file's name without `.csv`, `.csv.gz` or `.parquet`."""
        return _SUFFIX.sub("", self.path.name.lower())


def find_files(folder: Path) -> tuple[list[SourceFile], list[str]]:
    """Returns the files of the tables, by table then name, and the names of the files that are ignored.

    A table may come in several files: `events.csv`, or `events-north.csv.gz` and `events-south.csv.gz`.
    Raises Unreadable where one is there twice, such as `events.csv` beside `events.csv.gz`.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    files: list[SourceFile] = []
    for table in TABLES:
        pattern = re.compile(rf"{table.name}(-[^.]+)?(\.csv|\.csv\.gz|\.parquet)", re.IGNORECASE)
        files += [SourceFile(folder / name, table) for name in names if pattern.fullmatch(name)]
    stems = [file.stem for file in files]
    for file in files:
        if stems.count(file.stem) > 1:
            raise Unreadable(f"{file.path.name}: {file.stem} is in the folder more than once.")
    used = {file.path.name for file in files}
    return files, [name for name in names if name not in used]


class Source:
    """An open file: its header at once, its rows as batches.

    A file of rejected rows that comes back is read without the columns put in front, or with them
    where `keep_rejection` asks for that.
    """

    def __init__(self, file: SourceFile, *, keep_rejection: bool = False) -> None:
        self.file = file
        self.name = file.path.name
        self._is_parquet = file.path.suffix.lower() == ".parquet"
        sent = self._parquet_header() if self._is_parquet else self._csv_header()
        #: How many leading columns are ours, from a file of rejected rows that was mended and sent back.
        self.is_rejected = tuple(sent[: len(REJECTED_COLUMNS)]) == REJECTED_COLUMNS
        self.skipped = len(REJECTED_COLUMNS) if self.is_rejected and not keep_rejection else 0
        self.width = len(sent)
        self.header = sent[self.skipped :]

    def batches(self) -> Iterator[Batch]:
        """Yields every row once, in order. Raises Unreadable, after some batches perhaps."""
        return _prefetched(self._parquet_batches() if self._is_parquet else self._csv_batches())

    def _open(self) -> IO[bytes] | gzip.GzipFile:
        if self.name.lower().endswith(".gz"):
            return gzip.open(self.file.path, "rb")
        return self.file.path.open("rb")

    def _csv_header(self) -> list[str]:
        with self._open() as stream:
            line = self._read(stream, LONGEST_LINE_BYTES, one_line=True)
        if not line.strip():
            raise Unreadable(f"{self.name}: the first line is empty; it should name the columns.")
        if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
            raise Unreadable(f"{self.name}: this is UTF-16, or not text at all; send UTF-8.")
        try:
            text = line.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise Unreadable(f"{self.name}: the first line, which names the columns, is not UTF-8.") from error
        if "\r" in text:
            raise Unreadable(f"{self.name}: lines end with a bare carriage return; send LF or CR LF.")
        header = next(csv.reader([text]))
        if len(header) == 1 and re.search("[;\t|]", text):
            raise Unreadable(f"{self.name}: the first line has no commas; send comma-separated values.")
        return header

    def _csv_batches(self) -> Iterator[Batch]:
        parser = _CsvParser(self.header, self.width, self.skipped)
        with self._open() as stream:
            self._read(stream, LONGEST_LINE_BYTES, one_line=True)
            rest = b""
            while True:
                block = self._read(stream, BLOCK_BYTES)
                data = rest + block
                end = data.rfind(b"\n") + 1 if block else len(data)
                batch, used = parser.parse(data[:end], is_last=not block)
                rest = data[used:]
                if len(rest) > LONGEST_LINE_BYTES:
                    raise Unreadable(f"{self.name}: line {parser.line} is longer than 64 MB; do lines end with LF?")
                yield batch
                if not block:
                    return

    def _read(self, stream: IO[bytes] | gzip.GzipFile, size: int, *, one_line: bool = False) -> bytes:
        try:
            return stream.readline(size) if one_line else stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Unreadable(
                f"{self.name}: the gzip file is damaged or cut short; nothing of it can be trusted. Send it again."
            ) from error

    def _parquet_header(self) -> list[str]:
        try:
            return list(pa.parquet.read_schema(self.file.path).names)
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"{self.name}: this is not Parquet, or it is damaged or cut short.") from error

    def _parquet_batches(self) -> Iterator[Batch]:
        first = 1
        try:
            with pa.parquet.ParquetFile(self.file.path) as parquet:
                for batch in parquet.iter_batches(batch_size=PARQUET_ROWS):
                    batch.validate(full=True)
                    columns = [
                        self._as_text(column, name)
                        for name, column in zip(batch.schema.names, batch.columns, strict=True)
                    ]
                    yield self._parquet_batch(columns[self.skipped :], first, batch.num_rows)
                    first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(f"{self.name}: rows from {first} on cannot be read; the file is damaged.") from error

    def _parquet_batch(self, columns: list[pa.Array], first: int, count: int) -> Batch:
        damaged: dict[int, list[str]] = {}
        for name, column in zip(self.header, columns, strict=True):
            found = pc.match_substring_regex(column, _DAMAGE_IN_PARQUET)
            if pc.any(found).as_py():
                for index in pc.indices_nonzero(found).to_pylist():
                    damaged.setdefault(index, []).append(name)
        bad = []
        for index in sorted(damaged):
            fields = [column[index].as_py() for column in columns]
            bad.append(BadLine(first + index, "; ".join(damaged[index]), _damage("".join(fields)), fields))
        rows = _table(array("q", range(first, first + count)), columns)
        if damaged:
            rows = rows.filter(pa.array([index not in damaged for index in range(count)]))
        return Batch(rows, bad)

    def _as_text(self, column: pa.Array, name: str) -> pa.Array:
        kind = column.type
        try:
            if pa.types.is_timestamp(kind):
                midnight = pc.floor_temporal(column, unit="day")
                is_day = pc.equal(column, midnight)
                column = pc.if_else(is_day, midnight.cast(pa.date32()).cast(pa.string()), column.cast(pa.string()))
            if pa.types.is_list(kind) or pa.types.is_large_list(kind):
                column = pc.binary_join(column.cast(pa.list_(pa.string())), " ")
            return pc.fill_null(column.cast(pa.string()), "")
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Unreadable(f"{self.name}: column {name} is of type {kind}, which cannot be read as text.") from error


class _CsvParser:
    """Turns blocks of bytes into batches and counts lines. `line` is the line the next byte is on."""

    def __init__(self, header: list[str], width: int, skipped: int) -> None:
        self.header, self.width, self.skipped = header, width, skipped
        self.line = 2
        names = [f"c{index - skipped}" for index in range(width)]
        self._read_options = pa.csv.ReadOptions(block_size=LONGEST_LINE_BYTES * 2, column_names=names)
        self._parse_options = pa.csv.ParseOptions(newlines_in_values=True)
        self._convert_options = pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=False,
            include_columns=names[skipped:],
        )

    def parse(self, data: bytes, *, is_last: bool) -> tuple[Batch, int]:
        """Returns the rows of `data` and how many bytes they took; what is left is an unfinished row."""
        whole = self._quickly(data)
        if whole is not None:
            return Batch(whole), len(data)
        tables: list[pa.Table] = []
        bad: list[BadLine] = []
        used, size = 0, PIECE_BYTES
        while used < len(data):
            end = used + size
            end = len(data) if end >= len(data) else data.rfind(b"\n", used, end) + 1
            if end > used:
                piece = data[used:end]
                table = self._quickly(piece)
                taken = len(piece)
                if table is None:
                    table, taken = self._row_by_row(piece, bad, is_last=is_last and end == len(data))
                tables.append(table)
                used += taken
                size = PIECE_BYTES if taken else size * 2
                if not taken and end == len(data):
                    break
            else:
                size *= 2
        empty = _table(array("q"), [pa.array([], pa.string())] * len(self.header))
        return Batch(pa.concat_tables([empty, *tables]).combine_chunks(), bad), used

    def _quickly(self, data: bytes) -> pa.Table | None:
        """Returns the rows if each is on one line of its own and sound, else None."""
        lines = data.count(b"\n")
        if (
            not data.endswith(b"\n")
            or data.count(b'"') % 2
            or data.count(b"\r") != data.count(b"\r\n")
            or REPLACEMENT.encode() in data
            or len(data.translate(None, _CONTROLS)) != len(data)
        ):
            return None
        try:
            rows = pa.csv.read_csv(
                pa.py_buffer(data),
                read_options=self._read_options,
                parse_options=self._parse_options,
                convert_options=self._convert_options,
            )
        except pa.ArrowInvalid:
            return None
        # Fewer rows than lines: a quoted line end, or an empty line. Arrow also ends an open quote at
        # the end of the data, which would swallow the last line end.
        if rows.num_rows != lines or any("\n" in column[-1].as_py() for column in rows.columns):
            return None
        table = _table(array("q", range(self.line, self.line + lines)), rows.columns)
        self.line += lines
        return table

    def _row_by_row(self, data: bytes, bad: list[BadLine], *, is_last: bool) -> tuple[pa.Table, int]:
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        lines = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
        numbers = array("q")
        rows: list[list[str]] = []
        index = 0
        while index < len(lines):
            feed = _Feed(lines, index)
            why = ""
            fields: list[str] = []
            try:
                fields = next(csv.reader(feed))
            except csv.Error as error:
                why = "has a carriage return in the middle" if "new-line" in str(error) else "is not CSV"
            if feed.ran_out and not is_last and feed.taken < LONGEST_RECORD_LINES:
                break
            # A quote opened by mistake runs on to the next one: only its own line is given up.
            if feed.ran_out or (feed.taken > 1 and len(fields) != self.width):
                why = "opens a quote that is not closed where the value ends"
            if why:
                bad.append(BadLine(self.line, "", why, [_replaced(lines[index].rstrip("\r\n"))]))
                index, self.line = index + 1, self.line + 1
                continue
            if fields:
                problem = self._problem(fields)
                if problem:
                    bad.append(problem)
                else:
                    numbers.append(self.line)
                    rows.append(fields[self.skipped :])
            index += feed.taken
            self.line += feed.taken
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        left = "".join(lines[index:]).encode("utf-8", "surrogateescape")
        return _table(numbers, columns or [pa.array([], pa.string())] * len(self.header)), len(data) - len(left)

    def _problem(self, fields: list[str]) -> BadLine | None:
        own = fields[self.skipped :]
        if len(fields) != self.width:
            reason = f"has {len(fields)} fields where the header has {self.width}"
            return BadLine(self.line, "", reason, [_replaced(text) for text in own])
        columns = [name for name, text in zip(self.header, own, strict=True) if _DAMAGE.search(text)]
        if not columns:
            return None
        return BadLine(self.line, "; ".join(columns), _damage("".join(own)), [_replaced(text) for text in own])


class _Feed:
    """Lines for `csv.reader`, counted: how many one row took, and whether it wanted more than it got."""

    def __init__(self, lines: list[str], start: int) -> None:
        self._lines, self._start = lines, start
        self.taken = 0
        self.ran_out = False

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if self.taken == LONGEST_RECORD_LINES or self._start + self.taken == len(self._lines):
            self.ran_out = True
            raise StopIteration
        self.taken += 1
        return self._lines[self._start + self.taken - 1]


def _damage(text: str) -> str:
    found = _DAMAGE.search(text)
    character = found.group() if found else ""
    if character == REPLACEMENT:
        return f"has {REPLACEMENT}, left where a character was lost before it was sent"
    if character >= "\udc80":
        return f"is not UTF-8 (byte 0x{ord(character) - 0xDC00:02X}; shown here as {REPLACEMENT})"
    return f"has a control character (0x{ord(character or ' '):02X})"


def _replaced(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _table(lines: "array[int]", columns: list[pa.Array]) -> pa.Table:
    numbers = pa.Array.from_buffers(pa.int64(), len(lines), [None, pa.py_buffer(lines)])
    return pa.table([numbers, *columns], names=["line", *(f"c{index}" for index in range(len(columns)))])


def _prefetched(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yields the same batches, the next one being read while the last is worked on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch
