"""What is measured with PostgreSQL: loading, landing, and the search as PostgreSQL would do it.

Each step runs in a process of its own, with DATABASE_URL and DATABASE_OWNER_URL set.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from benchmarks.handwritten import give_code_lists
from benchmarks.measuring import timed
from benchmarks.population import AS_AT, practices_for
from benchmarks.steps import Result, hand_statements
from benchmarks.tables import owner

#: In that order: what is copied first is referred to by what is copied later.
LANDED = (
    "cohort_patient",
    "cohort_flag",
    "cohort_evidence",
    "cohort_practicelist",
    "cohort_listfact",
    "cohort_listentry",
    "cohort_searchcount",
)
_LOAD_MEMORY_LIMIT = "4GB"
_EXTRACTS = {"gp": ("patients", "events"), "medicines": ("medications",), "hospital": ("admissions",)}
_CSV = {
    "patients": "SELECT person AS nhs_number, given_name, family_name, birth_date, sex, practice_code,"
    " address_lines[1] AS address_line_1, address_lines[2] AS address_line_2, postcode, uprn, mobile, death_status,"
    " death_date FROM {rows} ORDER BY person",
    "events": "SELECT person AS nhs_number, date, system, code, value FROM {rows} ORDER BY person, date",
    "medications": "SELECT person AS nhs_number, date, system, code FROM {rows} ORDER BY person, date",
    "admissions": "SELECT person AS nhs_number, date, system, code, episode FROM {rows} ORDER BY person, date",
}
_TYPES = {
    "nhs_number": "BIGINT",
    "date": "DATE",
    "birth_date": "DATE",
    "death_date": "DATE",
    "value": "DOUBLE",
}


def _files(extracts: Sequence[str], table: str) -> list[str]:
    return [str(path) for each in extracts for path in sorted(Path(each).glob(f"{table}-*-of-*.parquet"))]


def postgres_load(*, extracts: Sequence[str]) -> Result:
    """Puts patients and records into PostgreSQL, with an index that holds what the query needs."""
    took: dict[str, float] = {}
    with owner() as cursor, tempfile.TemporaryDirectory(dir=Path(extracts[0]).parent) as folder:
        cursor.execute("DROP TABLE IF EXISTS patients, records")
        cursor.execute("CREATE TABLE patients (person bigint, practice_code text, birth_date date, sex text)")
        cursor.execute(
            "CREATE TABLE records (person bigint, system text, code text, date date, source text, episode text,"
            " value double precision)"
        )
        for table, columns in (
            ("patients", "person, practice_code, birth_date, sex"),
            ("records", "person, system, code, date, source, episode, value"),
        ):
            for path in _files(extracts, table):
                csv = Path(folder) / "rows.csv"
                # Empty text is quoted, so that it is not taken for a null.
                duckdb.execute(f"COPY (SELECT {columns} FROM '{path}') TO '{csv}' (HEADER false, FORCE_QUOTE *)")
                began = time.monotonic()
                with csv.open() as stream:
                    force = "value" if table == "records" else "birth_date"
                    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv, FORCE_NULL ({force}))", stream)
                took["copy"] = took.get("copy", 0) + time.monotonic() - began
        began = time.monotonic()
        cursor.execute("CREATE INDEX ON records (system, code) INCLUDE (person, date, source)")
        cursor.execute("CREATE INDEX ON patients (person)")
        took["index"] = time.monotonic() - began
        began = time.monotonic()
        cursor.execute("VACUUM (ANALYZE) records")
        cursor.execute("VACUUM (ANALYZE) patients")
        took["analyze"] = time.monotonic() - began
        cursor.execute("SELECT pg_total_relation_size('records') + pg_total_relation_size('patients')")
        (size,) = cursor.fetchone()
    return {"seconds": sum(took.values()), "bytes": int(size)} | {
        f"{name}_seconds": each for name, each in took.items()
    }


def postgres_search(*, day: str) -> Result:
    """Runs the hand-written query in PostgreSQL and fetches the flags."""
    met, flags, counts = hand_statements(day)
    with owner() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 2")
        give_code_lists(cursor, "%s", is_duckdb=False)
        cursor.execute("ANALYZE codes; ANALYZE pairs")

        def work() -> Result:
            cursor.execute(met)
            cursor.execute(flags)
            rows = len(cursor.fetchall())
            cursor.execute(counts)
            return {"flags": rows, "counts": dict(cursor.fetchall()), "is_on_server": True}

        return timed(work)


def postgres_drop() -> Result:
    """Gives the room back."""
    with owner() as cursor:
        cursor.execute("DROP TABLE IF EXISTS patients, records")
    return {"seconds": 0.0}


def make_csv(*, extracts: Sequence[str], folder: str) -> Result:
    """Writes the CSV files that three suppliers would send, rows in order of the person."""
    target = Path(folder)
    shutil.rmtree(target, ignore_errors=True)
    size = rows = 0
    with duckdb.connect(config={"memory_limit": "6GB", "temp_directory": str(target.parent / "spill")}) as duck:
        for extract in map(Path, extracts):
            (target / extract.name).mkdir(parents=True)
            for table in _EXTRACTS[extract.name]:
                stored = _files([str(extract)], "patients" if table == "patients" else "records")
                path = target / extract.name / f"{table}.csv"
                select = _CSV[table].format(rows=f"read_parquet({stored})")
                rows += duck.execute(f"COPY ({select}) TO '{path}' (HEADER)").fetchall()[0][0]
                size += path.stat().st_size
    return {"seconds": 0.0, "bytes": size, "rows": rows}


def bare_copy_to_parquet(*, folder: str, out: str) -> Result:
    """DuckDB's own COPY of the same CSV files, typed and sorted as the store is, without any check."""
    target = Path(out)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)

    def rows(name: str, table: str) -> str:
        path = Path(folder) / name / f"{table}.csv"
        with path.open() as lines:
            header = lines.readline().strip().split(",")
        columns = ", ".join(f"'{column}': '{_TYPES.get(column, 'VARCHAR')}'" for column in header)
        return f"read_csv('{path}', header = true, columns = {{{columns}}})"

    def work() -> Result:
        duck = duckdb.connect(config={"memory_limit": _LOAD_MEMORY_LIMIT, "temp_directory": str(target / "spill")})
        duck.execute("SET preserve_insertion_order = false")
        patients = f"SELECT * FROM {rows('gp', 'patients')} ORDER BY nhs_number"
        records = " UNION ALL ".join(
            f"SELECT nhs_number AS person, system, code, date, '{source}' AS source, {episode} AS episode,"
            f" {value} AS value FROM {rows(name, table)}"
            for name, table, source, episode, value in (
                ("gp", "events", "GP", "''", "value"),
                ("medicines", "medications", "MEDICINES", "''", "NULL::DOUBLE"),
                ("hospital", "admissions", "HOSPITAL", "episode", "NULL::DOUBLE"),
            )
        )
        records = f"SELECT * FROM ({records}) ORDER BY system, code, person, date"
        for name, select, group in (("patients", patients, 20_480), ("records", records, 122_880)):
            duck.execute(
                f"COPY ({select}) TO '{target / name}.parquet'"
                f" (FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, ROW_GROUP_SIZE {group})"
            )
        duck.close()
        return {}

    return timed(work)


