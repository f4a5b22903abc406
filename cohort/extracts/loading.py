"""From a supplier's files to Parquet: every row is stored or rejected, none is lost on the way.

Works in a scratch DuckDB database on disk, so that memory stays bounded. Knows nothing of PostgreSQL.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from cohort.extracts import changes, store
from cohort.extracts.checks import PATIENTS_TABLE, PRACTICES_TABLE, RECORDS_TABLE, checks, names
from cohort.extracts.reading import BadLine, Source, SourceFile, Unreadable
from cohort.extracts.schema import ORIGIN_COLUMNS, PATIENTS, REJECTED_COLUMNS
from cohort.extracts.scratch import Sharded, database, write_shards

_FETCH = 10_000
_REASONS = 10


@dataclass(frozen=True)
class TableCount:
    """What became of one table's rows. `rejected_files` are names within the extract's `rejected/`."""

    table: str
    accepted: int
    rejected: int
    rejected_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileCount:
    """What became of one file's rows. `rejected_file` is a name within `rejected/`, empty without bad rows.

    `reasons` are the most frequent, as `column`, `reason`, `rows` and `first_line`.
    """

    table: str
    file: str
    accepted: int
    rejected: int
    rejected_file: str
    reasons: tuple[dict[str, str | int], ...]


@dataclass(frozen=True)
class Loaded:
    """What was made: the rows counted by table and file, what the supplier should be told.

    `has_changes` says whether `changed.parquet` is there.
    """

    counts: tuple[TableCount, ...]
    files: tuple[FileCount, ...]
    notes: tuple[str, ...]
    has_changes: bool = False


class TablesRefused(Exception):
    """The files cannot be used; `problems` says why, one sentence each, with no data in them."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


def load(
    files: list[SourceFile],
    *,
    made: Path,
    scratch: Path,
    as_at: date,
    practices: Iterable[tuple[str, date | None]],
    reject_above: float,
    memory_limit: str,
    shards: int = 1,
    previous: Path | None = None,
) -> Loaded:
    """Reads and checks the files and fills the folder `made`, every table in so many shards.

    `previous` is the folder of the extract to tell the changed people from.

    `practices` are code and closing date. Raises TablesRefused, all reasons at once, for a file that
    cannot be read, a column that is missing, or a table with too large a share of bad rows.
    """
    with database(scratch, memory_limit) as db:
        prepare(db, practices)
        patients = Sharded(db, "patients", f"file INTEGER, line BIGINT, {PATIENTS_TABLE}", shards)
        records = Sharded(db, "records", RECORDS_TABLE, shards)
        notes: list[str] = []
        problems: list[str] = []
        for number, file in enumerate(files):
            try:
                source = Source(file)
                into = patients if file.table is PATIENTS else records
                _read(db, into, number, source, known_header(source, notes), as_at)
            except Unreadable as error:
                problems.append(str(error))
        patients.divide()
        records.divide()
        if not problems:
            _reject_twins(db, patients, files)
            problems = _too_many_bad(db, files, reject_above)
        if problems:
            raise TablesRefused(problems)
        write_shards(db, patients, records, made)
        changes.write_fingerprints(db, made)
        has_changes = previous is not None and changes.write_changed(db, made, previous)
        _write_rejected(db, files, made / store.REJECTED)
        counts = tuple(_counts(db, files))
        notes += [f"{count.table}: there are no rows." for count in counts if not count.accepted + count.rejected]
        return Loaded(counts, tuple(_file_counts(db, files)), tuple(notes), has_changes)


def prepare(db: duckdb.DuckDBPyConnection, practices: Iterable[tuple[str, date | None]]) -> None:
    """Makes the tables that checks need and that rejected rows go to."""
    db.execute(f"CREATE TABLE {PRACTICES_TABLE}")
    codes, closed = [], []
    for code, closed_date in practices:
        codes.append(code.upper())
        closed.append(closed_date)
    known = pa.table({"code": pa.array(codes, pa.string()), "closed_date": pa.array(closed, pa.date32())})
    db.register("known", known)
    db.execute("INSERT INTO practices SELECT * FROM known")
    db.unregister("known")
    db.execute("CREATE TABLE sent (file INTEGER, rows BIGINT)")
    db.execute("CREATE TABLE rejected (file INTEGER, line BIGINT, columns VARCHAR, reasons VARCHAR, fields VARCHAR[])")
    db.execute("CREATE TABLE twins (file INTEGER, line BIGINT, reason VARCHAR)")


