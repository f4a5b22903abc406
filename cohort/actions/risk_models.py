"""Population risk models' lists: whom a model flags comes on the list, unless a clinician said otherwise.

Set-based, since a model may flag a million people. A preview is the same work, rolled back.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cohort.actions.demographics import copy_rows, plan_for_whole_tables, private_database
from cohort.actions.facts import recompute
from cohort.actions.newcomers import bring_in
from cohort.actions.order import sort_key
from cohort.extracts.risk_lists import LineError, ReadList, UnusableList, read_list
from cohort.models import RiskList, SearchRun
from cohort.policies import check_can_run_search
from shielding.accounts.models import Membership

NO_LONGER_FLAGGED = "No longer on the risk model's list"
#: A list in which more of the lines than this are in error is refused.
REJECT_ABOVE = 0.1


class RiskListRefused(Exception):
    """Nothing was changed; the message says why, and `errors` which lines are wrong."""

    def __init__(self, why: str, errors: tuple[LineError, ...] = ()) -> None:
        self.errors = errors
        super().__init__(why)


@dataclass(frozen=True)
class RiskListCounts:
    """What a list does, in people but for the first two. `flagged` = found + not_found; found = the next four.

    `added` come on the list; `on_list_already` were on it for another reason; `kept_off` stay off by a
    clinician's or their own request; `said_before` were on an earlier list of the model, still standing.
    Of those `withdrawn`, who are no longer on the model's list, `came_off` are on the list no more.
    """

    lines: int
    lines_in_error: int
    not_flagged: int
    flagged: int
    not_found: int = 0
    added: int = 0
    on_list_already: int = 0
    kept_off: int = 0
    said_before: int = 0
    withdrawn: int = 0
    came_off: int = 0


@dataclass(frozen=True)
class RiskListReport:
    """A list that was loaded or previewed, what it does, and the lines that are left out."""

    risk_list: RiskList
    counts: RiskListCounts
    errors: tuple[LineError, ...] = field(default=())
    is_new: bool = True


def preview_risk_list(*, file: Path, threshold: float | None, by: Membership, at: datetime) -> RiskListReport:
    """Returns what loading the file now would do, and changes nothing. Raises as `load_risk_list`."""
    with transaction.atomic():
        report = load_risk_list(file=file, threshold=threshold, by=by, at=at)
        transaction.set_rollback(True)
    return report


def load_risk_list(*, file: Path, threshold: float | None, by: Membership | None, at: datetime) -> RiskListReport:
    """Loads a list (docs/operating.md) in one transaction and returns what it did; the same file again does nothing.

    Everybody it flags whom the newest extracts know gets a fact of the risk model, with the details of the
    extract where they are new, and waits for their practice's review. Those of an earlier list of the same
    model who are not flagged any more have that fact withdrawn, but not while lines are in error: they may be
    one of those. `by` is None for the command, whoever may run it.

    Raises NotAllowed, and RiskListRefused where the file cannot be used, is older than the model's newest
    list, has too many lines in error, or no search has landed yet.
    """
    if by is not None:
        check_can_run_search(by)
    try:
        read = read_list(file, on=timezone.localdate(at), threshold=threshold)
    except UnusableList as error:
        raise RiskListRefused(str(error)) from error
    wrong = len({error.line for error in read.errors})
    if wrong > read.rows * REJECT_ABOVE:
        raise RiskListRefused(
            f"{wrong:,} of {read.rows:,} lines are in error, more than {REJECT_ABOVE:.0%}.", read.errors
        )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('cohort_risklist'))")
        plan_for_whole_tables(cursor)
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        same = RiskList.objects.filter(model=read.model, sha256=sha256, threshold=threshold).first()
        if same is not None:
            return RiskListReport(same, RiskListCounts(**same.counts), read.errors, is_new=False)
        run = _check_in_order(read)
        counts = _land(cursor, read, run, wrong=wrong, by=by, at=at)
        risk_list = RiskList.objects.create(
            model=read.model,
            version=read.version,
            as_at=read.as_at,
            threshold=threshold,
            sha256=sha256,
            loaded_at=at,
            loaded_by_id=by.user_id if by else None,
            counts=asdict(counts),
        )
        cursor.execute(
            "INSERT INTO cohort_risklistfact (risk_list_id, fact_id) SELECT %s, id FROM risk_facts", [risk_list.pk]
        )
    return RiskListReport(risk_list, counts, read.errors)


def _check_in_order(read: ReadList) -> SearchRun:
    newest = RiskList.objects.filter(model=read.model).order_by("-as_at").first()
    if newest is not None and read.as_at < newest.as_at:
        raise RiskListRefused(
            f"The list is of {read.as_at}, and one of {newest.as_at} has been loaded. An older list would withdraw"
            " people whom the newer one names."
        )
    run = SearchRun.objects.filter(state="LANDED").order_by("-finished_at").first()
    if run is None:
        raise RiskListRefused("No search has finished yet. People wait on the practice lists that a search makes.")
    return run


def _land(
    cursor: Any, read: ReadList, run: SearchRun, *, wrong: int, by: Membership | None, at: datetime
) -> RiskListCounts:
    _copy_flagged(cursor, read.flagged)
    bring_in(cursor, read.flagged, at=at)
    _prepare(cursor, read.model)
    reason = f"{read.model} {read.version}, {read.as_at:%-d %B %Y}"
    user, organisation = (by.user_id, by.organisation_id) if by else (None, None)
    cursor.execute(
        "INSERT INTO cohort_listfact (patient_id, source, request, reason, at, by_id, organisation_id)"
        " SELECT patient_id, 'RISK_MODEL', 'ADD', %s, %s, %s, %s FROM risk_new RETURNING id, patient_id",
        [reason, at, user, organisation],
    )
    _keep_facts(cursor, cursor.fetchall())
    _insert_lists(cursor, run, at=at)
    _place_entries(cursor, at=at)
    withdrawn = [] if wrong else _withdraw(cursor, at=at, user=user, organisation=organisation)
    cursor.execute("SELECT patient_id FROM risk_new")
    recompute(patient_ids=[row[0] for row in cursor.fetchall()] + withdrawn, at=at)
    found = _count(cursor, "SELECT count(*) FROM risk_found")
    on_list = "JOIN cohort_listentry e USING (patient_id) WHERE e.is_on_list"
    was_on = "EXISTS (SELECT 1 FROM risk_before b WHERE b.patient_id = e.patient_id)"
    return RiskListCounts(
        lines=read.rows,
        lines_in_error=wrong,
        not_flagged=read.not_flagged,
        flagged=len(read.flagged),
        not_found=len(read.flagged) - found,
        said_before=found - _count(cursor, "SELECT count(*) FROM risk_new"),
        added=_count(cursor, f"SELECT count(*) FROM risk_new {on_list} AND NOT {was_on}"),
        on_list_already=_count(cursor, f"SELECT count(*) FROM risk_new {on_list} AND {was_on}"),
        kept_off=_count(cursor, "SELECT count(*) FROM risk_new JOIN cohort_listentry e USING (patient_id)"
                        " WHERE NOT e.is_on_list"),
        withdrawn=len(withdrawn),
        came_off=_count(cursor, "SELECT count(*) FROM risk_before JOIN cohort_listentry e USING (patient_id)"
                        " WHERE NOT e.is_on_list"),
    )  # fmt: skip


def _copy_flagged(cursor: Any, flagged: pa.Array) -> None:
    cursor.execute(
        "DROP TABLE IF EXISTS risk_flagged; CREATE TEMPORARY TABLE risk_flagged (nhs_number text) ON COMMIT DROP"
    )
    with private_database() as duck:
        rows = duck.from_arrow(pa.table({"person": flagged}))
        copy_rows(cursor, rows.project("lpad(person::VARCHAR, 10, '0')"), "risk_flagged")
    cursor.execute("ANALYZE risk_flagged")


def _prepare(cursor: Any, model: str) -> None:
    """Makes the tables of whom it is about: found, with the model's standing fact; new; and who was on the list."""
    cursor.execute(
        "DROP TABLE IF EXISTS risk_standing, risk_found, risk_new, risk_before;"
        "CREATE TEMPORARY TABLE risk_standing ON COMMIT DROP AS SELECT f.id, f.patient_id FROM cohort_listfact f"
        " JOIN cohort_risklistfact rf ON rf.fact_id = f.id JOIN cohort_risklist r ON r.id = rf.risk_list_id"
        " WHERE r.model = %s AND NOT EXISTS (SELECT 1 FROM cohort_listfact back WHERE back.withdraws_id = f.id);"
        "CREATE TEMPORARY TABLE risk_found ON COMMIT DROP AS SELECT p.id AS patient_id, p.practice_id"
        " FROM risk_flagged JOIN cohort_patient p USING (nhs_number);"
        "CREATE TEMPORARY TABLE risk_new ON COMMIT DROP AS SELECT * FROM risk_found n"
        " WHERE NOT EXISTS (SELECT 1 FROM risk_standing s WHERE s.patient_id = n.patient_id);"
        "CREATE TEMPORARY TABLE risk_before ON COMMIT DROP AS SELECT e.patient_id FROM cohort_listentry e"
        " WHERE e.is_on_list AND (e.patient_id IN (SELECT patient_id FROM risk_new)"
        "  OR e.patient_id IN (SELECT patient_id FROM risk_standing));"
        "ANALYZE risk_standing; ANALYZE risk_found; ANALYZE risk_new; ANALYZE risk_before",
        [model],
    )


