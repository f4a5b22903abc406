"""Reads for signing a list off: how it stands, who is left, who has not been told, and what was signed before.

Everything takes the membership of the practice; another practice's list does not exist (`DoesNotExist`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Upper

from cohort.models import ListEntry, ListSignOff, PracticeList, ReviewQuery
from cohort.queries.worklists import entries
from cohort.rules import TOLD_BY_NOBODY, ReviewState
from shielding.accounts.models import Membership

_UNTOLD = Q(review_state=ReviewState.REMOVED.value, is_patient_told=False) & ~Q(removal_reason__in=TOLD_BY_NOBODY)


@dataclass(frozen=True)
class Standing:
    """How a list stands. `not_told` are removed and know nothing of it; `open_queries` are people, not questions."""

    practice_list: PracticeList
    to_review: int
    confirmed: int
    removed: int
    added: int
    not_told: int
    open_queries: int

    @property
    def is_signed_off(self) -> bool:
        """Says whether it is signed off now."""
        return self.practice_list.submitted_at is not None

    def days_left(self, today: date) -> int:
        """Returns the days until the due date; below 0 the list is overdue."""
        return (self.practice_list.due_date - today).days


def standing(by: Membership, list_id: UUID) -> Standing:
    """Returns how one list of the practice stands. Raises PracticeList.DoesNotExist."""
    practice_list = PracticeList.objects.select_related("run", "practice", "submitted_by").get(
        pk=list_id, practice_id=by.organisation_id
    )
    return Standing(practice_list, **counts(by, list_id))


def counts(by: Membership, list_id: UUID) -> dict[str, int]:
    """Returns the counts of a `Standing`, of people whom the practice can see."""

    def people(state: ReviewState) -> Count:
        return Count("pk", filter=Q(review_state=state.value))

    found: dict[str, int] = (
        _on(by, list_id)
        .annotate(is_asked_about=_open_query(by))
        .aggregate(
            to_review=people(ReviewState.TO_REVIEW),
            confirmed=people(ReviewState.CONFIRMED),
            removed=people(ReviewState.REMOVED),
            added=people(ReviewState.ADDED),
            not_told=Count("pk", filter=_UNTOLD),
            open_queries=Count("pk", filter=Q(is_asked_about=True)),
        )
    )
    return found


def left(by: Membership, list_id: UUID) -> QuerySet[ListEntry, Any]:
    """Returns those still to review, by name."""
    return _by_name(_on(by, list_id).filter(review_state=ReviewState.TO_REVIEW.value))


def not_told(by: Membership, list_id: UUID) -> QuerySet[ListEntry, Any]:
    """Returns those removed whom no clinician has told yet, by name, but not the dead or those added by mistake."""
    return _by_name(_on(by, list_id).filter(_UNTOLD))


def asked_about(by: Membership, list_id: UUID) -> QuerySet[ListEntry, Any]:
    """Returns those about whom a question to a colleague is open, by name."""
    return _by_name(_on(by, list_id).filter(_open_query(by)))


def history(practice_list: PracticeList) -> QuerySet[ListSignOff]:
    """Returns each signing off and reopening of a list, the newest first."""
    return ListSignOff.objects.filter(practice_list=practice_list).select_related("by").order_by("-pk")


def _on(by: Membership, list_id: UUID) -> QuerySet[ListEntry]:
    return entries(by).filter(practice_list_id=list_id)


def _open_query(by: Membership) -> Exists:
    return Exists(ReviewQuery.objects.filter(patient=OuterRef("pk"), practice_id=by.organisation_id, answered_at=None))


def _by_name(found: QuerySet[ListEntry]) -> QuerySet[ListEntry, Any]:
    return found.select_related("patient").order_by(Upper("patient__family_name"), Upper("patient__given_name"), "pk")
