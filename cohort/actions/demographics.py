"""People's details, brought up to date from an extract: addresses, phones, deaths, holds.

Only people who are in PostgreSQL already are refreshed; a search brings new ones.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from django.conf import settings
from django.db import connection, transaction

from cohort.actions.amendments import hold_amendments
from cohort.actions.facts import ask_again
from cohort.actions.order import reorder
from cohort.queries.extracts import PATIENT_FIELDS
from cohort.rules import Recheck

_PRIVATE = ".private-"
_ARRAYS = {"address_lines", "unsafe_channels"}


def refresh_people(*, patients: Path, as_at: date, at: datetime) -> int:
    """Brings everybody in PostgreSQL up to date with a file of an extract's patients.

    Returns how many people's rows changed. Details newer than `as_at` stay as they are.
    """
    with transaction.atomic(), connection.cursor() as cursor, private_database() as duck:
        with private_folder() as folder:
            known = folder / "known.csv"
            with known.open("wb") as stream:
                cursor.copy_expert("COPY (SELECT nhs_number FROM cohort_patient) TO STDOUT (FORMAT csv)", stream)
            duck.execute(
                "CREATE TABLE known AS SELECT person FROM read_csv(?, header=false, columns={'person': 'BIGINT'})",
                [str(known)],
            )
        plan_for_whole_tables(cursor)
        people = duck.read_parquet(str(patients))
        copy_people(cursor, people.query("people", "SELECT people.* FROM people SEMI JOIN known USING (person)"))
        return update_people(cursor, as_at=as_at, at=at)


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Yields a folder that is removed afterwards, beside the data: people's details go nowhere else.

    Those of processes that were killed, which hold no lock any more, go when the next is made.
    """
    settings.RUN_FOLDER.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        with _locked(settings.RUN_FOLDER, wait=True):
            for left in settings.RUN_FOLDER.glob(f"{_PRIVATE}*"):
                with contextlib.suppress(BlockingIOError, FileNotFoundError), _locked(left, wait=False):
                    shutil.rmtree(left, ignore_errors=True)
            folder = held.enter_context(tempfile.TemporaryDirectory(dir=settings.RUN_FOLDER, prefix=_PRIVATE))
            held.enter_context(_locked(Path(folder), wait=False))
        yield Path(folder)


@contextlib.contextmanager
def _locked(folder: Path, *, wait: bool) -> Iterator[None]:
    """Holds a lock that ends with the process. Raises BlockingIOError where another has it and we do not wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def private_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a DuckDB in memory; what does not fit goes into a private folder, and never where it was started."""
    with (
        private_folder() as folder,
        duckdb.connect(config={"temp_directory": str(folder), "memory_limit": settings.EXTRACT_MEMORY_LIMIT}) as duck,
    ):
        yield duck


def plan_for_whole_tables(cursor: Any) -> None:
    """Has the rest of the transaction join by hash, whatever PostgreSQL believes of the tables' sizes.

    Tables that were analysed before they were filled seem empty, and a join of 30,000 rows with as many, planned as
    a loop within a loop, took 126 seconds instead of four.
    """
    cursor.execute("SET LOCAL enable_nestloop = off")


def check_as_it_goes(cursor: Any) -> None:
    """Has foreign keys checked with each statement for the rest of the transaction, not all of them at its end.

    What waits for the end is held in memory, and each row of history ends a subtransaction, at which PostgreSQL
    goes through everything that waits: with thousands of people's checks that took half of the time and more.
    """
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def copy_people(cursor: Any, people: duckdb.DuckDBPyRelation) -> None:
    """Copies rows of the extract store's patients into the temporary table `landing_people`."""
    cursor.execute(
        "DROP TABLE IF EXISTS landing_people; CREATE TEMPORARY TABLE landing_people ON COMMIT DROP AS"
        f" SELECT nhs_number, nhs_number AS practice_code, {', '.join(PATIENT_FIELDS)} FROM cohort_patient WITH NO DATA"
    )
    selection = ", ".join(_postgres_array(name) if name in _ARRAYS else name for name in PATIENT_FIELDS)
    copy_rows(cursor, people.project(f"lpad(person::VARCHAR, 10, '0'), practice_code, {selection}"), "landing_people")
    cursor.execute("ANALYZE landing_people (nhs_number, practice_code)")


def copy_rows(cursor: Any, rows: duckdb.DuckDBPyRelation, table: str) -> None:
    """Streams a DuckDB relation into a table through one temporary CSV file."""
    with private_folder() as folder:
        file = folder / "rows.csv"
        rows.write_csv(str(file), header=False, na_rep="\\N")
        with file.open() as stream:
            cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv, NULL '\\N')", stream)