def known_header(source: Source, notes: list[str]) -> list[str]:
    """Returns the names of the columns as the schema spells them; tells which are unknown."""
    header = [name.strip().lower() for name in source.header]
    table = source.file.table
    missing = [column.name for column in table.columns if column.in_header and column.name not in header]
    if missing:
        raise Unreadable(f"{source.name}: required column{'s' * (len(missing) > 1)} missing: {', '.join(missing)}.")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise Unreadable(f"{source.name}: column there twice: {', '.join(twice)}.")
    unknown = [name or "(no name)" for name in header if not table.column(name) and name not in ORIGIN_COLUMNS]
    if unknown:
        notes.append(f"{source.name}: ignored unknown column{'s' * (len(unknown) > 1)} {', '.join(unknown)}.")
    return header


def _read(
    db: duckdb.DuckDBPyConnection, into: Sharded, number: int, source: Source, header: list[str], as_at: date
) -> None:
    sql = checks(source.file.table, header, as_at=as_at)
    stored = f"{number}, *" if source.file.table is PATIENTS else "* EXCLUDE (line)"
    sent = 0
    for batch in source.batches():
        reject_lines(db, number, batch.bad)
        sent += batch.rows.num_rows + len(batch.bad)
        db.register("batch", batch.rows)
        accepted = into.insert(f"SELECT {stored} FROM ({sql.accepted})")
        if accepted < batch.rows.num_rows:
            db.execute(f"INSERT INTO rejected SELECT {number}, line, columns, reasons, fields FROM ({sql.rejected})")
        db.unregister("batch")
    db.execute("INSERT INTO sent VALUES (?, ?)", [number, sent])


def reject_lines(db: duckdb.DuckDBPyConnection, number: int, bad: list[BadLine]) -> None:
    """Adds lines that are no rows to the rejected of a file."""
    if bad:
        lines = pa.table(
            {
                "line": pa.array([line.line for line in bad], pa.int64()),
                "columns": pa.array([line.column for line in bad], pa.string()),
                "reasons": pa.array([line.reason for line in bad], pa.string()),
                "fields": pa.array([line.fields for line in bad], pa.list_(pa.string())),
            }
        )
        db.register("bad", lines)
        db.execute(f"INSERT INTO rejected SELECT {number}, * FROM bad")
        db.unregister("bad")


def _reject_twins(db: duckdb.DuckDBPyConnection, patients: Sharded, files: list[SourceFile]) -> None:
    """Rejects patients rows that share an NHS number: all but the first if they are the same, else all.

    The rows as sent are read once more, but only where there are any.
    """
    db.register("names", pa.table({"file": range(len(files)), "name": [file.path.name for file in files]}))
    for part in patients.parts:
        find_twins(db, part)
    db.unregister("names")
    for number, file in enumerate(files):
        wanted = db.execute("SELECT count(*) FROM twins WHERE file = ?", [number]).fetchall()[0][0]
        if not wanted or file.table is not PATIENTS:
            continue
        source = Source(file)
        fields = ", ".join(f"c{index}" for index in range(len(source.header)))
        for batch in source.batches():
            db.register("batch", batch.rows)
            db.execute(
                f"INSERT INTO rejected SELECT {number}, line, 'nhs_number', reason, [{fields}]"
                f" FROM batch JOIN twins USING (line) WHERE twins.file = {number}"
            )
            db.unregister("batch")
    for part in patients.parts:
        db.execute(f"DELETE FROM {part} USING twins WHERE {part}.file = twins.file AND {part}.line = twins.line")


def find_twins(db: duckdb.DuckDBPyConnection, part: str) -> None:
    """Fills `twins` with the rows of one part that share a person, by the table `names` (file, name)."""
    other = "concat('line ', other.line, CASE WHEN other.file <> r.file THEN concat(' of ', other.name) END)"
    db.execute(f"""
        INSERT INTO twins
        WITH shared AS (SELECT person FROM {part} GROUP BY person HAVING count(*) > 1),
        rows AS (
            SELECT file, line, name, person, hash({names(PATIENTS_TABLE)}) AS details
            FROM {part} SEMI JOIN shared USING (person) JOIN names USING (file)
        ),
        others AS (
            SELECT person, count(DISTINCT details) > 1 AS clash,
                list({{'file': file, 'line': line, 'name': name}} ORDER BY file, line)[:2] AS firsts
            FROM rows GROUP BY person
        ),
        r AS (
            SELECT rows.*, clash,
                CASE WHEN (rows.file, rows.line) = (firsts[1].file, firsts[1].line) THEN firsts[2] ELSE firsts[1] END
                    AS other,
                (rows.file, rows.line) = (firsts[1].file, firsts[1].line) AS is_first
            FROM rows JOIN others USING (person)
        )
        SELECT file, line, CASE
            WHEN clash THEN concat('is also on ', {other}, ' with other details: neither row is used')
            ELSE concat('is also on ', {other}, ' with the same details: that row is used, this one is not') END
        FROM r WHERE clash OR NOT is_first
    """)


