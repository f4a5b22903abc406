"""Reads for a practice that validates its list.

Everything takes the membership somebody works under: it reaches the lists of that practice, and on
them the people registered there now. Whatever is out of reach does not exist (`DoesNotExist`).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Upper

from cohort.models import Evidence, Flag, ListEntry, ListFact, PracticeList, SearchRun
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


@dataclass(frozen=True)
class Reason:
    """A criterion somebody meets, by the newest search, with the records that make them meet it."""

    flag: Flag
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """All that the review of one person needs. `facts` are newest first, with `is_withdrawn`.

    `lost_in` is the search that found them no longer; None while one finds them, or where none ever did.
    """

    entry: ListEntry
    reasons: list[Reason]
    facts: list[ListFact]
    lost_in: SearchRun | None = None

    @property
    def because(self) -> ListFact | None:
        """The fact that decides whether they are on the list."""
        return next((fact for fact in self.facts if fact.pk == self.entry.because_id), None)


def version(entry: ListEntry) -> str:
    """Returns a token of what is decided about somebody: another token, another decision.

    A page carries it, and an action compares it, so that no decision is made without seeing the last one.
    """
    reviewed = entry.reviewed_at.isoformat() if entry.reviewed_at else ""
    return f"{entry.review_state}/{reviewed}/{entry.because_id or ''}"


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
        found = found.filter(Exists(_standing().filter(patient_id=OuterRef("pk"), **{_GROUP: group})))
    return found


def _standing() -> QuerySet[Flag]:
    return Flag.objects.filter(ended_in=None)


def _sorted(found: QuerySet[ListEntry]) -> QuerySet[ListEntry, Any]:
    groups = _standing().filter(patient_id=OuterRef("pk")).order_by(_GROUP).values(_GROUP).distinct()
    return found.annotate(groups=ArraySubquery(groups)).order_by(
        "groups", Upper("patient__family_name"), Upper("patient__given_name"), "pk"
    )


def groups(by: Membership, list_id: UUID, *, state: ReviewState) -> list[tuple[str, int]]:
    """Returns the disease groups of a list's people in one state, each with its number of people."""
    rows = (
        _standing()
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


def entry(by: Membership, list_id: UUID, patient_id: UUID) -> ListEntry:
    """Returns one entry of a list, with its patient and who reviewed it. Raises ListEntry.DoesNotExist."""
    return (
        entries(by)
        .select_related("patient", "practice_list", "reviewed_by")
        .get(pk=patient_id, practice_list_id=list_id)
    )


def person(by: Membership, list_id: UUID, patient_id: UUID) -> Person:
    """Returns all that the review of one person needs, in five queries at most. Raises ListEntry.DoesNotExist."""
    found = entry(by, list_id, patient_id)
    flags = list(
        _standing()
        .filter(patient_id=patient_id)
        .select_related("criterion_version__criterion", "run")
        .order_by("criterion_version__criterion__title")
    )
    lost_in = None if flags else SearchRun.objects.filter(ended_flags__patient_id=patient_id).order_by("-finished_at")
    evidence: dict[int, list[Evidence]] = defaultdict(list)
    for row in (
        Evidence.objects.filter(flag__in=flags)
        .select_related("code_list_version__code_list")
        .order_by("clause", F("event_date").desc(nulls_last=True), "pk")
    ):
        evidence[row.flag_id].append(row)
    reasons = [Reason(flag, evidence[flag.pk]) for flag in flags]
    return Person(
        entry=found,
        reasons=sorted(reasons, key=lambda reason: reason.flag.criterion_version.criterion.disease_group),
        facts=list(
            ListFact.objects.filter(patient_id=patient_id)
            .select_related("by", "organisation")
            .annotate(is_withdrawn=Exists(ListFact.objects.filter(withdraws_id=OuterRef("pk"))))
            .order_by("-at", "-pk")
        ),
        lost_in=lost_in.first() if lost_in is not None else None,
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
