"""What a search wrote, set against what stands in PostgreSQL: only the differences go into it.

The comparison is DuckDB's: the standing flags come out of PostgreSQL once, and new flags and the flags
that ended go in through COPY, as temporary tables that `landing` reads. Evidence, most of what lands,
goes straight into its table.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from cohort.actions.demographics import copy_people, copy_rows, private_database, private_folder
from cohort.actions.order import STRENGTH
from cohort.models import SearchRun
from cohort.rules import Strength

_TABLES = """
DROP TABLE IF EXISTS landing_flags, landing_ended, landing_strength, landing_counts;
CREATE TEMPORARY TABLE landing_flags (
    n bigint, nhs_number text, criterion_version_id uuid, fingerprint bigint,
    id bigint DEFAULT nextval(pg_get_serial_sequence('cohort_flag', 'id'))
) ON COMMIT DROP;
CREATE TEMPORARY TABLE landing_ended (flag_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE landing_strength (nhs_number text, strength text) ON COMMIT DROP;
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


#: A person's evidence is in the results whole, for all their flags, whenever they were searched.
_STRENGTHS = (
    "SELECT lpad(c.person::VARCHAR, 10, '0'), CASE WHEN f.person IS NULL THEN ''"
    f" ELSE coalesce(s.strength, '{Strength.DOUBTFUL.value}') END"
    " FROM (SELECT person FROM new_flags UNION SELECT person FROM standing SEMI JOIN ended USING (id)) c"
    " LEFT JOIN (SELECT DISTINCT person FROM found) f USING (person)"
    f" LEFT JOIN (SELECT person, {STRENGTH} AS strength FROM evidence WHERE code <> '' GROUP BY person) s"
    " USING (person)"
)


class LandingError(Exception):
    """The results do not fit the reference data; nothing was landed. The message names no person."""


@dataclass(frozen=True)
class Found:
    """How many people the search finds now, and how many found before were in none of its files of patients."""

    people_flagged: int
    people_not_searched: int
    duck: duckdb.DuckDBPyConnection
    """Where `copy_evidence` finds the rest."""


@contextmanager
def differences(cursor: Any, run: SearchRun, *, results: Path, patients: Sequence[Path]) -> Iterator[Found]:
    """Copies what differs from what stands into `landing_*`, within the caller's transaction.

    `landing_flags` are to be inserted with the ids they have, and `copy_evidence` called after that;
    `landing_ended` are the flags to end; `landing_strength` says how strong the evidence is now of
    everybody whom these concern, empty where nothing is left; `landing_people` and `landing_counts` are
    the results' own. The run's attrition, combinations and groups go straight into their tables. Where the
    results name who was searched (`searched*.parquet`), nobody else's flags are looked at. Raises
    LandingError where the results name a criterion that the run does not have.
    """
    cursor.execute(_TABLES)
    with private_database() as duck:
        _open(duck, cursor, run, results)
        _compare(duck, results, patients)
        copy_people(cursor, duck.view("people"))
        for table, rows in {
            "landing_flags (n, nhs_number, criterion_version_id, fingerprint)": "SELECT n,"
            " lpad(person::VARCHAR, 10, '0'), version, fingerprint FROM new_flags",
            "landing_ended": "SELECT id FROM ended",
            "landing_strength": _STRENGTHS,
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
        cursor.execute("ANALYZE landing_flags; ANALYZE landing_ended; ANALYZE landing_strength")
        yield Found(people_flagged=flagged, people_not_searched=not_searched, duck=duck)


def copy_evidence(cursor: Any, found: Found) -> None:
    """Copies the evidence of the flags of `landing_flags`, which are in their table by now, into its own."""
    duck = found.duck
    _read(cursor, duck, "flag_ids", "SELECT n, id FROM landing_flags", {"n": "BIGINT", "flag_id": "BIGINT"})
    _read(
        cursor,
        duck,
        "code_lists",
        "SELECT DISTINCT cv.criterionversion_id, l.slug, v.id FROM cohort_criterionversion_code_lists cv"
        " JOIN cohort_codelistversion v ON v.id = cv.codelistversion_id JOIN cohort_codelist l ON l.id = v.code_list_id"
        " WHERE cv.criterionversion_id IN (SELECT criterion_version_id FROM landing_flags)",
        {"version": "UUID", "code_list": "VARCHAR", "code_list_version": "BIGINT"},
    )
    _read(
        cursor,
        duck,
        "terms",
        "SELECT version_id, system, code, max(term) FROM cohort_codelistcode WHERE version_id IN ("
        " SELECT cv.codelistversion_id FROM cohort_criterionversion_code_lists cv"
        " JOIN landing_flags f ON f.criterion_version_id = cv.criterionversion_id) GROUP BY version_id, system, code",
        {"code_list_version": "BIGINT", "system": "VARCHAR", "code": "VARCHAR", "term": "VARCHAR"},
    )
    rows = duck.sql(
        "SELECT flag_id, clause, system, code, coalesce(term, ''), event_date, source, detail, code_list_version"
        " FROM new_flags JOIN flag_ids USING (n) JOIN evidence USING (person, criterion)"
        " LEFT JOIN code_lists USING (version, code_list) LEFT JOIN terms USING (code_list_version, system, code)"
        " ORDER BY flag_id"
    )
    copy_rows(
        cursor,
        rows,
        "cohort_evidence (flag_id, clause, system, code, term, event_date, source, detail, code_list_version_id)",
    )


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
    _read(
        cursor,
        duck,
        "standing",
        "SELECT f.id, p.nhs_number, f.criterion_version_id, f.fingerprint FROM cohort_flag f"
        " JOIN cohort_patient p ON p.id = f.patient_id WHERE f.ended_in_id IS NULL",
        {"id": "BIGINT", "person": "BIGINT", "version": "UUID", "fingerprint": "BIGINT"},
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


def _read(cursor: Any, duck: duckdb.DuckDBPyConnection, table: str, query: str, columns: Mapping[str, str]) -> None:
    """Makes a table of DuckDB from a query of PostgreSQL, through one temporary CSV file."""
    with private_folder() as folder:
        file = folder / "rows.csv"
        with file.open("wb") as stream:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv)", stream)
        duck.execute(
            f"CREATE TABLE {table} AS FROM read_csv($file, header=false, auto_detect=false, columns=$columns,"
            " delim=',', quote='\"', escape='\"')",
            {"file": str(file), "columns": dict(columns)},
        )
