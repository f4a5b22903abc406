"""Reads of how far every practice is with its lists. Counts and telephone numbers, no people.

Everything takes the membership somebody works under: the centre sees every practice, the lead of an
integrated care system that system's. Pages read the counts of the lists they show and of no others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, FloatField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Upper

from cohort.late import ReminderKind
from cohort.long_lists import WAITING_STATES, ListState, is_late
from cohort.models import HospitalList, ListEntry, PracticeList, Reminder, SearchRun
from cohort.rules import SMALLEST_COUNT, ReviewState
from shielding.accounts.models import Membership, Organisation

REVIEWED = (ReviewState.CONFIRMED.value, ReviewState.REMOVED.value, ReviewState.ADDED.value)
AT_ONCE = 1000


class Show(StrEnum):
    """Which lists a page shows."""

    OPEN = "open"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    NOT_REACHED = "not-reached"
    SIGNED_OFF = "signed-off"
    ALL = "all"


class Sort(StrEnum):
    """In which order."""

    DUE = "due"
    LEFT = "left"
    PROGRESS = "progress"
    NAME = "name"


@dataclass(frozen=True)
class Row:
    """One list of one practice, how far it is, and the last reminder about it (None: there was none)."""

    practice_list: PracticeList
    to_review: int
    reviewed: int
    reminder: Reminder | None

    @property
    def everybody(self) -> int:
        """How many people there are on the list."""
        return self.to_review + self.reviewed

    @property
    def percent(self) -> int:
        """How much is reviewed, in whole percent, rounded down; 100 where nobody is on it."""
        return 100 * self.reviewed // self.everybody if self.everybody else 100

    @property
    def is_small(self) -> bool:
        """Says whether a percentage would tell apart so few people that it may not leave the centre."""
        return any(0 < count < SMALLEST_COUNT for count in (self.to_review, self.reviewed))

    def days_left(self, today: date) -> int:
        """Returns the days until the due date; below 0 the list is overdue."""
        return (self.practice_list.due_date - today).days


def lists(by: Membership) -> QuerySet[PracticeList]:
    """Returns the lists that somebody oversees: all, or those of practices of their integrated care system."""
    found = PracticeList.objects.filter(practice__closed_date=None)
    if by.organisation.kind == Organisation.Kind.ICS:
        return found.filter(practice__ics_id=by.organisation_id)
    return found if by.organisation.kind == Organisation.Kind.CENTRE else found.none()


def chosen(
    by: Membership,
    *,
    today: date,
    show: Show = Show.OPEN,
    ics: UUID | None = None,
    run: UUID | None = None,
    name: str = "",
) -> QuerySet[PracticeList]:
    """Returns the lists to show. `name`: every word is part of the practice's name, or its code begins so."""
    found = lists(by)
    if show is not Show.ALL:
        found = found.filter(submitted_at__isnull=show is not Show.SIGNED_OFF)
    if show is Show.OVERDUE:
        found = found.filter(due_date__lt=today)
    elif show is Show.ESCALATED:
        about = Reminder.objects.filter(kind=ReminderKind.ESCALATED.value, due_date=F("practice_list__due_date"))
        found = found.filter(pk__in=about.values("practice_list"))
    elif show is Show.NOT_REACHED:
        about = Reminder.objects.exclude(state="SENT").filter(due_date=F("practice_list__due_date"))
        found = found.filter(pk__in=about.values("practice_list"))
    if ics:
        found = found.filter(practice__ics_id=ics)
    if run:
        found = found.filter(run_id=run)
    for word in name.split():
        found = found.filter(Q(practice__name__icontains=word) | Q(practice__code__istartswith=word))
    return found


