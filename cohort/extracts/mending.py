"""Rejected rows that come back mended: the extract's good rows and these make a new extract.

The supplier's own files are not needed. A row is known by the line it was rejected from, which is in
the first column of the file given back, so that nothing is added twice and what did not come back
stays rejected. Knows nothing of PostgreSQL.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from cohort.extracts import changes, store
from cohort.extracts.changes import copy, parquet
from cohort.extracts.checks import PATIENTS_TABLE, RECORDS_TABLE, checks, names
from cohort.extracts.loading import TablesRefused, find_twins, most_frequent, prepare, write_rejected
from cohort.extracts.reading import BadLine, Source, SourceFile
from cohort.extracts.schema import PATIENTS, REJECTED_COLUMNS, Table
from cohort.extracts.scratch import PATIENTS_ROW_GROUP, RECORDS_ROW_GROUP, Sharded, database

_OWN = len(REJECTED_COLUMNS)
_TOLD = 5


@dataclass(frozen=True)
class Mended:
    """What became of the rows sent back. `rejected` are all that are rejected now, those not sent back included."""

    accepted: int
    sent: int
    rejected: int
    reasons: tuple[dict[str, str | int], ...]


def mend(
    *,
    old: Path,
    name: str,
    table: Table,
    upload: Path,
    made: Path,
    scratch: Path,
    as_at: date,
    practices: Iterable[tuple[str, date | None]],
    memory_limit: str,
    tell: Callable[[str], None],
) -> Mended:
    """Fills the folder `made` with the extract in `old` and the good rows of `upload`.

    `upload` is `old/rejected/<name>`, mended; it may have fewer rows, not more. Files that stay as
    they are become hard links. Raises TablesRefused where it is not that file or none of its rows is
    good, and Unreadable.
    """
    given = Source(SourceFile(old / store.REJECTED / name, table), keep_rejection=True)
    sent = Source(SourceFile(upload, table), keep_rejection=True)
    header = given.header[_OWN:]
    if not sent.is_rejected:
        raise TablesRefused(
            [f"The first columns must be {', '.join(REJECTED_COLUMNS)}, as in the file you downloaded."]
        )
    if sent.header != given.header:
        raise TablesRefused(["The columns are not those of the file you downloaded, or not in that order."])
    with database(scratch, memory_limit) as db:
        prepare(db, practices)
        tell("Checking the mended rows")
        _take(db, given, "held")
        _take(db, sent, "back")
        if problems := _unknown_lines(db, name):
            raise TablesRefused(problems)
        shards = max(len(store.shard_paths(old, each)) for each in ("patients", "records"))
        good = _check(db, table, [column.strip().lower() for column in header], name, old, shards, as_at)
        rows = db.execute("SELECT count(*) FROM back").fetchall()[0][0]
        accepted = sum(db.execute(f"SELECT count(*) FROM {part}").fetchall()[0][0] for part in good.parts)
        if not accepted:
            raise TablesRefused([f"None of the {rows:,} rows can be used.", *_why(db)])
        db.execute(
            "INSERT INTO rejected SELECT 0, line, fields[2], fields[3], fields[4:]"
            " FROM held ANTI JOIN back USING (line)"
        )
        tell("Writing the new extract")
        _write(db, good, "patients" if table is PATIENTS else "records", old, made)
        changes.write_fingerprints(db, made)
        changes.write_changed(db, made, old)
        rejected = db.execute("SELECT count(*) FROM rejected").fetchall()[0][0]
        for path in sorted((old / store.REJECTED).glob("*.csv")):
            (made / store.REJECTED).mkdir(exist_ok=True)
            if path.name != name:
                os.link(path, made / store.REJECTED / path.name)
        if rejected:
            write_rejected(db, 0, header, made / store.REJECTED / name)
        return Mended(accepted, rows, rejected, most_frequent(db, 0))


def _take(db: duckdb.DuckDBPyConnection, source: Source, into: str) -> None:
    """Makes a table of all there is in a file of rejected rows: `line`, NULL where it is no number, and `fields`."""
    db.execute(f"CREATE TABLE {into} (line BIGINT, place BIGINT, is_row BOOLEAN, reason VARCHAR, fields VARCHAR[])")
    every = ", ".join(f"c{index}" for index in range(len(source.header)))
    for batch in source.batches():
        db.register("piece", batch.rows)
        db.execute(f"INSERT INTO {into} SELECT TRY_CAST(c0 AS BIGINT), line, true, '', [{every}] FROM piece")
        db.unregister("piece")
        if batch.bad:
            bad = pa.table(
                {
                    "line": pa.array([_line(line) for line in batch.bad], pa.int64()),
                    "place": pa.array([line.line for line in batch.bad], pa.int64()),
                    "is_row": pa.array([False] * len(batch.bad)),
                    "reason": pa.array([line.reason for line in batch.bad], pa.string()),
                    "fields": pa.array([line.fields for line in batch.bad], pa.list_(pa.string())),
                }
            )
            db.register("piece", bad)
            db.execute(f"INSERT INTO {into} FROM piece")
            db.unregister("piece")


def _line(line: BadLine) -> int | None:
    first = line.fields[0].partition(",")[0] if line.fields else ""
    return int(first) if first.isascii() and first.isdigit() and len(first) < 19 else None


def _unknown_lines(db: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Says which rows were not among the rejected, or came back twice. The first few are named."""
    unknown = db.execute(f"SELECT place FROM back ANTI JOIN held USING (line) ORDER BY place LIMIT {_TOLD}").fetchall()
    twice = db.execute(
        f"SELECT line FROM back GROUP BY line HAVING count(*) > 1 ORDER BY line LIMIT {_TOLD}"
    ).fetchall()
    problems = [
        f"Line {at:,} of the file you sent: its first column is not the line of a row of {name} that is rejected now."
        for (at,) in unknown
    ]
    return problems + [
        f"The row that begins with line {line:,} is there twice." for (line,) in twice if line is not None
    ]


