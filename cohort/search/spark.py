"""The central search on a Spark cluster: the same program over the same Parquet.

Spark reads everybody's rows and does the steps. The verdicts of the few thousand profiles are worked out here, and
DuckDB here adds up Spark's tallies and writes the results with the queries that it has for its own.
"""

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.pyspark.datatypes import PySparkSchema

from cohort.search.compile import PATIENTS, RECORDS, Program, first_wins
from cohort.search.criteria import CodeSet, Criterion
from cohort.search.duck import Duck, opened, path_list
from cohort.search.engine import (
    EVIDENCE,
    FLAGS,
    NoPatients,
    Progress,
    SearchResult,
    finish,
    plan_of,
    unfinished,
)
from cohort.search.given import Given
from cohort.search.shards import every_file
from cohort.search.totals import TALLIES, band, write_totals
from cohort.search.verdicts import Verdicts

#: Spark's part of a search is one shard, whatever it divides its own work into.
_SHARD = "000-of-001"


def run_search(
    *,
    session: Any,
    criteria: Sequence[Criterion],
    code_sets: Mapping[str, CodeSet],
    extracts: Sequence[Path],
    search_date: date,
    out: Path,
    progress: Progress,
) -> SearchResult:
    """Searches everybody on Spark and writes to the folder `out` what `engine.run_search` writes, a file each.

    `session` is a SparkSession; its executors and this process see `extracts` and `out` under the same
    paths. `progress` is told after each step; an exception from it stops the search and is raised. A search that
    stopped begins anew, and an incremental one cannot begin from these results. Raises NoPatients,
    UnknownCodeList and ValueError as `engine.run_search` does.
    """
    program = Program(plan_of(criteria, code_sets, search_date))
    if not every_file(extracts, "patients"):
        raise NoPatients("a search needs at least one file of patients")
    folder = unfinished(out)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spark = _Spark(session, folder / "spark")
    with opened(folder / "spill") as duck:
        result = _Search(spark, duck, program, folder, progress).run(extracts)
    shutil.rmtree(folder / "spark")
    finish(folder, out)
    progress(100, "Done")
    return result


class _Spark:
    """A session of Spark of its own, so that searches beside it have other tables. `folder` is for what it writes."""

    def __init__(self, session: Any, folder: Path) -> None:
        self.session = session.newSession()
        self.backend = ibis.pyspark.connect(self.session)
        self.folder = folder

    def read(self, extracts: Sequence[Path]) -> None:
        """Makes the tables `records`, `patients` and `everybody` (whole rows of patients, each person once)."""
        if paths := _uris(every_file(extracts, "records")):
            read = self.session.read.schema(PySparkSchema.from_ibis(RECORDS))
            read.parquet(*paths).createOrReplaceTempView("records")
        else:
            self.give(Given("records", RECORDS, []))
        tables = []
        for n, extract in enumerate(extracts):
            if paths := _uris(every_file([extract], "patients")):
                self.session.read.parquet(*paths).createOrReplaceTempView(f"patients_{n}")
                tables.append(self.backend.table(f"patients_{n}"))
        everybody = self.frame(first_wins(tables))
        everybody.createOrReplaceTempView("everybody")
        everybody.select(*PATIENTS).createOrReplaceTempView("patients")

    def give(self, given: Given) -> None:
        """Makes a small table of rows."""
        self.session.createDataFrame(given.arrow).createOrReplaceTempView(given.name)

    def keep(self, name: str, expression: ir.Table) -> None:
        """Makes a table of what an expression gives: files, so that nothing is worked out twice."""
        frame = self.frame(expression)
        (uri,) = _uris([self.folder / name])
        frame.write.parquet(uri)
        self.session.read.schema(frame.schema).parquet(uri).createOrReplaceTempView(name)

    def frame(self, expression: Any) -> Any:
        """Returns an expression as a DataFrame."""
        return self.session.sql(self.backend.compile(expression))


class _Search:
    def __init__(self, spark: _Spark, duck: Duck, program: Program, folder: Path, progress: Progress) -> None:
        self.spark = spark
        self.duck = duck
        self.program = program
        self.folder = folder
        self.progress = progress

    def run(self, extracts: Sequence[Path]) -> SearchResult:
        spark, program = self.spark, self.program
        self.progress(0, "Reading everybody's records")
        spark.read(extracts)
        for given in program.given:
            spark.give(given)
        for step in program.before:
            spark.keep(step.name, step.expression)
        strangers = self._tally()
        self.progress(70, "Applying the criteria")
        words = ", ".join(program.words)
        profiles = f"SELECT {words}, sum(people)::BIGINT AS people FROM by_group GROUP BY ALL ORDER BY ALL"
        bits, people = self.duck.profiles(program, profiles)
        for table in program.judged(Verdicts(program.plan, bits)):
            spark.give(table)
        self.progress(75, "Collecting the evidence")
        self._collect()
        self.progress(95, "Adding up")
        self._write("tally-profiles", profiles)
        counts = write_totals(self.duck, program, self.folder, None)
        flagged = self.duck.execute("SELECT count(DISTINCT person) FROM flags").fetchone()[0]
        return SearchResult(int(people.sum()), flagged, strangers, counts)

    def _tally(self) -> int:
        """Writes how many people have each profile and returns how many have records but no row among patients."""
        program, people = self.program, self.program.people
        by_age = people.group_by(*program.words, "age", "sex").aggregate(people=people.count())
        by_practice = people.group_by(*program.words, "practice_code").aggregate(people=people.count())
        self._hand_over("by_group", by_age)
        self._hand_over("by_practice", by_practice)
        banded = f"(SELECT * EXCLUDE (age), {band('age')} AS age_band FROM by_group)"
        for name, table in (("tally-groups", banded), ("tally-practices", "by_practice")):
            columns = ", ".join([*program.words, *TALLIES[name]])
            self._write(name, f"SELECT {columns}, sum(people)::BIGINT AS people FROM {table} GROUP BY ALL")
        bits = next(step.table for step in program.before if step.name == "bits")
        strangers = bits.anti_join(people, "person")
        self._hand_over("strangers", strangers.aggregate(people=strangers.count()))
        return int(self.duck.execute("FROM strangers").fetchone()[0])

    def _collect(self) -> None:
        """Writes flags, evidence and people."""
        for step in self.program.after:
            self._hand_over(step.name, step.expression)
        everybody = self.spark.backend.table("everybody")
        flags = self.program.after[-1].table
        self._hand_over("flagged", everybody.semi_join(flags, "person"))
        self._write("evidence", EVIDENCE)
        self._write("flags", FLAGS)
        self._write("people", "SELECT * FROM flagged ORDER BY person")

    def _hand_over(self, name: str, expression: ir.Table) -> None:
        """Makes a table of what an expression gives, for Spark and for DuckDB."""
        self.spark.keep(name, expression)
        paths = sorted((self.spark.folder / name).glob("*.parquet"))
        self.duck.execute(f"CREATE VIEW {name} AS FROM read_parquet({path_list(map(str, paths))})")

    def _write(self, name: str, sql: str) -> None:
        self.duck.write(self.folder / f"{name}-{_SHARD}.parquet", sql)


def _uris(paths: Sequence[Path]) -> list[str]:
    """Returns paths as Spark takes them, whatever its usual file system."""
    return [f"file://{path.resolve()}" for path in paths]
