"""The central search on one machine: all criteria over the extract store's Parquet, in DuckDB.

Results are written to a folder beside `out` and renamed at the end, so that `out` is whole or absent.
"""

import contextlib
import glob
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cohort.search import compile as compiler
from cohort.search.criteria import CodeSet, Criterion, check_code_lists

_POLL_SECONDS = 0.5
_TEXT = pa.string()
_RECORDS = {
    "person": pa.int64(),
    "system": _TEXT,
    "code": _TEXT,
    "date": pa.date32(),
    "source": _TEXT,
    "episode": _TEXT,
}
_CODES = {"list_id": pa.int64(), "system": _TEXT, "code": _TEXT, "alone": pa.bool_()}
_PAIRS = {"list_id": pa.int64(), "system": _TEXT, "code": _TEXT, "paired_code": _TEXT}

Progress = Callable[[int, str], None]


class NoPatients(ValueError):
    """A search was asked for without any file of patients, which gives everybody's age and practice."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found. `people_flagged` are those of the high tier; `counts` are people by criterion slug.

    `people_without_demographics` have records that the criteria look at but no row in any file of
    patients: they cannot be flagged.
    """

    people_searched: int
    people_flagged: int
    people_without_demographics: int
    counts: dict[str, int]


def run_search(
    *,
    criteria: Sequence[Criterion],
    code_sets: Mapping[str, CodeSet],
    patients: Sequence[Path],
    records: Sequence[Path],
    search_date: date,
    out: Path,
    progress: Progress,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> SearchResult:
    """Searches everybody for every criterion and writes what it finds to the folder `out`.

    `patients` are given newest first: of a person in several, the first counts. Records dated after
    the search date count for nothing. Written are `flags.parquet` (person, criterion) and
    `evidence.parquet` (person, criterion, clause, system, code, event_date, source, detail,
    code_list) of the high tier, `counts.parquet` (criterion, practice_code, people) of both tiers,
    and `people.parquet` (the columns of patients) of the flagged. The same inputs give the same rows
    in the same order. `out` is replaced if it is there. `progress` is called in this thread with a
    percentage and what is being done; an exception from it stops the search and is raised.

    Raises NoPatients, UnknownCodeList, and ValueError where two criteria share a slug or there are none.
    """
    slugs = [criterion.slug for criterion in criteria]
    if not slugs or len(set(slugs)) < len(slugs):
        raise ValueError("a search needs criteria, each with a slug of its own")
    if not patients:
        raise NoPatients("a search needs at least one file of patients")
    for criterion in criteria:
        check_code_lists(criterion, code_sets)
    plan = compiler.Plan(criteria, code_sets, search_date)
    with _folder(out) as folder, _duckdb(folder, memory_limit, threads) as engine:
        return _Search(plan, engine, folder, progress).run(patients, records)


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """Gives a folder that becomes `out` if all goes well, and is removed if not."""
    out.parent.mkdir(parents=True, exist_ok=True)
    for left_behind in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        shutil.rmtree(left_behind, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    try:
        yield folder
        for each in [*folder.iterdir(), folder]:
            descriptor = os.open(each, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _duckdb(folder: Path, memory_limit: str | None, threads: int | None) -> Iterator[Any]:
    spill = folder / "spill"
    settings: dict[str, Any] = {"temp_directory": str(spill)}
    if memory_limit:
        settings["memory_limit"] = memory_limit
    if threads:
        settings["threads"] = threads
    engine = ibis.duckdb.connect(**settings)
    try:
        engine.con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        yield engine
    finally:
        engine.disconnect()
        shutil.rmtree(spill, ignore_errors=True)


class _Search:
    """One search in one DuckDB."""

    def __init__(self, plan: compiler.Plan, engine: Any, folder: Path, progress: Progress) -> None:
        self.plan = plan
        self.engine = engine
        self.folder = folder
        self.progress = progress
        self.percent = 0
        self.told = 0

    def run(self, patients: Sequence[Path], records: Sequence[Path]) -> SearchResult:
        plan = self.plan
        self.progress(0, "Opening the extracts")
        rows = self._records(records)
        everybody = [self.engine.read_parquet(path, table_name=f"patients_{n}") for n, path in enumerate(patients)]
        known = compiler.first_wins([each.select("person", "practice_code", "sex", "birth_date") for each in everybody])
        codes = self._given("codes", _CODES, plan.code_rows())
        pairs = None
        if pair_rows := plan.pair_rows():
            literals = self._given("pair_codes", _PAIRS, pair_rows)
            pairs = self._table("pairs", compiler.paired(rows, literals, plan), 5, "Looking for pairs of codes")
        measures = compiler.measured(compiler.matched(rows, codes, pairs, plan), plan)
        measures = self._table("measures", measures, 55, "Reading everybody's records")
        met = self._table("met", compiler.met(known, measures, plan), 70, "Applying the criteria")
        flagged = self._table("met_high", compiler.met_high(met, plan), 72, "Applying the criteria")
        self._write("flags", compiler.flags(flagged, plan), 75)
        self._write("counts", compiler.counts(met, plan), 77)
        full = compiler.first_wins([each.semi_join(flagged, "person") for each in everybody])
        self._write("people", full.order_by("person"), 82)
        held = compiler.matched(rows, codes, pairs, plan, plan.high_lists()).join(flagged, "person")
        held = self._table("held", held, 92, "Collecting the evidence")
        self._write("evidence", compiler.evidence(flagged, held, plan), 99)
        result = self._result(known, measures, met, flagged)
        self.progress(100, "Done")
        return result

    def _result(self, known: ir.Table, measures: ir.Table, met: ir.Table, flagged: ir.Table) -> SearchResult:
        totals = met.aggregate(**{f"c{n}": met[f"c{n}"].sum().fill_null(0) for n in range(len(self.plan.criteria))})
        found = self._execute(self.engine.compile(totals), 99, "Counting people").fetchone()
        return SearchResult(
            people_searched=self._count(known),
            people_flagged=self._count(flagged),
            people_without_demographics=self._count(measures.anti_join(known, "person")),
            counts={criterion.slug: int(people) for criterion, people in zip(self.plan.criteria, found, strict=True)},
        )

    def _records(self, paths: Sequence[Path]) -> ir.Table:
        if paths:
            return self.engine.read_parquet([str(path) for path in paths], table_name="records")
        return self._given("records", _RECORDS, [])

    def _given(self, name: str, columns: dict[str, pa.DataType], rows: Sequence[tuple[Any, ...]]) -> ir.Table:
        table = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=pa.schema(columns))
        # Not Backend.create_table: Ibis 12 writes an INSERT that DuckDB refuses with this sqlglot.
        self.engine.con.register(f"{name}_given", table)
        self.engine.con.execute(f'CREATE TEMPORARY TABLE "{name}" AS FROM "{name}_given"')
        self.engine.con.unregister(f"{name}_given")
        return self.engine.table(name)

    def _table(self, name: str, expression: ir.Table, percent: int, doing: str) -> ir.Table:
        self._execute(f'CREATE TEMPORARY TABLE "{name}" AS {self.engine.compile(expression)}', percent, doing)
        return self.engine.table(name)

    def _write(self, name: str, expression: ir.Table, percent: int) -> None:
        path = str(self.folder / f"{name}.parquet").replace("'", "''")
        sql = f"COPY ({self.engine.compile(expression)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        self._execute(sql, percent, f"Writing the {name}")

    def _count(self, expression: ir.Table) -> int:
        sql = self.engine.compile(expression.aggregate(n=expression.count()))
        return int(self._execute(sql, 99, "Counting people").fetchone()[0])

    def _execute(self, sql: str, percent: int, doing: str) -> Any:
        """Runs a statement in a thread, telling how far it is, from where the last ended up to `percent`."""
        connection = self.engine.con
        failure: list[BaseException] = []

        def work() -> None:
            try:
                connection.execute(sql)
            except BaseException as error:
                failure.append(error)

        self._tell(self.percent, doing)
        worker = threading.Thread(target=work, name="search")
        worker.start()
        try:
            while worker.is_alive():
                worker.join(_POLL_SECONDS)
                share = max(connection.query_progress(), 0) / 100 if worker.is_alive() else 1
                self._tell(self.percent + int((percent - self.percent) * share), doing)
        except BaseException:
            while worker.is_alive():
                connection.interrupt()
                worker.join(_POLL_SECONDS)
            raise
        if failure:
            raise failure[0]
        self.percent = percent
        return connection

    def _tell(self, percent: int, doing: str) -> None:
        # DuckDB's own estimate of a statement may fall back.
        self.told = max(self.told, percent)
        self.progress(self.told, doing)
