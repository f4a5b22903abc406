"""DuckDB as an engine of the search: runs a compiled program over files, a thread at work and another that tells.

The one place that knows DuckDB's own SQL.
"""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt

from cohort.search.compile import PATIENTS, RECORDS, Program, Step
from cohort.search.given import Given
from cohort.search.shards import File, Shard
from cohort.search.verdicts import Bits, Verdicts

_POLL_SECONDS = 0.5


class Duck:
    """One DuckDB. `told` is called while a statement runs with the share of it that is done, 0 to 1.

    An exception from `told` interrupts the statement and is raised.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.connection = backend.con
        self._compiled: dict[int, tuple[Any, str]] = {}

    def execute(self, sql: str, told: Callable[[float], None] | None = None) -> Any:
        """Runs a statement and returns the connection, whose result can be fetched."""
        if told is None:
            return self.connection.execute(sql)
        failure: list[BaseException] = []

        def work() -> None:
            try:
                self.connection.execute(sql)
            except BaseException as error:
                failure.append(error)

        worker = threading.Thread(target=work, name="search")
        worker.start()
        try:
            while worker.is_alive():
                worker.join(_POLL_SECONDS)
                if worker.is_alive():
                    told(max(self.connection.query_progress(), 0) / 100)
        except BaseException:
            while worker.is_alive():
                self.connection.interrupt()
                worker.join(_POLL_SECONDS)
            raise
        if failure:
            raise failure[0]
        told(1)
        return self.connection

    def give(self, given: Given) -> None:
        """Makes a small table of rows."""
        # Not Backend.create_table: Ibis 12 writes an INSERT that DuckDB refuses with this sqlglot. Not Arrow either,
        # nor parameters: both import pandas, which takes as long as a small search.
        columns = list(zip(*given.rows, strict=True)) or [()] * len(given.schema)
        lists = ", ".join(
            f'unnest([{", ".join(map(_literal, column))}]::{_TYPES[str(kind)]}[]) AS "{name}"'
            for column, (name, kind) in zip(columns, given.schema.items(), strict=True)
        )
        self.connection.execute(f'CREATE OR REPLACE TEMPORARY TABLE "{given.name}" AS SELECT {lists}')

    def keep(self, step: Step, told: Callable[[float], None] | None = None) -> None:
        """Makes the table of a step."""
        self.execute(f'CREATE OR REPLACE TEMPORARY TABLE "{step.name}" AS {self.sql(step.expression)}', told)

    def write(self, path: Path, sql: str) -> None:
        """Writes what a query gives to a Parquet file.

        Of version 2, which keeps numbers in order by their differences: read in two thirds of the time. By LZ4, which
        takes a sixth more room than zstd, and an eighth less time of an incremental search.
        """
        how = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION lz4_raw"
        self.execute(f"COPY ({sql}) TO '{_quoted(str(path))}' ({how})")

    def sql(self, expression: Any) -> str:
        """Returns an expression as DuckDB's SQL; compiled once, however often it is run."""
        # The expression is kept with its text, so that its id is not given to another.
        if id(expression) not in self._compiled:
            self._compiled[id(expression)] = (expression, self._backend.compile(expression))
        return self._compiled[id(expression)][1]

    def read(self, shard: Shard, codes: Iterable[str]) -> None:
        """Makes the views `records`, of these codes alone, and `patients` of a program over the files of a shard."""
        self.execute(f"CREATE OR REPLACE TEMPORARY VIEW records AS {listed(shard.records, shard, codes)}")
        self.execute(f"CREATE OR REPLACE TEMPORARY VIEW patients AS {first_of_each(shard.patients, shard, PATIENTS)}")

    def profiles(self, program: Program, sql: str) -> tuple[Bits, npt.NDArray[np.int64]]:
        """Returns the profiles that a query gives, a row of words each, and how many people have each."""
        found = self.execute(sql).fetchnumpy()
        bits = np.stack([np.asarray(found[word], dtype=np.int64) for word in program.words], axis=1)
        return bits, np.asarray(found["people"], dtype=np.int64)

    def judge(self, program: Program, bits: Bits) -> Verdicts:
        """Works out the verdicts of profiles and makes the tables that the steps after it read."""
        verdicts = Verdicts(program.plan, bits)
        for table in program.judged(verdicts):
            self.give(table)
        return verdicts


