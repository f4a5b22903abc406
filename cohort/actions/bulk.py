"""Confirming an explicit selection of people together, and taking back what was decided together.

The same as confirming each (`cohort.actions.decisions`): a fact of the GP's for each, their standing and
their state of review. But in statements over all of them, since a practice may confirm three thousand:
the list is locked, then the people in the order of their ids, as everybody does who writes about many.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from cohort import policies
from cohort.actions.decisions import ListSubmitted, NothingToUndo
from cohort.actions.demographics import check_as_it_goes
from cohort.actions.facts import recompute
from cohort.models import BulkReceipt, ListEntry, PracticeList, ReviewQuery
from cohort.queries.review import version
from cohort.queries.worklists import entries
from cohort.rules import FactSource, NotConfirmed, Request, ReviewState
from shielding.accounts.models import Membership

CONFIRMED_TOGETHER = "Confirmed by the practice, together with others"
UNDONE = "Undone by the practice"
#: More than the largest practice of 2020 had to review.
MOST_AT_ONCE = 5_000

#: Gives those about whom somebody's request is dated later.
_CONFIRM = """
WITH said AS (
    INSERT INTO cohort_listfact (patient_id, source, request, reason, at, by_id, organisation_id)
    SELECT patient_id, %(source)s, %(request)s, %(reason)s, %(at)s, %(by)s, %(practice)s
    FROM unnest(%(people)s::uuid[]) AS patient_id
    RETURNING id, patient_id
), confirmed AS (
    UPDATE cohort_listentry e SET review_state = CASE WHEN e.is_flagged THEN %(state)s ELSE %(added)s END,
        reviewed_at = %(at)s, reviewed_by_id = %(by)s,
        changed_at = CASE WHEN e.is_on_list THEN e.changed_at ELSE %(at)s END, is_on_list = true, because_id = said.id,
        removal_reason = '', removal_detail = '', is_patient_told = NULL, recheck = '', recheck_at = NULL
    FROM said WHERE e.patient_id = said.patient_id AND e.patient_id = ANY(%(people)s::uuid[])
    RETURNING e.patient_id
)
SELECT patient_id FROM confirmed
WHERE EXISTS (SELECT 1 FROM cohort_listfact f WHERE f.patient_id = confirmed.patient_id AND f.at > %(at)s)
"""
_WITHDRAW = """
INSERT INTO cohort_listfact (patient_id, source, request, reason, at, by_id, organisation_id, withdraws_id)
SELECT f.patient_id, f.source, '', %(reason)s, %(at)s, %(by)s, %(practice)s, f.id FROM cohort_listfact f
WHERE f.patient_id = ANY(%(people)s::uuid[]) AND f.at = %(said_at)s AND f.by_id = %(said_by)s
AND f.source = %(source)s AND f.request <> '' AND f.organisation_id = %(practice)s
AND NOT EXISTS (SELECT 1 FROM cohort_listfact back WHERE back.withdraws_id = f.id)
"""


class TooMany(Exception):
    """More people than are confirmed at once."""


class AlreadyUndone(NothingToUndo):
    """Somebody has taken these decisions back already."""


@transaction.atomic
def confirm_together(*, list_id: UUID, seen: Mapping[UUID, str], by: Membership, at: datetime) -> BulkReceipt:
    """Confirms the people of a list who are selected, and returns the receipt.

    `seen` gives each person's `version` when they were shown. Whoever is not to review any more or has
    changed since, has an open question, has died or is not on the list (any more) is left as they are,
    and the receipt says why. Raises TooMany, NotAllowed, PracticeList.DoesNotExist.
    """
    if len(seen) > MOST_AT_ONCE:
        raise TooMany
    practice_list = lock_list(list_id, by)
    policies.check_can_review(by, is_submitted=practice_list.submitted_at is not None)
    confirmed, refused = _sort_out(practice_list, seen, by)
    write_confirmed(confirmed, reason=CONFIRMED_TOGETHER, by=by, at=at)
    return BulkReceipt.objects.create(
        practice_list=practice_list,
        at=at,
        by_id=by.user_id,
        confirmed=confirmed,
        refused={str(patient_id): why.value for patient_id, why in refused.items()},
    )


def write_confirmed(patient_ids: list[UUID], *, reason: str, by: Membership, at: datetime) -> None:
    """Writes the GP's word that these people, whose entries are locked, are on the list, and their review."""
    if not patient_ids:
        return
    with connection.cursor() as cursor:
        check_as_it_goes(cursor)
        cursor.execute(
            _CONFIRM,
            {
                "source": FactSource.GP.value,
                "request": Request.ADD.value,
                "reason": reason,
                "at": at,
                "by": by.user_id,
                "practice": by.organisation_id,
                "people": [str(patient_id) for patient_id in patient_ids],
                "state": ReviewState.CONFIRMED.value,
                "added": ReviewState.ADDED.value,
            },
        )
        later = [row[0] for row in cursor.fetchall()]
    recompute(patient_ids=later, at=at)


