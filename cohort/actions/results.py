"""What a search wrote, set against what stands in PostgreSQL: only the differences go into it.

The comparison is DuckDB's: the standing flags come out of PostgreSQL once, and new flags, their
evidence and the flags that ended go in through COPY, as temporary tables that `landing` reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from cohort.actions.demographics import copy_people, copy_rows, private_folder
from cohort.models import SearchRun

_TABLES = """
DROP TABLE IF EXISTS landing_flags, landing_evidence, landing_ended, landing_counts;
CREATE TEMPORARY TABLE landing_flags (
    n bigint, nhs_number text, criterion_version_id uuid, fingerprint bigint,
    id bigint DEFAULT nextval(pg_get_serial_sequence('cohort_flag', 'id'))
) ON COMMIT DROP;
CREATE TEMPORARY TABLE landing_evidence (
    n bigint, clause text, system text, code text, event_date date, source text, detail text, code_list text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE landing_ended (flag_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE landing_counts (criterion_version_id uuid, practice_code text, people int) ON COMMIT DROP;
"""

#: What goes into PostgreSQL as the engine wrote it: the file, the table, and the rows.
_OUTPUTS = {
    (
        "attrition",
        "cohort_searchattrition (run_id, criterion_version_id, number, path, label, people, remaining)",
    ): "SELECT version, file_row_number, path, label, people, remaining FROM attrition JOIN criteria USING (criterion)",
    (
        "groups",
        "cohort_searchgroup (run_id, criterion_version_id, age_band, sex, people)",
    ): "SELECT version, age_band, coalesce(sex, ''), people FROM groups JOIN criteria USING (criterion)",
    (
        "combinations",
        "cohort_searchcombination (run_id, criterion_versions, people)",
    ): "SELECT '{' || string_agg(version::VARCHAR, ',' ORDER BY place) || '}', people FROM ("
    "  SELECT file_row_number AS n, unnest(criteria) AS criterion, generate_subscripts(criteria, 1) AS place,"
    "  people FROM combinations) JOIN criteria USING (criterion) GROUP BY n, people",
}


class LandingError(Exception):
    """The results do not fit the reference data; nothing was landed. The message names no person."""


@dataclass(frozen=True)
class Found:
    """How many people the search finds now, and how many found before were in none of its files of patients."""

    people_flagged: int
    people_not_searched: int


def copy_differences(cursor: Any, run: SearchRun, *, results: Path, patients: Sequence[Path]) -> Found:
    """Copies what differs from what stands into `landing_*`, within the caller's transaction.

    `landing_flags` are to be inserted, numbered by `n`, with `landing_evidence` by the same `n`;
    `landing_ended` are the flags to end; `landing_people` and `landing_counts` are the results' own. The
    run's attrition, combinations and groups go straight into their tables. Where the results name who was
    searched (`searched*.parquet`), nobody else's flags are looked at. Raises LandingError where the
    results name a criterion that the run does not have.
    """
    cursor.execute(_TABLES)
    with duckdb.connect() as duck:
        _open(duck, cursor, run, results)
        _compare(duck, results, patients)
        copy_people(cursor, duck.view("people"))
        for table, rows in {
            "landing_flags (n, nhs_number, criterion_version_id, fingerprint)": "SELECT n,"
            " lpad(person::VARCHAR, 10, '0'), version, fingerprint FROM new_flags",
            "landing_evidence": "SELECT n, clause, system, code, event_date, source, detail, code_list"
            " FROM new_flags JOIN evidence USING (person, criterion)",
            "landing_ended": "SELECT id FROM ended",
            "landing_counts": "SELECT version, practice_code, people FROM counts JOIN criteria USING (criterion)",
        }.items():
            copy_rows(cursor, duck.sql(rows), table)
        for (name, table), rows in _OUTPUTS.items():
            duck.read_parquet(str(results / f"{name}.parquet"), file_row_number=True).create_view(name)
            copy_rows(cursor, duck.sql(f"SELECT '{run.pk}', * FROM ({rows})"), table)
        flagged, not_searched = duck.sql(
            "SELECT (SELECT count(*) FROM (SELECT person FROM new_flags UNION"
            " SELECT person FROM standing ANTI JOIN ended USING (id) ANTI JOIN not_searched USING (person))),"
            " (SELECT count(*) FROM not_searched)"
        ).fetchall()[0]
    cursor.execute("ANALYZE landing_flags; ANALYZE landing_evidence; ANALYZE landing_ended")
    return Found(people_flagged=flagged, people_not_searched=not_searched)


def _open(duck: Any, cursor: Any, run: SearchRun, results: Path) -> None:
    """Makes `flags`, `evidence`, `people`, `counts`, `criteria` and `standing` of DuckDB."""
    for name in ("flags", "evidence", "people", "counts"):
        duck.read_parquet(str(results / f"{name}*.parquet")).create_view(name)
    duck.execute("CREATE TABLE criteria (criterion VARCHAR, version UUID)")
    duck.executemany("INSERT INTO criteria VALUES (?, ?)", list(run.criteria.values_list("criterion__slug", "pk")))
    (unknown,) = duck.sql(
        "SELECT count(*) FROM (SELECT criterion FROM flags UNION SELECT criterion FROM counts) ANTI JOIN criteria"
        " USING (criterion)"
    ).fetchall()[0]
    if unknown:
        raise LandingError("The results name a criterion that this run does not have.")
    with private_folder() as folder:
        file = folder / "standing.csv"
        with file.open("wb") as stream:
            cursor.copy_expert(
                "COPY (SELECT f.id, p.nhs_number, f.criterion_version_id, f.fingerprint FROM cohort_flag f"
                " JOIN cohort_patient p ON p.id = f.patient_id WHERE f.ended_in_id IS NULL) TO STDOUT (FORMAT csv)",
                stream,
            )
        duck.execute(
            "CREATE TABLE standing AS FROM read_csv(?, header=false, auto_detect=false, columns="
            "{'id': 'BIGINT', 'person': 'BIGINT', 'version': 'UUID', 'fingerprint': 'BIGINT'})",
            [str(file)],
        )


def _compare(duck: Any, results: Path, patients: Sequence[Path]) -> None:
    """Makes `new_flags`, `ended` and `not_searched` of DuckDB."""
    duck.read_parquet([str(path) for path in patients]).select("person").create_view("registered")
    if any(results.glob("searched*.parquet")):
        duck.read_parquet(str(results / "searched*.parquet")).create_view("searched")
    else:
        duck.execute("CREATE VIEW searched AS SELECT person FROM standing")
    duck.execute(
        "CREATE TABLE not_searched AS SELECT DISTINCT person FROM standing ANTI JOIN registered USING (person);"
        "CREATE TABLE found AS SELECT person, criterion, version, fingerprint FROM flags JOIN criteria"
        " USING (criterion);"
        "CREATE TABLE new_flags AS SELECT row_number() OVER () AS n, * FROM found"
        " ANTI JOIN standing USING (person, version, fingerprint);"
        "CREATE TABLE ended AS SELECT id FROM standing SEMI JOIN searched USING (person)"
        " ANTI JOIN found USING (person, version, fingerprint) ANTI JOIN not_searched USING (person)"
    )
