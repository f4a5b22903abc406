"""Landing a search: its Parquet results become patients, flags, evidence and list entries, whole or not at all.

Everything goes through COPY into temporary tables and a handful of set-based statements, because a
national search lands two million people. Landing twice changes nothing.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from django.conf import settings
from django.db import connection, transaction

from cohort.actions.demographics import copy_people, copy_rows, insert_people, update_people
from cohort.actions.facts import recompute
from cohort.models import SearchRun
from cohort.rules import RunState


class LandingError(Exception):
    """The results do not fit the reference data; nothing was landed. The message names no person."""


def land(*, run_id: UUID, results: Path, as_at: date, at: datetime) -> SearchRun:
    """Lands the results of a running search in one transaction and returns the run, LANDED.

    `results` holds `people`, `flags`, `evidence` and `counts` as `.parquet` (see `cohort.search.engine`).
    `as_at` dates the people's details. New people come on the list unless a clinician's request says
    otherwise, wait for their practice's review, and every open practice that has new people, or has
    never had a list, gets one, due in `settings.VALIDATION_DAYS`. A run that has landed is returned as
    it is. Raises LandingError where a practice or criterion of the results is not known.
    """
    with transaction.atomic():
        run = SearchRun.objects.select_for_update().get(pk=run_id)
        if run.state == RunState.LANDED:
            return run
        with connection.cursor() as cursor:
            _copy_results(cursor, results)
            _check_known(cursor, run)
            update_people(cursor, as_at=as_at)
            insert_people(cursor, as_at=as_at)
            _insert_flags(cursor, run)
            _insert_lists(cursor, run, at=at)
            known = _insert_facts_and_entries(cursor, run, at=at)
            _insert_counts(cursor, run)
            cursor.execute("SELECT count(*) FROM landing_people")
            (run.people_flagged,) = cursor.fetchone()
        recompute(patient_ids=known, at=at)
        run.state = RunState.LANDED.value
        run.finished_at = at
        run.percent = 100
        run.doing = ""
        run.save()
    return run


def _copy_results(cursor: Any, results: Path) -> None:
    """Copies the Parquet files into temporary tables."""
    cursor.execute(
        "DROP TABLE IF EXISTS landing_flags, landing_evidence, landing_counts, landing_criteria;"
        "CREATE TEMPORARY TABLE landing_flags (nhs_number text, criterion text) ON COMMIT DROP;"
        "CREATE TEMPORARY TABLE landing_evidence (nhs_number text, criterion text, clause text, system text,"
        " code text, event_date date, source text, detail text, code_list text) ON COMMIT DROP;"
        "CREATE TEMPORARY TABLE landing_counts (criterion text, practice_code text, people int) ON COMMIT DROP;"
    )
    person = "lpad(person::VARCHAR, 10, '0')"
    with duckdb.connect() as duck:
        copy_people(cursor, duck.read_parquet(str(results / "people.parquet")))
        for table, columns in {
            "flags": f"{person}, criterion",
            "evidence": f"{person}, criterion, clause, system, code, event_date, source, detail, code_list",
            "counts": "criterion, practice_code, people::BIGINT",
        }.items():
            rows = duck.read_parquet(str(results / f"{table}.parquet"))
            copy_rows(cursor, rows.project(columns), f"landing_{table}")
    cursor.execute("ANALYZE landing_flags; ANALYZE landing_evidence")


def _check_known(cursor: Any, run: SearchRun) -> None:
    cursor.execute(
        "SELECT count(*) FROM landing_people l WHERE NOT EXISTS ("
        " SELECT 1 FROM accounts_organisation o WHERE o.code = l.practice_code AND o.kind = 'PRACTICE')"
    )
    if (unknown := cursor.fetchone()[0]) > 0:
        raise LandingError(f"{unknown} people are registered at practices that are not in the reference data.")
    cursor.execute(
        "CREATE TEMPORARY TABLE landing_criteria ON COMMIT DROP AS"
        " SELECT c.slug, v.id FROM cohort_searchrun_criteria r"
        " JOIN cohort_criterionversion v ON v.id = r.criterionversion_id"
        " JOIN cohort_criterion c ON c.id = v.criterion_id"
        " WHERE r.searchrun_id = %s",
        [run.pk],
    )
    cursor.execute("SELECT count(*) FROM landing_flags WHERE criterion NOT IN (SELECT slug FROM landing_criteria)")
    if cursor.fetchone()[0] > 0:
        raise LandingError("The results name a criterion that this run does not have.")


def _insert_flags(cursor: Any, run: SearchRun) -> None:
    cursor.execute(
        "INSERT INTO cohort_flag (run_id, patient_id, criterion_version_id)"
        " SELECT %s, p.id, c.id FROM landing_flags l"
        " JOIN cohort_patient p USING (nhs_number) JOIN landing_criteria c ON c.slug = l.criterion",
        [run.pk],
    )
    landed = cursor.rowcount
    cursor.execute("SELECT count(*) FROM landing_flags")
    if landed != cursor.fetchone()[0]:
        raise LandingError("Some flags are about people whose details are not in the results.")
    cursor.execute(
        "INSERT INTO cohort_evidence"
        " (flag_id, clause, system, code, term, event_date, source, detail, code_list_version_id)"
        " SELECT f.id, l.clause, l.system, l.code, coalesce(t.term, ''), l.event_date, l.source, l.detail, v.id"
        " FROM landing_evidence l"
        " JOIN cohort_patient p USING (nhs_number) JOIN landing_criteria c ON c.slug = l.criterion"
        " JOIN cohort_flag f ON f.run_id = %s AND f.patient_id = p.id AND f.criterion_version_id = c.id"
        " LEFT JOIN (SELECT cv.criterionversion_id, cl.slug, v.id FROM cohort_criterionversion_code_lists cv"
        "   JOIN cohort_codelistversion v ON v.id = cv.codelistversion_id"
        "   JOIN cohort_codelist cl ON cl.id = v.code_list_id) v"
        "  ON v.criterionversion_id = c.id AND v.slug = l.code_list"
        " LEFT JOIN (SELECT version_id, system, code, max(term) AS term FROM cohort_codelistcode"
        "   GROUP BY version_id, system, code) t"
        "  ON t.version_id = v.id AND t.system = l.system AND t.code = l.code",
        [run.pk],
    )


def _insert_lists(cursor: Any, run: SearchRun, *, at: datetime) -> None:
    """A practice with new people gets a list; so does one that never had any, so that it can add people."""
    cursor.execute(
        "INSERT INTO cohort_practicelist (id, run_id, practice_id, due_date)"
        " SELECT gen_random_uuid(), %(run)s, o.id, %(due)s FROM accounts_organisation o"
        " WHERE o.kind = 'PRACTICE' AND o.closed_date IS NULL AND ("
        "  NOT EXISTS (SELECT 1 FROM cohort_practicelist x WHERE x.practice_id = o.id)"
        "  OR EXISTS (SELECT 1 FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        "     WHERE p.practice_id = o.id AND NOT EXISTS (SELECT 1 FROM cohort_listentry e WHERE e.patient_id = p.id)))",
        {"run": run.pk, "due": at.date() + timedelta(days=settings.VALIDATION_DAYS)},
    )


def _insert_facts_and_entries(cursor: Any, run: SearchRun, *, at: datetime) -> list[Any]:
    """Returns the patients who had an entry already: their standing is for `recompute` to say."""
    cursor.execute(
        "INSERT INTO cohort_listfact (patient_id, source, request, reason, at, run_id)"
        " SELECT p.id, 'ALGORITHM', 'ADD', '', %s, %s FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        " ON CONFLICT (patient_id, source) WHERE source = 'ALGORITHM' DO NOTHING",
        [at, run.pk],
    )
    cursor.execute(
        "UPDATE cohort_listentry e SET is_flagged = true FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        " WHERE e.patient_id = p.id AND NOT e.is_flagged RETURNING e.patient_id"
    )
    known = [row[0] for row in cursor.fetchall()]
    cursor.execute(
        "INSERT INTO cohort_listentry (patient_id, is_on_list, because_id, changed_at, is_flagged, practice_list_id,"
        "  review_state, removal_reason, removal_detail)"
        " SELECT p.id, true, f.id, %(at)s, true, pl.id, 'TO_REVIEW', '', ''"
        " FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        " JOIN cohort_listfact f ON f.patient_id = p.id AND f.source = 'ALGORITHM'"
        " LEFT JOIN cohort_practicelist pl ON pl.run_id = %(run)s AND pl.practice_id = p.practice_id"
        " ON CONFLICT (patient_id) DO NOTHING",
        {"at": at, "run": run.pk},
    )
    return known


def _insert_counts(cursor: Any, run: SearchRun) -> None:
    cursor.execute(
        "INSERT INTO cohort_searchcount (run_id, criterion_version_id, practice_id, people)"
        " SELECT %s, c.id, o.id, l.people FROM landing_counts l JOIN landing_criteria c ON c.slug = l.criterion"
        " JOIN accounts_organisation o ON o.code = l.practice_code AND o.kind = 'PRACTICE'",
        [run.pk],
    )
