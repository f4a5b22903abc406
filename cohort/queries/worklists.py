"""Reads for a practice that validates its lists: which there are, how far each is, and who is on them.

Everything takes the membership somebody works under: it reaches the lists of that practice, and on
them the people registered there now. Whatever is out of reach does not exist (`DoesNotExist`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Upper

from cohort.models import Flag, ListEntry, PracticeList
from cohort.rules import RemovalReason, ReviewState
from shielding.accounts.models import Membership

_GROUP = "criterion_version__criterion__disease_group"


@dataclass(frozen=True)
class Progress:
    """A list and how many of its people are in each state of review; the lapsed are nobody's work any more."""

    practice_list: PracticeList
    to_review: int
    confirmed: int
    removed: int
    added: int
    lapsed: int

    @property
    def reviewed(self) -> int:
        """How many people are decided."""
        return self.confirmed + self.removed + self.added

    @property
    def everybody(self) -> int:
        """How many people there are in all."""
        return self.to_review + self.reviewed

    def days_left(self, today: date) -> int:
        """Returns the days until the due date; below 0 the list is overdue."""
        return (self.practice_list.due_date - today).days


def entries(by: Membership) -> QuerySet[ListEntry]:
    """Returns the entries that a practice may see: on a list of its own, of people registered there now."""
    return ListEntry.objects.filter(
        practice_list__practice_id=by.organisation_id, patient__practice_id=by.organisation_id
    )


def progress(by: Membership) -> list[Progress]:
    """Returns the practice's lists: those not yet signed off first, soonest due; then the others, newest first."""
    rows = [_progress(row) for row in _with_counts(by).order_by("due_date", "pk")]
    waiting = [row for row in rows if row.practice_list.submitted_at is None]
    done = [row for row in rows if row.practice_list.submitted_at is not None]
    return waiting + done[::-1]


def progress_of(by: Membership, list_id: UUID) -> Progress:
    """Returns one list of the practice with its counts. Raises PracticeList.DoesNotExist."""
    return _progress(_with_counts(by).get(pk=list_id))


def newest_list(by: Membership) -> PracticeList | None:
    """Returns the list that people are added to: that of the newest search; None before the first."""
    return PracticeList.objects.filter(practice_id=by.organisation_id).order_by("-run__requested_at", "pk").first()


def _with_counts(by: Membership) -> QuerySet[PracticeList, Any]:
    here = Q(entries__patient__practice_id=by.organisation_id)

    def people(state: ReviewState) -> Count:
        return Count("entries", filter=here & Q(entries__review_state=state.value))

    return (
        PracticeList.objects.filter(practice_id=by.organisation_id)
        .select_related("run", "practice", "submitted_by")
        .annotate(
            to_review=people(ReviewState.TO_REVIEW),
            confirmed=people(ReviewState.CONFIRMED),
            removed=people(ReviewState.REMOVED),
            added=people(ReviewState.ADDED),
            lapsed=people(ReviewState.LAPSED),
        )
    )


def _progress(row: Any) -> Progress:
    return Progress(row, row.to_review, row.confirmed, row.removed, row.added, row.lapsed)


def people(
    by: Membership, list_id: UUID, *, state: ReviewState, name: str = "", group: str = ""
) -> QuerySet[ListEntry, Any]:
    """Returns a list's entries in one state, each with `groups` (a list of disease groups), by group then name.

    `name`: every word must be part of a given or family name. `group`: one disease group.
    """
    return _sorted(_filtered(by, list_id, name=name, group=group).filter(review_state=state.value)).select_related(
        "patient", "reviewed_by"
    )


def _filtered(by: Membership, list_id: UUID, *, name: str, group: str) -> QuerySet[ListEntry]:
    found = entries(by).filter(practice_list_id=list_id)
    for word in name.split():
        found = found.filter(Q(patient__given_name__icontains=word) | Q(patient__family_name__icontains=word))
    if group:
        found = found.filter(Exists(standing_flags().filter(patient_id=OuterRef("pk"), **{_GROUP: group})))
    return found


def standing_flags() -> QuerySet[Flag]:
    """Returns the flags that no search has ended. Narrow it to people in scope before reading."""
    return Flag.objects.filter(ended_in=None)


def _sorted(found: QuerySet[ListEntry]) -> QuerySet[ListEntry, Any]:
    groups = standing_flags().filter(patient_id=OuterRef("pk")).order_by(_GROUP).values(_GROUP).distinct()
    return found.annotate(groups=ArraySubquery(groups)).order_by(
        "groups", Upper("patient__family_name"), Upper("patient__given_name"), "pk"
    )


def groups(by: Membership, list_id: UUID, *, state: ReviewState) -> list[tuple[str, int]]:
    """Returns the disease groups of a list's people in one state, each with its number of people."""
    rows = (
        standing_flags()
        .filter(  # joined, not `IN`: without statistics PostgreSQL plans that badly
            patient__practice_id=by.organisation_id,
            patient__entry__practice_list_id=list_id,
            patient__entry__practice_list__practice_id=by.organisation_id,
            patient__entry__review_state=state.value,
        )
        .values(_GROUP)
        .annotate(people=Count("patient", distinct=True))
        .order_by(_GROUP)
    )
    return [(row[_GROUP], row["people"]) for row in rows]


def not_told(by: Membership, list_id: UUID) -> QuerySet[ListEntry, Any]:
    """Returns those removed whom no clinician has told yet, except the dead and those added by mistake."""
    silent = [RemovalReason.DIED.value, RemovalReason.ADDED_BY_MISTAKE.value]
    return (
        people(by, list_id, state=ReviewState.REMOVED).filter(is_patient_told=False).exclude(removal_reason__in=silent)
    )


@dataclass(frozen=True)
class Place:
    """Where somebody stands among those to review: `number` of `count`, and who comes next (None: nobody else)."""

    number: int
    count: int
    next_id: UUID | None


def place(by: Membership, list_id: UUID, patient_id: UUID | None = None, *, name: str = "", group: str = "") -> Place:
    """Returns a person's place in the order of the page of people to review, filtered as that page is.

    Somebody decided already has the place they had, counted with the rest. After the last comes the
    first who is left. Without `patient_id`, `next_id` is the first of all.
    """
    found = _filtered(by, list_id, name=name, group=group) | entries(by).filter(pk=patient_id)
    waiting = Q(review_state=ReviewState.TO_REVIEW.value)
    ids = list(_sorted(found.filter(waiting | Q(pk=patient_id))).values_list("pk", flat=True))
    at = ids.index(patient_id) if patient_id in ids else -1
    others = [*ids[at + 1 :], *ids[: max(at, 0)]]
    return Place(number=at + 1, count=len(ids), next_id=others[0] if others else None)