def in_order(found: QuerySet[PracticeList], sort: Sort) -> QuerySet[PracticeList, Any]:
    """Returns the lists sorted: the longest due, the most left, the least progress, or by name."""
    found = found.select_related("practice__ics", "run", "submitted_by")
    name = (Upper("practice__name"), "practice__code", "-run__requested_at")
    if sort is Sort.NAME:
        return found.order_by(*name)
    if sort is Sort.DUE:
        return found.order_by("due_date", *name)
    left = _count(Q(review_state=ReviewState.TO_REVIEW.value))
    if sort is Sort.LEFT:
        return found.annotate(left=left).order_by("-left", *name)
    done = _count(Q(review_state__in=REVIEWED))
    everybody = F("left") + F("done")
    share = Case(
        When(left=0, then=Value(1.0)), default=Cast("done", FloatField()) / everybody, output_field=FloatField()
    )
    return found.annotate(left=left, done=done).annotate(share=share).order_by("share", *name)


def _count(which: Q) -> Coalesce:
    entries = ListEntry.objects.filter(which, practice_list=OuterRef("pk")).order_by().values("practice_list")
    return Coalesce(Subquery(entries.annotate(people=Count("pk")).values("people")), 0)


def rows(found: list[PracticeList]) -> list[Row]:
    """Returns these lists with their counts and last reminders, in two queries."""
    ids = [row.pk for row in found]
    counts = _counts(ids)
    last = {
        reminder.practice_list_id: reminder
        for reminder in Reminder.objects.filter(practice_list__in=ids)
        .order_by("practice_list", "-claimed_at", "-pk")
        .distinct("practice_list")
    }
    return [
        Row(
            row,
            to_review=counts.get((row.pk, ReviewState.TO_REVIEW.value), 0),
            reviewed=sum(counts.get((row.pk, state), 0) for state in REVIEWED),
            reminder=last.get(row.pk),
        )
        for row in found
    ]


def _counts(ids: list[UUID]) -> Mapping[tuple[UUID, str], int]:
    counted = (
        ListEntry.objects.filter(practice_list__in=ids)
        .values_list("practice_list_id", "review_state")
        .annotate(people=Count("pk"))
        .order_by()
    )
    return {(list_id, state): people for list_id, state, people in counted if list_id}


def every_row(found: QuerySet[PracticeList, Any]) -> Iterator[Row]:
    """Yields all of these lists with counts and reminders, in order, a thousand at a time."""
    batch: list[PracticeList] = []
    for row in found.iterator(chunk_size=AT_ONCE):
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield from rows(batch)
            batch = []
    yield from rows(batch)


@dataclass(frozen=True)
class Summary:
    """How many lists there are, by how they stand. `overdue` are some of `open`, `escalated` some of those."""

    everything: int
    signed_off: int
    open: int
    overdue: int
    escalated: int
    not_reached: int


def summary(by: Membership, *, today: date, ics: UUID | None = None, run: UUID | None = None) -> Summary:
    """Returns the counts of lists, of one area or search where they are given."""

    def count(show: Show) -> int:
        return chosen(by, today=today, show=show, ics=ics, run=run).count()

    return Summary(
        everything=count(Show.ALL),
        signed_off=count(Show.SIGNED_OFF),
        open=count(Show.OPEN),
        overdue=count(Show.OVERDUE),
        escalated=count(Show.ESCALATED),
        not_reached=count(Show.NOT_REACHED),
    )


def searches(by: Membership) -> QuerySet[SearchRun]:
    """Returns the searches that gave anybody a list to oversee, the newest first."""
    return SearchRun.objects.filter(pk__in=lists(by).values("run")).order_by("-requested_at")


def stuck_hospital_lists(by: Membership, *, at: datetime) -> list[HospitalList]:
    """Returns the long lists of hospital units that failed, or take longer than they should, the oldest first.

    They are the centre's to see to: the unit is told to ask those who run the service, and gives the first eight
    characters of the id. Nobody else is shown any.
    """
    if by.organisation.kind != Organisation.Kind.CENTRE:
        return []
    waiting = HospitalList.objects.filter(state__in=[*WAITING_STATES, ListState.FAILED])
    found = waiting.select_related("unit").defer("waiting", "rejected", "errors").order_by("checked_at", "pk")
    return [
        each
        for each in found
        if each.state == ListState.FAILED or is_late(asked_at=each.sent_at or each.checked_at, at=at)
    ]


def care_systems() -> QuerySet[Organisation]:
    """Returns the integrated care systems by name."""
    return Organisation.objects.filter(kind=Organisation.Kind.ICS).order_by("name")