def _keep_facts(cursor: Any, facts: Iterable[tuple[int, UUID]]) -> None:
    rows = list(facts)
    cursor.execute(
        "DROP TABLE IF EXISTS risk_facts; CREATE TEMPORARY TABLE risk_facts ON COMMIT DROP AS"
        " SELECT * FROM unnest(%s::bigint[], %s::uuid[]) AS f (id, patient_id)",
        [[row[0] for row in rows], [str(row[1]) for row in rows]],
    )
    cursor.execute("ANALYZE risk_facts")


def _insert_lists(cursor: Any, run: SearchRun, *, at: datetime) -> None:
    """An open practice with somebody new and no list that is still open gets one, of the newest search."""
    cursor.execute(
        "INSERT INTO cohort_practicelist (id, run_id, practice_id, due_date)"
        " SELECT gen_random_uuid(), %s, o.id, %s FROM accounts_organisation o"
        " WHERE o.closed_date IS NULL AND EXISTS (SELECT 1 FROM risk_new n WHERE n.practice_id = o.id"
        "   AND NOT EXISTS (SELECT 1 FROM cohort_listentry e WHERE e.patient_id = n.patient_id"
        "    AND e.review_state <> 'LAPSED'))"
        " AND NOT EXISTS (SELECT 1 FROM cohort_practicelist x WHERE x.practice_id = o.id AND x.submitted_at IS NULL)"
        " ON CONFLICT (run_id, practice_id) DO NOTHING",
        [run.pk, at.date() + timedelta(days=settings.VALIDATION_DAYS)],
    )


