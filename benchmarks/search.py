"""`make bench-search PEOPLE=100000,1000000`: the search measured against what bounds it, all in one run.

Environment: BENCH_FOLDER (default `.data/bench`) holds populations, results and `results.json`;
BENCH_PARTS (default all) picks from search, preview, incremental, postgres, ingest and landing;
BENCH_MEMORY_LIMIT (6GB) is what DuckDB may hold in memory, ours and the hand-written query alike.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg2

from benchmarks.measuring import machine, measured, say
from benchmarks.population import AS_AT, WEEK, Population, make_next_week, make_population
from shielding import embedded

_PARTS = ("search", "preview", "incremental", "postgres", "ingest", "landing")
#: Above these PostgreSQL and CSV files would take an evening and more room than a laptop has.
_MOST_PEOPLE = {"postgres": 1_000_000, "ingest": 1_000_000}
_LATER = AS_AT + WEEK


@dataclass
class Bench:
    """The benchmark of one population: `steps` as they were measured, `ratios` to what bounds them, in time and CPU."""

    population: Population
    folder: Path
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    ratios: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def times(self) -> int:
        """How often a step is run; the fastest counts."""
        return 3 if self.population.people <= 10_000_000 else 1

    def step(self, name: str, function: str, *, times: int | None = None, **arguments: Any) -> dict[str, Any]:
        """Measures one step, shows it and keeps it."""
        found = measured(function, times=times or self.times, **arguments)
        self.steps[name] = found
        memory = f"{found['peak_mib']:8,.0f} MiB" if "peak_mib" in found else ""
        cpu = f"{found['cpu_seconds']:9,.2f} s CPU" if "cpu_seconds" in found else " " * 15
        say(f"  {name:<44}{found['seconds']:9,.2f} s{cpu}  {memory}")
        return found

    def ratio(self, name: str, over: str, under: str, wanted: str) -> None:
        """Keeps how many times as long one step takes as another, where both were measured."""
        if under not in self.steps:
            return
        one, other = self.steps[over], self.steps[under]
        self.ratios[name] = {"seconds": one["seconds"] / other["seconds"], "wanted": wanted}
        if "cpu_seconds" in one and "cpu_seconds" in other and not one.get("is_on_server"):
            self.ratios[name]["cpu_seconds"] = one["cpu_seconds"] / other["cpu_seconds"]

    def check(self, holds: bool, problem: str) -> None:
        """Keeps a problem: figures of searches that find something else are worth nothing."""
        if not holds:
            self.wrong.append(problem)
            say(f"  WRONG: {problem}")


def main() -> None:
    """Runs the benchmark for each number of people named on the command line."""
    folder = Path(os.environ.get("BENCH_FOLDER", ".data/bench")).resolve()
    parts = os.environ.get("BENCH_PARTS", ",".join(_PARTS)).split(",")
    found = []
    for people in [int(each) for each in sys.argv[1].split(",")]:
        bench = _bench(folder / f"people-{people}", people, parts)
        found.append(_report(bench))
        result = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine() | {"duckdb": duckdb.__version__},
            "runs": found,
        }
        (folder / "results.json").write_text(json.dumps(result, indent=1, default=str))
    say(f"\nWritten to {folder / 'results.json'}")
    if any(each["wrong"] for each in found):
        sys.exit("Some searches did not find the same: see WRONG above.")


def _bench(folder: Path, people: int, parts: list[str]) -> Bench:
    folder.mkdir(parents=True, exist_ok=True)
    say(f"\n{people:,} people")
    first = make_population(folder, people)
    bench = Bench(first, folder)
    if "incremental" in parts or "landing" in parts:
        make_next_week(folder, people)
    say(f"  {first.rows:,} records in {first.shards} shards, {first.bytes / 1e9:.2f} GB: made in {first.seconds:.0f} s")
    runs: dict[str, Callable[[Bench], None]] = {
        "search": _search,
        "preview": _preview,
        "incremental": _incremental,
        "postgres": _postgres,
        "ingest": _ingest,
        "landing": _landing,
    }
    for name, run in runs.items():
        if name in parts and people <= _MOST_PEOPLE.get(name, people):
            run(bench)
    return bench


def _search(bench: Bench) -> None:
    folder = bench.folder
    week = [str(path) for path in bench.population.first_week]
    bench.step("bare scan of the columns", "scan", extracts=week)
    by_hand = bench.step("hand-written query", "handwritten", extracts=week, day=AS_AT, out=folder / "by-hand.parquet")
    ours = bench.step("full search", "search", extracts=week, day=AS_AT, out=folder / "out-1")
    bench.check(ours["counts"] == by_hand["counts"], "the hand-written query counts other people")
    bench.check(
        _same(_flags(folder / "out-1"), f"FROM '{folder / 'by-hand.parquet'}'"), "the hand-written query flags others"
    )
    bench.ratio("full search : bare scan", "full search", "bare scan of the columns", "")
    bench.ratio("full search : hand-written query", "full search", "hand-written query", "at most 1.5")


def _preview(bench: Bench) -> None:
    week = [str(path) for path in bench.population.first_week]
    out = bench.folder / "out-1"
    if "full search" not in bench.steps:
        bench.step("full search", "search", extracts=week, day=AS_AT, out=out)
    edited = bench.step("preview of an edited criterion, the slowest", "preview", extracts=week, day=AS_AT, results=out)
    new = bench.step("preview of a new criterion, the slowest", "preview", extracts=week, day=AS_AT)
    bench.check(edited["counts"] == new["counts"], "previews count others with what a search left than without")
    if ours := bench.steps.get("full search"):
        bench.check({slug: new["counts"][slug] for slug in ours["counts"]} == ours["counts"], "previews count others")
    bench.ratio(
        "preview, edited : full search", "preview of an edited criterion, the slowest", "full search", "at most 0.1"
    )
    bench.ratio("preview, new : full search", "preview of a new criterion, the slowest", "full search", "")


def _incremental(bench: Bench) -> None:
    folder = bench.folder
    later = [str(path) for path in bench.population.second_week]
    full = bench.step("full search a week later", "search", extracts=later, day=_LATER, out=folder / "out-2")
    since: dict[str, Any] = {"since": folder / "out-1", "since_day": AS_AT}
    part = bench.step(
        "incremental search a week later", "search", extracts=later, day=_LATER, out=folder / "out-2-part", **since
    )
    bench.check(part["counts"] == full["counts"], "the incremental search counts other people than the full one")
    bench.check(_continues(folder), "the incremental search flags other people than the full one")
    bench.ratio(
        "incremental : full search", "incremental search a week later", "full search a week later", "at most 0.1"
    )


def _postgres(bench: Bench) -> None:
    week = [str(path) for path in bench.population.first_week]
    with _database(bench):
        bench.step("PostgreSQL: load and index", "postgres_load", times=1, extracts=week)
        theirs = bench.step("PostgreSQL: the hand-written query", "postgres_search", times=2, day=AS_AT)
        bench.step("PostgreSQL: drop", "postgres_drop", times=1)
    if ours := bench.steps.get("full search"):
        bench.check(theirs["counts"] == ours["counts"], "PostgreSQL counts other people")
    bench.ratio("PostgreSQL : full search", "PostgreSQL: the hand-written query", "full search", "at least 10")


def _ingest(bench: Bench) -> None:
    week = [str(path) for path in bench.population.first_week]
    folder = bench.folder / "csv"
    made = bench.step("CSV files written", "make_csv", times=1, extracts=week, folder=folder)
    bench.step("DuckDB's COPY of the CSV", "bare_copy_to_parquet", times=1, folder=folder, out=bench.folder / "bare")
    arguments = {
        "people": bench.population.people,
        "folder": folder,
        "store": bench.folder / "store",
        "shards": bench.population.shards,
    }
    with _database(bench):
        ours = bench.step("ingest of the CSV", "ingest", times=1, **arguments)
    bench.check(ours["accepted"] == made["rows"], f"{ours['rejected']:,} rows were rejected")
    bench.ratio("ingest : DuckDB's COPY", "ingest of the CSV", "DuckDB's COPY of the CSV", "at most 2")
    for name in ("csv", "store", "bare"):
        shutil.rmtree(bench.folder / name, ignore_errors=True)


def _landing(bench: Bench) -> None:
    population = bench.population
    week = [str(path) for path in population.first_week]
    out = bench.folder / "out-1"
    if not out.is_dir():
        measured("search", extracts=week, day=AS_AT, out=out)
    people = population.people
    with _database(bench):
        bench.step("landing", "landing", times=1, people=people, results=out, extracts=week, day=AS_AT)
        bench.step("COPY of the rows that landed", "bare_copy_to_tables", times=2, folder=bench.folder)
        if (later := bench.folder / "out-2-part").is_dir():
            extracts = [str(path) for path in population.second_week]
            bench.step(
                "landing a week later", "landing", times=1, people=people, results=later, extracts=extracts, day=_LATER
            )
    bench.ratio("landing : COPY", "landing", "COPY of the rows that landed", "at most 3")


class _database:  # noqa: N801 - reads as what it gives
    """An empty database in the embedded PostgreSQL, for the steps in the `with` block."""

    def __init__(self, bench: Bench) -> None:
        self.name = f"bench_{bench.population.people}"
        self.data = bench.folder.parent / "servers"

    def __enter__(self) -> None:
        self._recreate(embedded.start_postgres(self.data)["DATABASE_OWNER_URL"])
        urls = embedded.start_postgres(self.data, database=self.name)
        self.before = {name: os.environ.get(name) for name in urls}
        os.environ.update(urls)

    def __exit__(self, *_: object) -> None:
        self._recreate(os.environ["DATABASE_OWNER_URL"].replace(f"/{self.name}?", "/shielding?"))
        for name, value in self.before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def _recreate(self, url: str) -> None:
        owner = psycopg2.connect(url)
        owner.autocommit = True
        with owner.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {self.name}")
        owner.close()


def _flags(results: Path) -> str:
    return f"SELECT person, criterion FROM '{results}/flags-*.parquet'"


def _same(one: str, other: str) -> bool:
    """Says whether two queries give the same rows."""
    return not any(
        duckdb.sql(f"SELECT 1 FROM (({a}) EXCEPT ({b})) LIMIT 1").fetchall() for a, b in ((one, other), (other, one))
    )


def _continues(folder: Path) -> bool:
    """Says whether old flags of whom the incremental search left alone, and its own, are those of the full search."""
    searched = f"SELECT person FROM '{folder}/out-2-part/searched-*.parquet'"
    old = f"SELECT * FROM ({_flags(folder / 'out-1')}) WHERE person NOT IN ({searched})"
    return _same(f"({old}) UNION ({_flags(folder / 'out-2-part')})", _flags(folder / "out-2"))


def _report(bench: Bench) -> dict[str, Any]:
    say("")
    for name, ratio in bench.ratios.items():
        cpu = f"{ratio['cpu_seconds']:9,.2f} of CPU" if "cpu_seconds" in ratio else " " * 16
        say(f"  {name:<44}{ratio['seconds']:9,.2f}  {cpu}   {ratio['wanted']}")
    return {
        "people": bench.population.people,
        "population": vars(bench.population),
        "steps": bench.steps,
        "ratios": bench.ratios,
        "wrong": bench.wrong,
    }


if __name__ == "__main__":
    main()
