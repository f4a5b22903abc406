"""Landing a search: what it found anew becomes patients, flags, evidence and list entries, whole or not at all.

Everything goes through COPY into temporary tables and a handful of set-based statements, because a
national search lands two million people; one a week later lands what differs. Landing twice changes
nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from cohort.actions.demographics import check_as_it_goes, insert_people, plan_for_whole_tables, update_people
from cohort.actions.facts import recompute
from cohort.actions.order import sort_key
from cohort.actions.results import LandingError, copy_evidence, differences
from cohort.models import SearchRun
from cohort.rules import RunState

__all__ = ["LandingError", "land"]

NO_LONGER_FOUND = "The search no longer finds them"


def land(*, run_id: UUID, results: Path, patients: Sequence[Path], as_at: date, at: datetime) -> SearchRun:
    """Lands the results of a running search in one transaction and returns the run, LANDED.

    `results` is the `out` of `cohort.search.engine`; `patients` are the files of the people searched,
    and `as_at` dates their details. A flag on the same evidence goes on standing; new ones begin, and
    those of people who were searched and no longer meet the criterion end. New people come on the list
    unless a clinician's request says otherwise, wait for their practice's review, and every open
    practice that has new people, or has never had a list, gets one, due in `settings.VALIDATION_DAYS`.
    Whoever has lost their last flag is no longer held by the search's word: unreviewed, they lapse, and
    found again they are new to their practice. Practices are asked once more about those they have decided
    whom a criterion finds anew, and about those they keep whom one finds no longer. A run that has landed
    or was cancelled is returned as it is. Raises LandingError where a practice or criterion of the results
    is not known.
    """
    with transaction.atomic():
        run = SearchRun.objects.select_for_update().get(pk=run_id)
        if run.state != RunState.RUNNING:
            return run
        with connection.cursor() as cursor, differences(cursor, run, results=results, patients=patients) as found:
            plan_for_whole_tables(cursor)
            check_as_it_goes(cursor)
            _check_practices(cursor)
            _lock_entries(cursor)
            update_people(cursor, as_at=as_at, at=at)
            insert_people(cursor, as_at=as_at)
            _end_flags(cursor, run)
            _insert_flags(cursor, run)
            copy_evidence(cursor, found)
            lost = _withdraw_facts(cursor, run, at=at)
            known = _insert_facts(cursor, run, at=at)
            _insert_lists(cursor, run, at=at)
            _place_entries(cursor, run, at=at)
            _grade(cursor)
            _ask_again(cursor, run, at=at)
            _insert_counts(cursor, run)
        recompute(patient_ids=lost + known, at=at)
        run.people_flagged = found.people_flagged
        run.people_not_searched = found.people_not_searched
        run.state = RunState.LANDED.value
        run.finished_at = at
        run.percent = 100
        run.doing = ""
        run.save()
    return run


def _check_practices(cursor: Any) -> None:
    cursor.execute(
        "SELECT count(*) FROM landing_people l WHERE NOT EXISTS ("
        " SELECT 1 FROM accounts_organisation o WHERE o.code = l.practice_code AND o.kind = 'PRACTICE')"
    )
    if (unknown := cursor.fetchone()[0]) > 0:
        raise LandingError(f"{unknown} people are registered at practices that are not in the reference data.")


def _lock_entries(cursor: Any) -> None:
    """Locks the entries that will change in the order of their ids, as whoever decides about many does."""
    cursor.execute(
        "SELECT count(*) FROM (SELECT e.patient_id FROM cohort_listentry e WHERE e.patient_id IN ("
        "  SELECT p.id FROM landing_strength JOIN cohort_patient p USING (nhs_number)"
        "  UNION SELECT p.id FROM landing_people l JOIN cohort_patient p USING (nhs_number)"
        "  JOIN accounts_organisation o ON o.code = l.practice_code AND o.kind = 'PRACTICE'"
        "  WHERE (o.id, l.family_name, l.given_name) IS DISTINCT FROM (p.practice_id, p.family_name, p.given_name))"
        " ORDER BY e.patient_id FOR UPDATE) locked"
    )


def _end_flags(cursor: Any, run: SearchRun) -> None:
    cursor.execute(
        "UPDATE cohort_flag f SET ended_in_id = %s FROM landing_ended e WHERE f.id = e.flag_id",
        [run.pk],
    )


def _insert_flags(cursor: Any, run: SearchRun) -> None:
    cursor.execute(
        "INSERT INTO cohort_flag (id, run_id, patient_id, criterion_version_id, fingerprint)"
        " SELECT l.id, %s, p.id, l.criterion_version_id, l.fingerprint"
        " FROM landing_flags l JOIN cohort_patient p USING (nhs_number)",
        [run.pk],
    )
    landed = cursor.rowcount
    cursor.execute("SELECT count(*) FROM landing_flags")
    if landed != cursor.fetchone()[0]:
        raise LandingError("Some flags are about people whose details are not in the results.")


def _withdraw_facts(cursor: Any, run: SearchRun, *, at: datetime) -> list[Any]:
    """Withdraws the search's word about those whose last flag has ended, and returns these patients."""
    cursor.execute(
        "INSERT INTO cohort_listfact (patient_id, source, request, reason, at, run_id, withdraws_id)"
        " SELECT fact.patient_id, 'ALGORITHM', '', %(reason)s, %(at)s, %(run)s, fact.id"
        " FROM (SELECT DISTINCT f.patient_id FROM landing_ended e JOIN cohort_flag f ON f.id = e.flag_id) was"
        " JOIN cohort_listfact fact ON fact.patient_id = was.patient_id"
        "  AND fact.source = 'ALGORITHM' AND fact.request = 'ADD'"
        " WHERE NOT EXISTS (SELECT 1 FROM cohort_listfact back WHERE back.withdraws_id = fact.id)"
        " AND NOT EXISTS (SELECT 1 FROM cohort_flag f WHERE f.patient_id = was.patient_id AND f.ended_in_id IS NULL)"
        " RETURNING patient_id",
        {"reason": NO_LONGER_FOUND, "at": at, "run": run.pk},
    )
    return [row[0] for row in cursor.fetchall()]