def _check(
    db: duckdb.DuckDBPyConnection, table: Table, header: list[str], name: str, old: Path, shards: int, as_at: date
) -> Sharded:
    """Returns the good rows; the bad ones are in `rejected` with the line they had in the supplier's file."""
    is_patients = table is PATIENTS
    columns = f"line BIGINT, {PATIENTS_TABLE}" if is_patients else RECORDS_TABLE
    good = Sharded(db, "good", f"file INTEGER, {columns}" if is_patients else columns, shards)
    fields = ", ".join(f"fields[{_OWN + 1 + index}] AS c{index}" for index in range(len(header)))
    db.execute(f"CREATE VIEW batch AS SELECT line, {fields} FROM back WHERE is_row")
    db.execute("INSERT INTO rejected SELECT 0, line, '', reason, fields[4:] FROM back WHERE NOT is_row")
    sql = checks(table, header, as_at=as_at)
    good.insert(f"SELECT {'0, *' if is_patients else '* EXCLUDE (line)'} FROM ({sql.accepted})")
    good.divide()
    db.execute(f"INSERT INTO rejected SELECT 0, line, columns, reasons, fields FROM ({sql.rejected})")
    if is_patients:
        db.register("names", pa.table({"file": [0], "name": [name]}))
        for shard, part in enumerate(good.parts):
            find_twins(db, part)
            _find_accepted(db, part, store.shard_paths(old, "patients")[shard : shard + 1])
        db.execute(
            "INSERT INTO rejected SELECT 0, line, 'nhs_number', string_agg(twins.reason, '; '), any_value(fields[4:])"
            " FROM back JOIN twins USING (line) GROUP BY line"
        )
        for part in good.parts:
            db.execute(f"DELETE FROM {part} WHERE line IN (SELECT line FROM twins)")
    return good


def _find_accepted(db: duckdb.DuckDBPyConnection, part: str, accepted: list[Path]) -> None:
    """Adds to `twins` who is in the extract already: that row was searched and stays."""
    if not accepted:
        return
    columns = names(PATIENTS_TABLE).split(", ")
    same = " AND ".join(f"{part}.{column} IS NOT DISTINCT FROM old.{column}" for column in columns)
    db.execute(
        f"INSERT INTO twins SELECT file, line, CASE WHEN {same}"
        " THEN 'is already accepted with the same details: that row is used, this one is not'"
        " ELSE 'is already accepted with other details: that row stays, this one is not used' END"
        f" FROM {part} JOIN {parquet(accepted)} AS old USING (person)"
    )


def _why(db: duckdb.DuckDBPyConnection) -> list[str]:
    return [
        f"{' '.join(filter(None, (str(reason['column']), str(reason['reason']))))}: {reason['rows']:,} rows,"
        f" first the one of line {reason['first_line']:,}."
        for reason in most_frequent(db, 0)[:_TOLD]
    ]


def _write(db: duckdb.DuckDBPyConnection, good: Sharded, kind: str, old: Path, made: Path) -> None:
    made.mkdir()
    for path in store.shard_paths(old, "records" if kind == "patients" else "patients"):
        os.link(path, made / path.name)
    is_patients = kind == "patients"
    stored = names(PATIENTS_TABLE if is_patients else RECORDS_TABLE)
    order = "person" if is_patients else "system, code, person, date"
    for shard, part in enumerate(good.parts):
        path = made / store.shard_name(kind, shard, len(good.parts))
        before = old / path.name
        is_there = before.exists()
        if is_there and not db.execute(f"SELECT 1 FROM {part} LIMIT 1").fetchall():
            os.link(before, path)
            continue
        union = f"SELECT {stored} FROM {part}" + (
            f" UNION ALL SELECT {stored} FROM {parquet([before])}" if is_there else ""
        )
        row_group = PATIENTS_ROW_GROUP if is_patients else RECORDS_ROW_GROUP
        copy(db, f"FROM ({union}) ORDER BY {order}", path, row_group)
