"""Reads of questions to a colleague: of the practice's own, about people registered there now."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from cohort.models import ReviewQuery
from cohort.policies import MAY, Act
from cohort.queries.worklists import entries
from shielding.accounts.models import Membership, User

#: How many answered questions a page shows.
NEWEST = 20


@dataclass(frozen=True)
class Questions:
    """A user's questions: those they may answer, those they wait for, and the newest that were answered to them."""

    to_me: list[ReviewQuery]
    to_others: list[ReviewQuery]
    answered: list[ReviewQuery]


def questions(by: Membership) -> QuerySet[ReviewQuery, Any]:
    """Returns the practice's questions about people on its lists, with the person and who asked whom."""
    return ReviewQuery.objects.filter(practice_id=by.organisation_id, patient__entry__in=entries(by)).select_related(
        "patient__entry", "asked_by", "to", "answered_by"
    )


def questions_about(by: Membership, patient_id: UUID) -> list[ReviewQuery]:
    """Returns what was asked about somebody, what is open first, then the newest."""
    rows = questions(by).filter(patient_id=patient_id).order_by("-asked_at", "pk")
    return sorted(rows, key=lambda row: row.answered_at is not None)


def my_questions(by: Membership) -> Questions:
    """Returns what this user may answer or waits for, the oldest first, and what was answered to them."""
    waiting = list(questions(by).filter(answered_at=None).order_by("asked_at", "pk"))
    mine = [row for row in waiting if row.asked_by_id != by.user_id and row.to_id in {None, by.user_id}]
    answered = questions(by).filter(asked_by_id=by.user_id, answered_at__isnull=False)
    return Questions(
        to_me=mine,
        to_others=[row for row in waiting if row not in mine],
        answered=list(answered.order_by("-answered_at", "pk")[:NEWEST]),
    )


def colleagues(by: Membership) -> QuerySet[User]:
    """Returns who else at the practice may see its lists, by name."""
    may = Q(
        memberships__organisation_id=by.organisation_id,
        memberships__ended_at=None,
        memberships__role__in=sorted(MAY[Act.SEE_LISTS].roles),
    )
    return User.objects.filter(may, is_active=True).exclude(pk=by.user_id).order_by("name", "pk").distinct()
