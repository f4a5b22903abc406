"""Deciding what a spreadsheet says about the people of a list, all of it or nothing.

Each decision is what confirming or removing one person writes (`cohort.actions.decisions`), in statements
over all of them, as `cohort.actions.bulk`, whose receipt and undo these have too.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from cohort import policies
from cohort.actions.bulk import lock_list, write_confirmed
from cohort.actions.facts import recompute
from cohort.decision_sheets import REASONS, Decisions, Row
from cohort.models import BulkReceipt, ListEntry, RemovalDraft
from cohort.queries.spreadsheet import Outcome, Plan, plan
from cohort.queries.worklists import entries
from cohort.rules import UNREVIEWED, FactSource, NotConfirmed, Request, ReviewState
from shielding.accounts.models import Membership

CONFIRMED_IN_A_SPREADSHEET = "Confirmed by the practice, in a spreadsheet"

_REMOVE = """
WITH decided AS (
    SELECT * FROM unnest(%(people)s::uuid[], %(reasons)s::text[], %(details)s::text[], %(words)s::text[],
        %(told)s::boolean[]) AS n (patient_id, reason, detail, words, told)
), said AS (
    INSERT INTO cohort_listfact (patient_id, source, request, reason, at, by_id, organisation_id)
    SELECT patient_id, %(source)s, %(request)s, words, %(at)s, %(by)s, %(practice)s FROM decided
    RETURNING id, patient_id
)
UPDATE cohort_listentry e SET review_state = %(state)s, reviewed_at = %(at)s, reviewed_by_id = %(by)s,
    removal_reason = d.reason, removal_detail = d.detail, is_patient_told = d.told,
    changed_at = CASE WHEN e.is_on_list THEN %(at)s ELSE e.changed_at END, is_on_list = false, because_id = said.id,
    recheck = '', recheck_at = NULL
FROM said JOIN decided d USING (patient_id) WHERE e.patient_id = said.patient_id
"""
_TELL = """
INSERT INTO cohort_removaltold (fact_id, told_by, told_date, recorded_at, recorded_by_id)
SELECT e.because_id, n.told_by, %(day)s, %(at)s, %(by)s
FROM unnest(%(people)s::uuid[], %(told_by)s::text[]) AS n (patient_id, told_by)
JOIN cohort_listentry e USING (patient_id)
"""
_WHY_NOT = {
    Outcome.CHANGED: NotConfirmed.DECIDED_SINCE,
    Outcome.QUESTION_OPEN: NotConfirmed.QUESTION_OPEN,
    Outcome.DIED: NotConfirmed.DIED,
}


class NothingToDecide(Exception):
    """The file decides about nobody who is not so already. `plan` says what became of each row."""

    def __init__(self, planned: Plan) -> None:
        super().__init__("The file decides about nobody")
        self.plan = planned


@transaction.atomic
def decide_from_sheet(*, list_id: UUID, read: Decisions, by: Membership, at: datetime) -> BulkReceipt:
    """Confirms and removes the people of a list as a file says, and returns the receipt.

    Rows with problems are left out. Whoever was decided or has changed since the file was downloaded, has an
    open question, or is dead and to be confirmed stays as they are, and the receipt says why. The same file
    again decides nothing. Raises NothingToDecide, MostlyOthers, NotAllowed, PracticeList.DoesNotExist.
    """
    practice_list = lock_list(list_id, by)
    policies.check_can_review(by, is_submitted=practice_list.submitted_at is not None)
    planned = plan(by, list_id, read, found=entries(by).select_for_update(of=("self",)).order_by("pk"))
    if not planned.does_anything:
        raise NothingToDecide(planned)
    confirmed = sorted(entry.pk for _, entry in planned.rows[Outcome.CONFIRM])
    removed = planned.rows[Outcome.REMOVE]
    write_confirmed(confirmed, reason=CONFIRMED_IN_A_SPREADSHEET, by=by, at=at)
    if removed:
        _write_removed(removed, by=by, at=at)
    decided = [entry for outcome in (Outcome.CONFIRM, Outcome.REMOVE) for _, entry in planned.rows[outcome]]
    RemovalDraft.objects.filter(patient_id__in=[entry.pk for entry in decided], user_id=by.user_id).delete()
    return BulkReceipt.objects.create(
        practice_list=practice_list,
        at=at,
        by_id=by.user_id,
        confirmed=confirmed,
        removed=sorted(entry.pk for _, entry in removed),
        changed=sorted(entry.pk for entry in decided if ReviewState(entry.review_state) not in UNREVIEWED),
        refused={str(entry.pk): why.value for outcome, why in _WHY_NOT.items() for _, entry in planned.rows[outcome]},
    )


def _write_removed(removed: Sequence[tuple[Row, ListEntry]], *, by: Membership, at: datetime) -> None:
    reasons = [row.reason for row, _ in removed if row.reason is not None]
    people = [entry.pk for _, entry in removed]
    told = [(str(entry.pk), row.told_by or str(by.user)) for row, entry in removed if row.is_told]
    with connection.cursor() as cursor:
        cursor.execute(
            _REMOVE,
            {
                "people": [str(patient_id) for patient_id in people],
                "reasons": [reason.value for reason in reasons],
                "details": [row.detail for row, _ in removed],
                "words": [row.detail or REASONS[reason] for (row, _), reason in zip(removed, reasons, strict=True)],
                "told": [row.is_told for row, _ in removed],
                "source": FactSource.GP.value,
                "request": Request.REMOVE.value,
                "state": ReviewState.REMOVED.value,
                "at": at,
                "by": by.user_id,
                "practice": by.organisation_id,
            },
        )
        cursor.execute(
            _TELL,
            {
                "people": [patient_id for patient_id, _ in told],
                "told_by": [name for _, name in told],
                "day": timezone.localdate(at),
                "at": at,
                "by": by.user_id,
            },
        )
    _recompute_where_later(people, at=at)


def _recompute_where_later(patient_ids: list[UUID], *, at: datetime) -> None:
    """Recomputes those about whom somebody's request is dated after this one: the newest decides."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT patient_id FROM cohort_listfact WHERE patient_id = ANY(%s::uuid[]) AND at > %s",
            [[str(patient_id) for patient_id in patient_ids], at],
        )
        later = [row[0] for row in cursor.fetchall()]
    recompute(patient_ids=later, at=at)