def _insert_facts(cursor: Any, run: SearchRun, *, at: datetime) -> list[Any]:
    """Says that those found anew are to be on the list, and returns those of whom more is known than that."""
    cursor.execute(
        "INSERT INTO cohort_listfact (patient_id, source, request, reason, at, run_id)"
        " SELECT DISTINCT p.id, 'ALGORITHM', 'ADD', '', %s::timestamptz, %s::uuid"
        " FROM landing_flags l JOIN cohort_patient p USING (nhs_number)"
        " WHERE NOT EXISTS (SELECT 1 FROM cohort_listfact fact WHERE fact.patient_id = p.id"
        "  AND fact.source = 'ALGORITHM' AND fact.request = 'ADD'"
        "  AND NOT EXISTS (SELECT 1 FROM cohort_listfact back WHERE back.withdraws_id = fact.id))",
        [at, run.pk],
    )
    cursor.execute(
        "DROP TABLE IF EXISTS landing_facts;"
        "CREATE TEMPORARY TABLE landing_facts ON COMMIT DROP AS SELECT f.id, f.patient_id, p.practice_id"
        " FROM cohort_listfact f JOIN cohort_patient p ON p.id = f.patient_id"
        " WHERE f.run_id = %s AND f.source = 'ALGORITHM' AND f.request = 'ADD'",
        [run.pk],
    )
    cursor.execute("ANALYZE landing_facts")
    cursor.execute(
        "SELECT f.patient_id FROM landing_facts f WHERE EXISTS ("
        " SELECT 1 FROM cohort_listfact other WHERE other.patient_id = f.patient_id AND other.id <> f.id)"
    )
    return [row[0] for row in cursor.fetchall()]


def _insert_lists(cursor: Any, run: SearchRun, *, at: datetime) -> None:
    """A practice with new people gets a list; so does one that never had any, so that it can add people."""
    cursor.execute(
        "INSERT INTO cohort_practicelist (id, run_id, practice_id, due_date)"
        " SELECT gen_random_uuid(), %(run)s, o.id, %(due)s FROM accounts_organisation o"
        " WHERE o.kind = 'PRACTICE' AND o.closed_date IS NULL AND ("
        "  NOT EXISTS (SELECT 1 FROM cohort_practicelist x WHERE x.practice_id = o.id)"
        "  OR o.id IN (SELECT f.practice_id FROM landing_facts f WHERE NOT EXISTS ("
        "     SELECT 1 FROM cohort_listentry e WHERE e.patient_id = f.patient_id AND e.review_state <> 'LAPSED')))",
        {"run": run.pk, "due": at.date() + timedelta(days=settings.VALIDATION_DAYS)},
    )


