"""What the mappings share: the job they are given, what they hand back, and invented NHS numbers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from cohort.extracts.checks import weighted_sum
from cohort.extracts.scratch import spilling_database

#: NHS numbers 999 000 0000 to 999 999 9999: of the million identifiers these have a check digit.
INVENTED_NUMBERS = 909_091


class CannotMap(Exception):
    """The folder cannot be mapped; `problems` says why, with no data in it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


@dataclass(frozen=True)
class Job:
    """One folder to map: `practices` are the codes of those that are open, in order.

    The tables go `into` a folder of that name, which is empty. `memory_limit` is DuckDB's.
    """

    folder: Path
    into: Path
    as_at: date
    practices: list[str]
    practice_code: str
    memory_limit: str


@dataclass(frozen=True)
class UnreadableLines:
    """The lines of one kind of source file that are no rows at all: how many there were, and which."""

    name: str
    lines: int
    bad: list[tuple[str, int, str, str]]
    """File, line, reason, and the line itself."""


@dataclass(frozen=True)
class Mapped:
    """What is to be told of a mapping, and the lines that could not be read."""

    notes: list[str]
    unreadable: list[UnreadableLines] = field(default_factory=list)


@dataclass(frozen=True)
class Mapping:
    """A shape of folder: which files it reads (raises CannotMap), and what writes the tables."""

    files: Callable[[Path], list[Path]]
    write: Callable[[Job], Mapped]


def named_files(name: str, files: tuple[str, ...]) -> Callable[[Path], list[Path]]:
    """Returns what finds files that must all be there, for the mapping of that name."""

    def find(folder: Path) -> list[Path]:
        missing = [file for file in files if not (folder / file).is_file()]
        if missing:
            raise CannotMap([f"{folder} has no {', '.join(missing)}, which the mapping {name} reads."])
        return [folder / file for file in files]

    return find


@contextmanager
def csv_tables(folder: Path, names: tuple[str, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a database with one table of text a file, each row numbered (`row`)."""
    reading = ""
    try:
        with spilling_database() as db:
            for reading in names:
                db.execute(
                    f"CREATE TABLE {reading.removesuffix('.csv')} AS SELECT row_number() OVER () AS row, *"
                    " FROM read_csv($1, all_varchar=true, header=true, delim=',', quote='\"', nullstr='\\N')",
                    [str(folder / reading)],
                )
            reading = "The source"
            yield db
    except duckdb.Error as error:
        # DuckDB's own message may quote a row.
        raise CannotMap([f"{reading} is not in the shape this mapping reads ({type(error).__name__})."]) from None


@contextmanager
def scratch_database(job: Job) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a database on disk beside the tables, of bounded memory, and removes it."""
    path = job.into.parent / "mapping.duckdb"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": job.memory_limit,
        "temp_directory": str(job.into.parent / "mapping-spill"),
        "preserve_insertion_order": "false",
    }
    try:
        with duckdb.connect(str(path), config=config) as db:
            yield db
    finally:
        path.unlink(missing_ok=True)


def invent_numbers(db: duckdb.DuckDBPyConnection, people: str) -> None:
    """Makes `numbers` (patient_id, nhs_number): the nth valid number of the test range for the nth person."""
    db.execute(
        "CREATE TABLE numbers AS WITH invented AS ("
        f" SELECT row_number() OVER (ORDER BY n) - 1 AS nth, 10 * n + digit AS nhs_number FROM ("
        f" SELECT n, (11 - ({weighted_sum('(10 * n)')}) % 11) % 11 AS digit FROM range(999000000, 1000000000) t(n))"
        f" WHERE digit < 10) SELECT patient_id, nhs_number FROM ({people}) JOIN invented USING (nth)"
    )
    most = db.execute(f"SELECT max(nth) FROM ({people})").fetchall()[0][0]
    if most is not None and most >= INVENTED_NUMBERS:
        raise CannotMap([f"The highest patient id is {most:,}; there are {INVENTED_NUMBERS:,} invented numbers."])


def write_csv(db: duckdb.DuckDBPyConnection, path: Path, sql: str, *, leave_out: str = "") -> None:
    """Writes the rows of a query, in their order."""
    columns = f"* EXCLUDE ({leave_out})" if leave_out else "*"
    db.execute(f"COPY (SELECT {columns} FROM ({sql})) TO '{quoted(str(path))}' (FORMAT csv, HEADER)")


def write_parquet(db: duckdb.DuckDBPyConnection, path: Path, sql: str) -> int:
    """Writes the rows of a query if there are any; returns how many."""
    rows: int = db.execute(f"COPY ({sql}) TO '{quoted(str(path))}' (FORMAT parquet)").fetchall()[0][0]
    if not rows:
        path.unlink()
    return rows


def quoted(text: str) -> str:
    """Returns text as it stands between the quotes of a SQL literal."""
    return text.replace("'", "''")