#: Codes are looked up in a list, which DuckDB does once for each different code of a block, while it reads. Fewer than
#: so many are told with IN besides, which lets it skip the blocks of sorted files without them, but costs a join.
_MANY_CODES = 50

_TYPES = {
    "boolean": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "date": "DATE",
}


@contextlib.contextmanager
def opened(spill: Path, memory_limit: str | None = None, threads: int | None = None) -> Iterator[Duck]:
    """Opens a DuckDB in memory that spills to a folder."""
    settings: dict[str, Any] = {"temp_directory": str(spill)}
    if memory_limit:
        settings["memory_limit"] = memory_limit
    if threads:
        settings["threads"] = threads
    backend = ibis.duckdb.connect(**settings)
    try:
        backend.con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        backend.con.execute("SET preserve_insertion_order = false")
        # What a join tells a scan would be looked at before the codes are, row by row.
        backend.con.execute("SET disabled_optimizers = 'join_filter_pushdown'")
        yield Duck(backend)
    finally:
        backend.disconnect()


def files(given: Sequence[File], shard: Shard, columns: str = "*") -> str:
    """Returns a query over files, of the people of a shard alone."""
    whole = [str(file.path) for file in given if not file.picks]
    mixed = [str(file.path) for file in given if file.picks]
    parts = []
    if whole:
        parts.append(f"SELECT {columns} FROM read_parquet({path_list(whole)})")
    if mixed:
        parts.append(
            f"SELECT {columns} FROM read_parquet({path_list(mixed)}) WHERE person % {shard.count} = {shard.number}"
        )
    return " UNION ALL ".join(parts)


def listed(given: Sequence[File], shard: Shard, codes: Iterable[str]) -> str:
    """Returns a query for the columns of RECORDS over files of records, of these codes and a shard's people alone."""
    all_codes = literals(sorted(set(codes)))
    if not all_codes or not given:
        columns = ", ".join(f"NULL::{_TYPES[str(kind)]} AS {name}" for name, kind in RECORDS.items())
        return f"SELECT {columns} WHERE false"
    joined = ", ".join(all_codes)
    is_listed = f"list_contains([{joined}], code)"
    if len(all_codes) < _MANY_CODES:
        is_listed += f" AND code IN ({joined})"
    columns = ", ".join(name for name in RECORDS if name != "slot")
    parts = []
    for (slot, picks), several in itertools.groupby(given, key=lambda file: (file.slot, file.picks)):
        paths = path_list(str(file.path) for file in several)
        own = f" AND person % {shard.count} = {shard.number}" if picks else ""
        parts.append(f"SELECT {columns}, {slot}::TINYINT AS slot FROM read_parquet({paths}) WHERE {is_listed}{own}")
    return " UNION ALL ".join(parts)


def first_of_each(given: Sequence[File], shard: Shard, columns: Iterable[str]) -> str:
    """Returns a query that gives each person once, from the first folder that has them."""
    names = ", ".join(columns)
    folders = [list(several) for _, several in itertools.groupby(given, key=lambda file: file.path.parent)]
    parts = []
    for n, several in enumerate(folders):
        query = files(several, shard, names)
        earlier = " UNION ALL ".join(files(others, shard, "person") for others in folders[:n])
        parts.append(f"SELECT * FROM ({query}) ANTI JOIN ({earlier}) USING (person)" if earlier else query)
    return " UNION ALL ".join(parts)


def listed_people(given: Sequence[File], shard: Shard, people: Iterable[int]) -> str:
    """Returns a query for the rows of these people, each once; blocks of files that have none of them are skipped."""
    listed = ", ".join(map(str, sorted(people)))
    return f"SELECT * FROM ({first_of_each(given, shard, ['*'])}) WHERE person IN ({listed})"


def path_list(paths: Iterable[str]) -> str:
    """Returns paths as a list in SQL."""
    return "[" + ", ".join(f"'{_quoted(path)}'" for path in paths) + "]"


def literals(texts: Iterable[str]) -> list[str]:
    """Returns texts in SQL."""
    return [f"'{_quoted(text)}'" for text in texts]


def _literal(value: Any) -> str:
    """Returns a value of a given table in SQL."""
    return "NULL" if value is None else f"'{_quoted(str(value))}'"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