def _counts(db: duckdb.DuckDBPyConnection, files: list[SourceFile]) -> Iterator[TableCount]:
    sent = dict(db.execute("SELECT file, rows FROM sent").fetchall())
    rejected = dict(db.execute("SELECT file, count(*) FROM rejected GROUP BY file").fetchall())
    for table in dict.fromkeys(file.table for file in files):
        own = [number for number, file in enumerate(files) if file.table is table]
        bad = sum(rejected.get(number, 0) for number in own)
        names = tuple(f"{files[number].stem}.csv" for number in own if number in rejected)
        yield TableCount(table.name, sum(sent[number] for number in own) - bad, bad, names)


def _file_counts(db: duckdb.DuckDBPyConnection, files: list[SourceFile]) -> Iterator[FileCount]:
    sent = dict(db.execute("SELECT file, rows FROM sent").fetchall())
    for number, file in enumerate(files):
        bad = db.execute("SELECT count(*) FROM rejected WHERE file = ?", [number]).fetchall()[0][0]
        rejected_file = f"{file.stem}.csv" if bad else ""
        reasons = most_frequent(db, number)
        yield FileCount(file.table.name, file.path.name, sent[number] - bad, bad, rejected_file, reasons)


def most_frequent(db: duckdb.DuckDBPyConnection, number: int) -> tuple[dict[str, str | int], ...]:
    """Returns the reasons for which most rows of a file were rejected, as FileCount has them."""
    found = db.execute(
        "SELECT columns, regexp_replace(reasons, 'also on line [0-9]+', 'also on another line', 'g') AS reason,"
        f" count(*), min(line) AS first FROM rejected WHERE file = ?"
        f" GROUP BY 1, 2 ORDER BY 3 DESC, first LIMIT {_REASONS}",
        [number],
    )
    return tuple(
        {"column": column, "reason": reason, "rows": rows, "first_line": first}
        for column, reason, rows, first in found.fetchall()
    )


def _too_many_bad(db: duckdb.DuckDBPyConnection, files: list[SourceFile], reject_above: float) -> list[str]:
    problems = []
    for count in _counts(db, files):
        sent = count.accepted + count.rejected
        if not count.rejected or count.rejected <= sent * reject_above:
            continue
        own = [number for number, file in enumerate(files) if file.table.name == count.table]
        worst = db.execute(
            "SELECT columns, reasons, count(*), min((file, line)) AS first FROM rejected WHERE file IN"
            f" ({', '.join(map(str, own))}) GROUP BY ALL ORDER BY 3 DESC, first LIMIT 3"
        ).fetchall()
        said = "; ".join(
            f"{' '.join(filter(None, (columns, reasons)))} ({rows:,} row{'s' * (rows > 1)},"
            f" first at {files[first[0]].path.name} line {first[1]:,})"
            for columns, reasons, rows, first in worst
        )
        problems.append(
            f"{count.table}: {count.rejected:,} of {sent:,} rows are bad, more than the {reject_above * 100:g} %"
            f" allowed. Most often: {said}."
        )
    return problems


def _write_rejected(db: duckdb.DuckDBPyConnection, files: list[SourceFile], folder: Path) -> None:
    for (number,) in db.execute("SELECT DISTINCT file FROM rejected ORDER BY file").fetchall():
        write_rejected(db, number, Source(files[number]).header, folder / f"{files[number].stem}.csv")


def write_rejected(db: duckdb.DuckDBPyConnection, number: int, header: list[str], path: Path) -> None:
    """Writes the rejected rows of one file as CSV: line, column, reason, then the row as it was sent."""
    path.parent.mkdir(exist_ok=True)
    rows = db.execute("SELECT line, columns, reasons, fields FROM rejected WHERE file = ? ORDER BY line", [number])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*REJECTED_COLUMNS, *header])
        while fetched := rows.fetchmany(_FETCH):
            writer.writerows([line, columns, reasons, *fields] for line, columns, reasons, fields in fetched)
