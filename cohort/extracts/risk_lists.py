"""Reading a population risk model's list: every line is a person and what the model says, or is told as an error.

Columns: `nhs_number`, `model`, `version`, `date`, and `flag` (yes/no) or `score` (a number). One file
is one list: of one model and version.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from cohort.extracts.checks import date_problem, nhs_number_problem
from cohort.extracts.reading import BadLine, Source, SourceFile, Unreadable
from cohort.extracts.schema import Table
from cohort.extracts.scratch import spilling_database

NEEDED = ("nhs_number", "model", "version", "date")
LONGEST = {"model": 100, "version": 50}
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")


class UnusableList(Exception):
    """Nothing of the file can be used; the message says why, with no data in it."""


@dataclass(frozen=True)
class LineError:
    """What is wrong with a line, by column; the line of the file on which the row begins."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True)
class ReadList:
    """A list as read: `flagged` are the NHS numbers that count, each once, as a column of 64-bit integers."""

    model: str
    version: str
    as_at: date
    rows: int
    flagged: pa.Array
    not_flagged: int
    errors: tuple[LineError, ...]


def read_list(path: Path, *, on: date, threshold: float | None) -> ReadList:
    """Reads a list that is not dated after `on`. Of a list of scores those of `threshold` or more count.

    Raises UnusableList for a file that is not such a CSV, or whose every line is in error.
    """
    try:
        with spilling_database() as db:
            errors = _stage(db, path, on, threshold)
            return _summary(db, errors)
    except Unreadable as error:
        raise UnusableList(str(error)) from error


def _stage(db: duckdb.DuckDBPyConnection, path: Path, on: date, threshold: float | None) -> list[LineError]:
    source = Source(SourceFile(path, Table("risk list", "", ())))
    header = [name.strip().lower() for name in source.header]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise UnusableList(f"Columns missing: {', '.join(missing)}. The first line must name them.")
    if ("flag" in header) == ("score" in header):
        raise UnusableList("There must be a column flag or a column score, and not both.")
    if "score" in header and threshold is None:
        raise UnusableList("The list has scores: say the lowest score that counts.")
    if "flag" in header and threshold is not None:
        raise UnusableList("The list has flags and no scores: leave the lowest score empty.")
    said = "score" if "score" in header else "flag"
    columns = ", ".join(
        f"trim(c{header.index(name)}) AS {'said' if name == said else name}" for name in (*NEEDED, said)
    )
    db.execute(
        "CREATE TABLE lines (line BIGINT, person BIGINT, model VARCHAR, version VARCHAR, day DATE, counts BOOLEAN,"
        " p_nhs_number VARCHAR, p_model VARCHAR, p_version VARCHAR, p_date VARCHAR, p_said VARCHAR)"
    )
    errors: list[LineError] = []
    for batch in source.batches():
        db.register("batch", batch.rows)
        db.execute(f"INSERT INTO lines {_checked(columns, said, on)}", [threshold] if said == "score" else [])
        db.unregister("batch")
        errors += [_broken(line) for line in batch.bad]
    db.execute(
        "CREATE TABLE usual AS SELECT model, version FROM lines WHERE p_model IS NULL AND p_version IS NULL"
        " GROUP BY ALL ORDER BY count(*) DESC, min(line) LIMIT 1"
    )
    db.execute(
        "UPDATE lines SET p_model = 'is not the model and version of the other lines; send one list in each file'"
        " WHERE p_model IS NULL AND p_version IS NULL AND (model, version) NOT IN (SELECT (model, version) FROM usual)"
    )
    db.execute(
        "UPDATE lines SET p_nhs_number = concat('is also on line ', first, ' with another answer')"
        " FROM (SELECT person, min(line) AS first FROM lines WHERE p_nhs_number IS NULL GROUP BY person"
        "  HAVING count(DISTINCT counts) > 1) twice"
        " WHERE twice.person = lines.person AND line <> first AND p_nhs_number IS NULL"
    )
    names = {"nhs_number": "nhs_number", "model": "model", "version": "version", "date": "date", "said": said}
    for key, name in names.items():
        errors += [
            LineError(line, name, reason)
            for line, reason in db.execute(f"SELECT line, p_{key} FROM lines WHERE p_{key} IS NOT NULL").fetchall()
        ]
    return errors


def _checked(columns: str, said: str, on: date) -> str:
    if said == "score":
        counts = "TRY_CAST(said AS DOUBLE) >= $1"
        problem = (
            "CASE WHEN said = '' THEN 'is missing' WHEN TRY_CAST(said AS DOUBLE) IS NULL"
            " OR NOT isfinite(TRY_CAST(said AS DOUBLE)) THEN 'is not a number' END"
        )
    else:
        counts = f"lower(said) IN {_TRUE}"
        problem = (
            f"CASE WHEN said = '' THEN 'is missing' WHEN lower(said) NOT IN {(*_TRUE, *_FALSE)}"
            " THEN 'is not yes or no' END"
        )
    texts = ", ".join(
        f"CASE WHEN {name} = '' THEN 'is missing' WHEN length({name}) > {longest}"
        f" THEN 'is longer than {longest} characters' END"
        for name, longest in LONGEST.items()
    )
    day = date_problem('"date"', "day", as_at=on, filled=True).replace("the extract date", "today,")
    return (
        f"SELECT line, number, model, version, day, {counts}, {nhs_number_problem('digits', 'number')}, {texts},"
        f" {day}, {problem} FROM (SELECT *, replace(nhs_number, ' ', '') AS digits,"
        ' TRY_CAST(digits AS BIGINT) AS number, TRY_CAST("date" AS DATE) AS day'
        f" FROM (SELECT line, {columns} FROM batch))"
    )


def _broken(line: BadLine) -> LineError:
    return LineError(line.line, line.column, line.reason)


def _summary(db: duckdb.DuckDBPyConnection, errors: list[LineError]) -> ReadList:
    db.execute(
        "CREATE TABLE good AS FROM lines WHERE coalesce(p_nhs_number, p_model, p_version, p_date, p_said) IS NULL"
    )
    row = db.execute("SELECT any_value(model), any_value(version), max(day), count(*) FROM good").fetchone()
    errors.sort(key=lambda error: (error.line, error.column))
    if not row or not row[3]:
        first = errors[0] if errors else None
        why = f" Line {first.line}: {first.column} {first.reason}." if first else ""
        raise UnusableList(f"No line can be used.{why}")
    flagged = db.execute("SELECT DISTINCT person FROM good WHERE counts ORDER BY person").to_arrow_table()
    not_flagged = db.execute("SELECT count(DISTINCT person) FROM good WHERE NOT counts").fetchall()[0][0]
    rows = row[3] + len({error.line for error in errors})
    return ReadList(row[0], row[1], row[2], rows, flagged["person"].combine_chunks(), not_flagged, tuple(errors))