def insert_people(cursor: Any, *, as_at: date) -> None:
    """Inserts the people of `landing_people` who are not there yet. Run `update_people` for the others first."""
    names = ", ".join(PATIENT_FIELDS)
    cursor.execute(
        f"INSERT INTO cohort_patient (id, nhs_number, practice_id, as_at, {names})"
        f" SELECT gen_random_uuid(), l.nhs_number, o.id, %s, {', '.join(f'l.{name}' for name in PATIENT_FIELDS)}"
        " FROM landing_people l JOIN accounts_organisation o ON o.code = l.practice_code AND o.kind = 'PRACTICE'"
        # To leave millions who are there to ON CONFLICT takes many times as long.
        " WHERE NOT EXISTS (SELECT 1 FROM cohort_patient p WHERE p.nhs_number = l.nhs_number)"
        " ON CONFLICT (nhs_number) DO NOTHING",
        [as_at],
    )


def update_people(cursor: Any, *, as_at: date, at: datetime) -> int:
    """Updates the people of `landing_people` who are there with older or other details; returns how many.

    What practices have mended stands, as far as `cohort.amending` lets it.

    Whoever has registered with another practice moves to its newest list, where it has one: those who wait
    for review, and those whom the old practice decided to keep, or let go because they moved. Of these the
    new practice is asked again; and so is the practice of whoever is, since it decided, to be contacted
    otherwise or not at all. Their places on the lists follow their names.
    """
    held: set[int] = set()
    hold_amendments(cursor, as_at=as_at, at=at, done=held)
    ask_again(patient_ids=_contacted_otherwise(cursor, as_at=as_at), why=Recheck.DETAILS_CHANGED, at=at)
    changed = _take_details(cursor, as_at=as_at)
    # Whoever mended a detail before its row was ours is heard now; from here on they wait for us.
    while hold_amendments(cursor, as_at=as_at, at=at, done=held):
        changed += _take_details(cursor, as_at=as_at)
    # On the list of the practice they left nobody may see them.
    cursor.execute(
        "UPDATE cohort_listentry e SET practice_list_id = newest.id, listed_at = %(at)s,"
        "  recheck = CASE WHEN e.review_state = 'TO_REVIEW' THEN '' ELSE 'MOVED_HERE' END,"
        "  recheck_at = CASE WHEN e.review_state = 'TO_REVIEW' THEN NULL ELSE %(at)s END"
        " FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        " JOIN LATERAL (SELECT x.id FROM cohort_practicelist x WHERE x.practice_id = p.practice_id"
        "  ORDER BY x.submitted_at IS NOT NULL, x.due_date DESC, x.id LIMIT 1) newest ON true"
        " WHERE e.patient_id = p.id AND (e.review_state IN ('TO_REVIEW', 'CONFIRMED', 'ADDED')"
        "  OR e.removal_reason = 'MOVED_AWAY') AND NOT EXISTS ("
        "  SELECT 1 FROM cohort_practicelist x WHERE x.id = e.practice_list_id AND x.practice_id = p.practice_id)",
        {"at": at},
    )
    reorder(cursor)
    return changed


def _contacted_otherwise(cursor: Any, *, as_at: date) -> list[UUID]:
    """Returns whom `landing_people` changes how to contact safely, or whether at all, of those a practice decided.

    Restricted or not is part of it, and dead or alive: that a reported death is registered is not, nor the death
    of somebody who was taken off.
    """
    cursor.execute(
        "SELECT p.id FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        " JOIN accounts_organisation o ON o.code = l.practice_code AND o.kind = 'PRACTICE'"
        " JOIN cohort_listentry e ON e.patient_id = p.id"
        " WHERE p.as_at <= %s AND e.review_state IN ('CONFIRMED', 'REMOVED', 'ADDED')"
        " AND (p.safe_contact_instruction <> l.safe_contact_instruction OR p.is_restricted <> l.is_restricted"
        "  OR NOT (p.unsafe_channels @> l.unsafe_channels AND p.unsafe_channels <@ l.unsafe_channels)"
        "  OR (p.death_status = '' AND l.death_status <> '' AND e.review_state <> 'REMOVED')"
        "  OR (p.death_status <> '' AND l.death_status = ''))",
        [as_at],
    )
    return [UUID(str(row[0])) for row in cursor.fetchall()]


def _take_details(cursor: Any, *, as_at: date) -> int:
    """Writes the details of `landing_people` over older or other ones; returns of how many people."""
    cursor.execute(
        f"UPDATE cohort_patient p SET practice_id = o.id, as_at = %(as_at)s,"
        f" {', '.join(f'{name} = l.{name}' for name in PATIENT_FIELDS)}"
        " FROM landing_people l JOIN accounts_organisation o ON o.code = l.practice_code AND o.kind = 'PRACTICE'"
        " WHERE p.nhs_number = l.nhs_number AND p.as_at <= %(as_at)s"
        f" AND (p.practice_id, p.as_at, {', '.join(f'p.{name}' for name in PATIENT_FIELDS)})"
        f" IS DISTINCT FROM (o.id, %(as_at)s::date, {', '.join(f'l.{name}' for name in PATIENT_FIELDS)})",
        {"as_at": as_at},
    )
    return int(cursor.rowcount)


def _postgres_array(name: str) -> str:
    """Returns SQL that spells a list of strings as a PostgreSQL array literal."""
    quoted = r"""'"' || replace(replace(item, '\', '\\'), '"', '\"') || '"'"""
    return f"'{{' || array_to_string(list_transform({name}, lambda item: {quoted}), ',') || '}}'"