@transaction.atomic
def undo_together(*, receipt_id: UUID, by: Membership, at: datetime) -> BulkReceipt:
    """Takes back what a receipt says was decided, and returns it.

    These people are to be reviewed again, or lapse where the search finds them no longer. Whoever had been
    decided about before stays as the receipt says, whoever was decided about again since as that decided;
    both are in `kept`. Raises AlreadyUndone,
    ListSubmitted, NotAllowed, BulkReceipt.DoesNotExist.
    """
    policies.check_can_see_lists(by)
    found = BulkReceipt.objects.get(pk=receipt_id, practice_list__practice_id=by.organisation_id)
    practice_list = lock_list(found.practice_list_id, by)
    policies.check_can_review(by, is_submitted=practice_list.submitted_at is not None)
    receipt = BulkReceipt.objects.select_for_update().get(pk=receipt_id)
    if receipt.undone_at is not None:
        raise AlreadyUndone
    if practice_list.submitted_at is not None:
        raise ListSubmitted
    decided = {*receipt.confirmed, *receipt.removed}
    standing = list(
        locked(practice_list, decided - set(receipt.changed), by)
        .filter(reviewed_at=receipt.at, reviewed_by_id=receipt.by_id)
        .values_list("pk", flat=True)
    )
    with connection.cursor() as cursor:
        check_as_it_goes(cursor)
        cursor.execute(
            _WITHDRAW,
            {
                "people": [str(patient_id) for patient_id in standing],
                "said_at": receipt.at,
                "said_by": receipt.by_id,
                "source": FactSource.GP.value,
                "practice": by.organisation_id,
                "reason": UNDONE,
                "at": at,
                "by": by.user_id,
            },
        )
    ListEntry.objects.filter(pk__in=standing).update(
        review_state=ReviewState.TO_REVIEW.value,
        reviewed_at=None,
        reviewed_by=None,
        removal_reason="",
        removal_detail="",
        is_patient_told=None,
        recheck="",
        recheck_at=None,
    )
    recompute(patient_ids=standing, at=at)
    receipt.undone_at, receipt.undone_by_id = at, by.user_id
    receipt.kept = sorted(decided - set(standing))
    receipt.save(update_fields=["undone_at", "undone_by", "kept"])
    return receipt


def lock_list(list_id: UUID, by: Membership) -> PracticeList:
    """Returns a list of the practice, locked. Raises NotAllowed, PracticeList.DoesNotExist."""
    policies.check_can_see_lists(by)
    return PracticeList.objects.select_for_update(no_key=True).get(pk=list_id, practice_id=by.organisation_id)


def locked(practice_list: PracticeList, patient_ids: Iterable[UUID], by: Membership) -> Any:
    """Returns the entries of these people of a list, which are locked, in order, as they are read."""
    return (
        entries(by)
        .filter(practice_list=practice_list, pk__in=list(patient_ids))
        .select_for_update(of=("self",))
        .order_by("pk")
    )


def _sort_out(
    practice_list: PracticeList, seen: Mapping[UUID, str], by: Membership
) -> tuple[list[UUID], dict[UUID, NotConfirmed]]:
    """Locks the people selected; returns who is to be confirmed, in the order of their ids, and why others are not."""
    asked_about = set(
        ReviewQuery.objects.filter(practice_id=by.organisation_id, answered_at=None).values_list(
            "patient_id", flat=True
        )
    )
    confirmed = []
    refused = dict.fromkeys(seen, NotConfirmed.NOT_ON_LIST)
    for row in locked(practice_list, seen, by).values_list(
        "pk", "review_state", "reviewed_at", "because_id", "recheck_at", "patient__death_status", named=True
    ):
        if row.patient__death_status:
            refused[row.pk] = NotConfirmed.DIED
        elif row.review_state != ReviewState.TO_REVIEW or version(row) != seen[row.pk]:
            refused[row.pk] = NotConfirmed.DECIDED_SINCE
        elif row.pk in asked_about:
            refused[row.pk] = NotConfirmed.QUESTION_OPEN
        else:
            confirmed.append(row.pk)
            del refused[row.pk]
    return confirmed, refused