def _place_entries(cursor: Any, run: SearchRun, *, at: datetime) -> None:
    """Gives new people an entry on their practice's list, and those found again after lapsing a place on it."""
    cursor.execute(
        "UPDATE cohort_listentry e SET is_flagged = true, practice_list_id ="
        "  CASE WHEN e.review_state = 'LAPSED' THEN pl.id ELSE e.practice_list_id END,"
        "  listed_at = CASE WHEN e.review_state = 'LAPSED' THEN %s ELSE e.listed_at END"
        " FROM landing_facts f LEFT JOIN cohort_practicelist pl ON pl.run_id = %s AND pl.practice_id = f.practice_id"
        " WHERE e.patient_id = f.patient_id AND (NOT e.is_flagged OR e.review_state = 'LAPSED')",
        [at, run.pk],
    )
    cursor.execute(
        "INSERT INTO cohort_listentry (patient_id, is_on_list, because_id, changed_at, is_flagged, practice_list_id,"
        "  review_state, removal_reason, removal_detail, listed_at, strength, sort_key)"
        " SELECT f.patient_id, true, f.id, %(at)s, true, pl.id, 'TO_REVIEW', '', '', %(at)s, s.strength,"
        f" {sort_key('s.strength', 'p')} FROM landing_facts f"
        " JOIN cohort_patient p ON p.id = f.patient_id JOIN landing_strength s USING (nhs_number)"
        " LEFT JOIN cohort_practicelist pl ON pl.run_id = %(run)s AND pl.practice_id = f.practice_id"
        " ON CONFLICT (patient_id) DO NOTHING",
        {"at": at, "run": run.pk},
    )


def _grade(cursor: Any) -> None:
    """Writes how strong the evidence is now of those who were on a list before."""
    cursor.execute(
        f"UPDATE cohort_listentry e SET strength = s.strength, sort_key = {sort_key('s.strength', 'p')}"
        " FROM landing_strength s JOIN cohort_patient p USING (nhs_number)"
        " WHERE e.patient_id = p.id AND e.strength <> s.strength"
    )


def _ask_again(cursor: Any, run: SearchRun, *, at: datetime) -> None:
    """Has practices look again at those they decided of whom the search says something else than it did.

    That is another criterion, not another version of one nor other evidence for it. Whom a criterion finds
    no longer, and the practice had taken off, is as the practice said.
    """
    cursor.execute(
        "DROP TABLE IF EXISTS landing_reasons; CREATE TEMPORARY TABLE landing_reasons ON COMMIT DROP AS"
        " SELECT f.patient_id, v.criterion_id,"
        "  bool_or(f.run_id <> %(run)s) AS was, bool_or(f.ended_in_id IS NULL) AS stands"
        " FROM cohort_flag f JOIN cohort_criterionversion v ON v.id = f.criterion_version_id"
        " WHERE (f.ended_in_id IS NULL OR f.ended_in_id = %(run)s) AND f.patient_id IN ("
        "  SELECT e.patient_id FROM landing_strength s JOIN cohort_patient p USING (nhs_number)"
        "  JOIN cohort_listentry e ON e.patient_id = p.id WHERE e.review_state IN ('CONFIRMED', 'REMOVED', 'ADDED'))"
        " GROUP BY f.patient_id, v.criterion_id",
        {"run": run.pk},
    )
    cursor.execute(
        "UPDATE cohort_listentry e SET recheck_at = %s, recheck = CASE WHEN r.is_new THEN 'REASON_NEW'"
        "  ELSE 'REASON_GONE' END FROM ("
        "  SELECT patient_id, bool_or(NOT was) AS is_new, bool_or(NOT stands) AS is_gone FROM landing_reasons"
        "  GROUP BY patient_id) r"
        " WHERE e.patient_id = r.patient_id AND e.recheck <> 'MOVED_HERE'"
        " AND (r.is_new OR (r.is_gone AND e.review_state <> 'REMOVED'))",
        [at],
    )


def _insert_counts(cursor: Any, run: SearchRun) -> None:
    cursor.execute(
        "INSERT INTO cohort_searchcount (run_id, criterion_version_id, practice_id, people)"
        " SELECT %s, l.criterion_version_id, o.id, l.people FROM landing_counts l"
        " JOIN accounts_organisation o ON o.code = l.practice_code AND o.kind = 'PRACTICE'",
        [run.pk],
    )