def _place_entries(cursor: Any, *, at: datetime) -> None:
    """Gives new people an entry on their practice's list, and those who had lapsed a place on it."""
    newest = (
        "LEFT JOIN LATERAL (SELECT x.id FROM cohort_practicelist x WHERE x.practice_id = n.practice_id"
        " ORDER BY x.submitted_at IS NOT NULL, x.due_date DESC, x.id LIMIT 1) newest ON true"
    )
    cursor.execute(
        "UPDATE cohort_listentry e SET is_flagged = true, practice_list_id ="
        "  CASE WHEN e.review_state = 'LAPSED' THEN newest.id ELSE e.practice_list_id END,"
        "  listed_at = CASE WHEN e.review_state = 'LAPSED' THEN %s ELSE e.listed_at END"
        f" FROM risk_new n {newest}"
        " WHERE e.patient_id = n.patient_id AND (NOT e.is_flagged OR e.review_state = 'LAPSED')",
        [at],
    )
    key = sort_key("''", "p")
    cursor.execute(
        "INSERT INTO cohort_listentry (patient_id, is_on_list, because_id, changed_at, is_flagged, practice_list_id,"
        "  review_state, removal_reason, removal_detail, listed_at, sort_key)"
        " SELECT n.patient_id, true, f.id, %(at)s, true, newest.id, 'TO_REVIEW', '', '', %(at)s,"
        f" {key} FROM risk_new n JOIN risk_facts f USING (patient_id) JOIN cohort_patient p ON p.id = n.patient_id"
        f" {newest} ON CONFLICT (patient_id) DO NOTHING",
        {"at": at},
    )


def _withdraw(cursor: Any, *, at: datetime, user: Any, organisation: Any) -> list[UUID]:
    cursor.execute(
        "INSERT INTO cohort_listfact"
        " (patient_id, source, request, reason, at, by_id, organisation_id, withdraws_id)"
        " SELECT s.patient_id, 'RISK_MODEL', '', %s, %s, %s, %s, s.id FROM risk_standing s"
        " WHERE s.patient_id NOT IN (SELECT patient_id FROM risk_found) RETURNING patient_id",
        [NO_LONGER_FLAGGED, at, user, organisation],
    )
    return [row[0] for row in cursor.fetchall()]


def _count(cursor: Any, sql: str) -> int:
    cursor.execute(sql)
    number: int = cursor.fetchone()[0]
    return number
