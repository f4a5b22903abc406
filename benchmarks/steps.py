"""What is measured without a server: each function is one step, run by `measuring` in a process of its own."""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.catalogue import shipped_criteria, shipped_lists
from benchmarks.handwritten import give_code_lists, statements
from benchmarks.measuring import peak_mib, timed
from cohort.search.criteria import Age, Clause, CodeSet, Criterion, Group, Leaf, RecordLeaf, leaves, lists_of
from cohort.search.terms import Tier, Unit, Window

Result = dict[str, Any]
_MEMORY_LIMIT = os.environ.get("BENCH_MEMORY_LIMIT", "6GB")


def code_sets() -> dict[str, CodeSet]:
    """Returns the shipped code lists."""
    return {
        slug: CodeSet(
            slug,
            1,
            frozenset((row["system"], row["code"]) for row in rows if not row["paired_code"]),
            frozenset((row["system"], row["code"], row["paired_code"]) for row in rows if row["paired_code"]),
        )
        for slug, rows in shipped_lists()
    }


def scan(*, extracts: Sequence[str]) -> Result:
    """Reads every column that a search reads, and does nothing with it."""
    with _duckdb(extracts) as duck:
        sql = (
            "SELECT max(person), max(system), max(code), max(date), max(source), max(episode), max(value) FROM records"
        )
        return timed(lambda: {"found": str(duck.execute(sql).fetchall())})


def handwritten(*, extracts: Sequence[str], day: str, out: str) -> Result:
    """Runs the hand-written query; `out` becomes the Parquet file of the flags."""

    def work() -> Result:
        with _duckdb(extracts) as duck:
            give_code_lists(duck, "?", is_duckdb=True)
            met, flags, counts = hand_statements(day)
            duck.execute(met)
            duck.execute(f"COPY ({flags}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
            return {"counts": dict(duck.execute(counts).fetchall())}

    return timed(work)


def hand_statements(day: str) -> tuple[str, str, str]:
    """Returns the hand-written statements for the shipped criteria."""
    shipped = shipped_criteria()
    high = [each.slug for each in shipped if each.tier is Tier.HIGH]
    return statements([each.slug for each in shipped], high, date.fromisoformat(day))


def search(
    *,
    extracts: Sequence[str],
    day: str,
    out: str,
    since: str = "",
    since_day: str = "",
) -> Result:
    """Runs our search, of everybody, or of those who have changed since the results `since`.

    Ibis is loaded before: a worker has done so long ago.
    """
    importlib.import_module("ibis.backends.duckdb")
    from cohort.search import engine
    from cohort.search.movers import Change, Since

    begin = None
    if since:
        before = date.fromisoformat(since_day)
        changes = [
            Change(folder.name, folder) for folder in map(Path, extracts) if (folder / "changed.parquet").exists()
        ]
        begin = Since(Path(since), before, changes, latest=before)
    engine.discard(Path(out))

    def work() -> Result:
        found = engine.run_search(
            criteria=shipped_criteria(),
            code_sets=code_sets(),
            extracts=[Path(each) for each in extracts],
            search_date=date.fromisoformat(day),
            out=Path(out),
            progress=lambda percent, doing: None,
            memory_limit=_MEMORY_LIMIT,
            since=begin,
        )
        return {"counts": found.counts, "searched": found.people_searched, "flagged": found.people_flagged}

    return timed(work)


def preview(*, extracts: Sequence[str], day: str, results: str = "") -> Result:
    """Previews every criterion of the set as if it were being edited; `seconds` and `cpu_seconds` are the slowest's.

    With `results`, what a search of these extracts left, each is previewed beside itself after an edit that the
    search has no answer for: the window of whichever clause bears on most records is another (of a criterion
    without records, the age). Without, each is new to everybody, and every clause is worked out.
    The first is done twice: somebody who edits meets a server that has been running for a while.
    """
    from cohort.search.preview import preview as preview_one

    sets = code_sets()
    took: dict[str, tuple[float, float]] = {}
    engine_took: dict[str, float] = {}
    people: dict[str, int] = {}
    shipped = shipped_criteria()
    with _duckdb(extracts) as duck:
        records = dict(duck.execute("SELECT system || ' ' || code, count(*) FROM records GROUP BY ALL").fetchall())
    for criterion in [shipped[0], *shipped]:
        draft = edited(criterion, sets, records) if results else criterion
        began, cpu = time.monotonic(), time.process_time()
        found = preview_one(
            draft=draft,
            draft_code_sets=sets,
            published=criterion if results else None,
            published_code_sets=sets,
            extracts=[Path(each) for each in extracts],
            search_date=date.fromisoformat(day),
            results=Path(results) if results else None,
        )
        took[criterion.slug] = time.monotonic() - began, time.process_time() - cpu
        engine_took[criterion.slug] = found.seconds
        people[criterion.slug] = sum(cell.people for cell in found.cells if (cell.published if results else cell.draft))
    slowest = max(took, key=lambda slug: took[slug])
    return {
        "seconds": took[slowest][0],
        "cpu_seconds": took[slowest][1],
        "slowest": slowest,
        "median_seconds": median(seconds for seconds, _ in took.values()),
        "engine_seconds": max(engine_took.values()),
        "median_engine_seconds": median(engine_took.values()),
        "peak_mib": peak_mib(),
        "counts": people,
        "each": took,
    }


def edited(criterion: Criterion, sets: Mapping[str, CodeSet], records: Mapping[str, int]) -> Criterion:
    """Returns the criterion with another window for the clause that bears on most records, or with another age."""

    def weight(leaf: Leaf) -> int:
        slugs = lists_of(leaf) if isinstance(leaf, RecordLeaf) else ()
        codes = {" ".join(code[:2]) for slug in slugs for code in sets[slug].codes | sets[slug].pairs}
        return sum(records.get(code, 0) for code in codes)

    heaviest = max(leaves(criterion.rule), key=weight)

    def changed(clause: Clause) -> Clause:
        if isinstance(clause, Group):
            return replace(clause, clauses=tuple(map(changed, clause.clauses)))
        if clause != heaviest:
            return clause
        if isinstance(clause, RecordLeaf):
            was = clause.window
            longer = replace(was, length=was.length + 1) if isinstance(was, Window) else None
            return replace(clause, window=longer or Window(60, Unit.MONTHS, "edited"))
        if isinstance(clause, Age) and clause.at_least:
            return replace(clause, at_least=replace(clause.at_least, value=clause.at_least.value - 5))
        raise ValueError(f"{criterion.slug} has nothing to edit")

    return replace(criterion, rule=changed(criterion.rule))


def _duckdb(extracts: Sequence[str]) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect(config={"memory_limit": _MEMORY_LIMIT})
    spill = Path(extracts[0]).parent.parent / "spill"
    duck.execute(f"SET temp_directory = '{spill}'; SET preserve_insertion_order = false")
    for table in ("patients", "records"):
        files = [str(path) for each in extracts for path in sorted(Path(each).glob(f"{table}-*.parquet"))]
        duck.read_parquet(files).create_view(table)
    return duck


def main() -> None:
    """Runs the step of that name, here, in `benchmarks.servers` or in the module named before a dot; prints JSON."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    module, _, function = name.rpartition(".")
    step: Callable[..., Result] | None = globals().get(name)
    if step is None:
        step = getattr(importlib.import_module(f"benchmarks.{module or 'servers'}"), function)
    print(json.dumps(step(**arguments), default=str))  # noqa: T201


if __name__ == "__main__":
    main()
