"""The scratch database a load works in: checked rows, divided by person, on their way to Parquet.

It lies on disk and DuckDB spills what does not fit, so that memory stays bounded whatever is loaded.
Rows are gathered first and handed to their shards many at a time: a few rows at a time would leave
each shard's table in crumbs.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from cohort.extracts import store
from cohort.extracts.changes import copy
from cohort.extracts.checks import PATIENTS_TABLE, names

#: Rows a row group: the search skips by code, and a look-up of one person reads one group.
RECORDS_ROW_GROUP = 122_880
PATIENTS_ROW_GROUP = 20_480
_GATHERED_ROWS = 6_000_000


@contextmanager
def database(scratch: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Gives a database in the folder `scratch` that holds no more in memory than `memory_limit`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(str(scratch / "scratch.duckdb"), config=config) as db:
        yield db


@contextmanager
def small_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Gives a database in memory for a few rows. It writes nothing to disk: better that it fails."""
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": ""}) as db:
        yield db


@contextmanager
def spilling_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Gives a database in memory that spills to a folder nobody else can read, removed afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(config={"temp_directory": folder}) as db,
    ):
        yield db


class Sharded:
    """A table in as many parts as the store has shards: `<name>_0`, `<name>_1`, ...; a person is in one."""

    def __init__(self, db: duckdb.DuckDBPyConnection, name: str, columns: str, shards: int) -> None:
        self.db = db
        self.parts = [f"{name}_{shard}" for shard in range(shards)]
        self._columns = columns
        self._gathered = f"{name}_gathered" if shards > 1 else self.parts[0]
        self._waiting = 0
        for table in {self._gathered, *self.parts}:
            db.execute(f"CREATE TABLE {table} ({columns})")

    def insert(self, select: str) -> int:
        """Takes in the rows of a query; returns how many."""
        rows = int(self.db.execute(f"INSERT INTO {self._gathered} {select}").fetchall()[0][0])
        self._waiting += rows
        if self._waiting >= _GATHERED_ROWS:
            self.divide()
        return rows

    def divide(self) -> None:
        """Hands what was gathered to the parts. To be called before they are read."""
        if len(self.parts) > 1 and self._waiting:
            for shard, part in enumerate(self.parts):
                self.db.execute(f"INSERT INTO {part} FROM {self._gathered} WHERE person % {len(self.parts)} = {shard}")
            self.db.execute(f"DROP TABLE {self._gathered}")
            self.db.execute(f"CREATE TABLE {self._gathered} ({self._columns})")
        self._waiting = 0

    def is_empty(self) -> bool:
        """Says whether no part has a row."""
        return not any(self.db.execute(f"SELECT 1 FROM {part} LIMIT 1").fetchall() for part in self.parts)


def write_shards(db: duckdb.DuckDBPyConnection, patients: Sharded, records: Sharded, made: Path) -> None:
    """Writes each table's parts, sorted, into the folder `made`, and drops them one by one.

    A table without a row has no files; else there is a file for every shard.
    """
    shards = len(records.parts)
    made.mkdir()
    if not patients.is_empty():
        for shard, part in enumerate(patients.parts):
            path = made / store.shard_name("patients", shard, shards)
            copy(db, f"SELECT {names(PATIENTS_TABLE)} FROM {part} ORDER BY person", path, PATIENTS_ROW_GROUP)
            db.execute(f"DROP TABLE {part}")
    if not records.is_empty():
        everything = " UNION ALL ".join(f"SELECT DISTINCT code FROM {part}" for part in records.parts)
        # Sorting by numbers in place of words takes less than half the time.
        db.execute(
            f"CREATE TYPE codes AS ENUM (SELECT code FROM (SELECT DISTINCT code FROM ({everything})) ORDER BY 1)"
        )
        for shard, part in enumerate(records.parts):
            path = made / store.shard_name("records", shard, shards)
            select = f"SELECT * REPLACE (code::codes AS code) FROM {part} ORDER BY system, code::codes, person, date"
            copy(db, select, path, RECORDS_ROW_GROUP)
            db.execute(f"DROP TABLE {part}")