def _prepare(people: int) -> None:
    """Makes the tables, the practices and the published criteria, if they are not there."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    django.setup()
    from django.core.management import call_command

    from cohort.actions.criteria import load_criteria_set
    from shielding.accounts.models import Organisation

    call_command("migrate", verbosity=0)
    Organisation.objects.bulk_create(
        [
            Organisation(code=code, name=f"Practice {code}", kind=Organisation.Kind.PRACTICE)
            for code in practices_for(people)
        ],
        ignore_conflicts=True,
    )
    load_criteria_set(at=_at(AS_AT))


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def ingest(*, people: int, folder: str, store: str, shards: int) -> Result:
    """Loads the CSV files as an operator does, one supplier after another."""
    os.environ |= {"EXTRACT_STORE": store, "EXTRACT_SHARDS": str(shards), "EXTRACT_MEMORY_LIMIT": _LOAD_MEMORY_LIMIT}
    shutil.rmtree(store, ignore_errors=True)
    _prepare(people)
    from cohort.actions.extracts import load_extract

    def work() -> Result:
        accepted = rejected = 0
        for name in _EXTRACTS:
            report = load_extract(folder=Path(folder) / name, supplier=name, as_at=AS_AT, at=_at(AS_AT))
            accepted += sum(table.accepted for table in report.tables)
            rejected += sum(table.rejected for table in report.tables)
        return {"accepted": accepted, "rejected": rejected}

    return timed(work)


def landing(*, people: int, results: str, extracts: Sequence[str], day: str) -> Result:
    """Lands a search in an empty database."""
    _prepare(people)
    from cohort.actions.landing import land
    from cohort.models import SearchRun
    from cohort.queries.criteria import criteria_in_force

    on = date.fromisoformat(day)
    run = SearchRun.objects.create(state="RUNNING", search_date=on, requested_at=_at(on), started_at=_at(on))
    run.criteria.set(criteria_in_force())
    patients = [Path(path) for path in _files(extracts, "patients")]
    return timed(
        lambda: {
            "flagged": land(
                run_id=run.pk, results=Path(results), patients=patients, as_at=on, at=_at(on)
            ).people_flagged
        }
    )


def bare_copy_to_tables(*, folder: str) -> Result:
    """COPY of what landed, into tables like those it landed in, with their indexes but without triggers and keys."""
    rows: dict[str, int] = {}
    took: dict[str, float] = {}
    with owner() as cursor, tempfile.TemporaryDirectory(dir=folder) as scratch:
        for table in LANDED:
            path = Path(scratch) / f"{table}.copy"
            with path.open("wb") as stream:
                cursor.copy_expert(f"COPY {table} TO STDOUT (FORMAT binary)", stream)
            cursor.execute(f"DROP TABLE IF EXISTS bare_{table}")
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            began = time.monotonic()
            with path.open("rb") as stream:
                cursor.copy_expert(f"COPY bare_{table} FROM STDIN (FORMAT binary)", stream)
            took[table] = time.monotonic() - began
            rows[table] = cursor.rowcount
            cursor.execute(f"DROP TABLE bare_{table}")
            path.unlink()
    return {"seconds": sum(took.values()), "rows": rows, "each": took}
