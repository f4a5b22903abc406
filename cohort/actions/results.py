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

#: PostgreSQL's bigint has a sign, so 2^63 is taken off.
_SIGNED = "(fingerprint::HUGEINT - 9223372036854775808)::BIGINT"


class LandingError(Exception):
    """The results do not fit the reference data; nothing was landed. The message names no person."""


@dataclass(frozen=True)
class Found:
    """How many people a search found, and how many found before were in none of its files of patients."""

    people_flagged: int
    people_not_searched: int


def copy_differences(cursor: Any, run: SearchRun, *, results: Path, patients: Sequence[Path]) -> Found:
    """Copies what differs from what stands into `landing_*`, within the caller's transaction.

    `landing_flags` are to be inserted, numbered by `n`, with `landing_evidence` by the same `n`;
    `landing_ended` are the flags to end; `landing_people` and `landing_counts` are the results' own.
    Raises LandingError where the results name a criterion that the run does not have.
    """
    cursor.execute(_TABLES)
    with duckdb.connect() as duck:
        _open(duck, cursor, run, results)
        _compare(duck, patients)
        copy_people(cursor, duck.table("people_to_land"))
        for table, rows in {
            "landing_flags (n, nhs_number, criterion_version_id, fingerprint)": "SELECT n,"
            " lpad(person::VARCHAR, 10, '0'), version, fingerprint FROM new_flags",
            "landing_evidence": "SELECT n, clause, system, code, event_date, source, detail, code_list"
            " FROM new_flags JOIN evidence USING (person, criterion)",
            "landing_ended": "SELECT id FROM ended",
            "landing_counts": "SELECT version, practice_code, people FROM counts JOIN criteria USING (criterion)",
        }.items():
            copy_rows(cursor, duck.sql(rows), table)
        flagged, not_searched = duck.sql(
            "SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM not_searched)"
        ).fetchall()[0]
    cursor.execute("ANALYZE landing_flags; ANALYZE landing_evidence; ANALYZE landing_ended")
    return Found(people_flagged=flagged, people_not_searched=not_searched)


def _open(duck: Any, cursor: Any, run: SearchRun, results: Path) -> None:
    """Makes `flags`, `evidence`, `people`, `counts`, `criteria`, `standing` and `to_compare` of DuckDB."""
    for name in ("evidence", "people", "counts"):
        duck.read_parquet(str(results / f"{name}*.parquet")).create_view(name)
    flags = duck.read_parquet(str(results / "flags*.parquet"))
    if "fingerprint" not in flags.columns:
        # The engine before this one made none.
        flags = duck.sql(
            "SELECT person, criterion, bit_xor(hash(clause, system, code, event_date, source, detail, code_list))"
            " AS fingerprint FROM evidence GROUP BY ALL"
        )
    flags.create_view("flags")
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


def _compare(duck: Any, patients: Sequence[Path]) -> None:
    """Makes `new_flags`, `ended`, `not_searched` and `people_to_land` of DuckDB."""
    duck.read_parquet([str(path) for path in patients]).select("person").create_view("registered")
    duck.execute(
        "CREATE TABLE not_searched AS SELECT DISTINCT person FROM standing"
        " ANTI JOIN flags USING (person) ANTI JOIN registered USING (person);"
        "CREATE TABLE found AS SELECT person, criterion, version,"
        f" {_SIGNED} AS fingerprint FROM flags JOIN criteria USING (criterion);"
        "CREATE TABLE new_flags AS SELECT row_number() OVER () AS n, * FROM found"
        " ANTI JOIN standing USING (person, version, fingerprint);"
        "CREATE TABLE ended AS SELECT id FROM standing"
        " ANTI JOIN found USING (person, version, fingerprint) ANTI JOIN not_searched USING (person);"
        "CREATE VIEW people_to_land AS FROM people"
    )
