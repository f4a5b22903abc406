"""Reads for a practice that validates its lists: which there are, how far each is, and who is on them.

Everything takes the membership somebody works under: it reaches the lists of that practice, and on
them the people registered there now. Whatever is out of reach does not exist (`DoesNotExist`).
People come in the order of their entries' stored key (`cohort.actions.order`): the clearest first, by
name, so that a page is a stretch of one index, however long the list.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import BooleanField, Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from cohort.models import Flag, ListEntry, PracticeList, ReviewQuery
from cohort.rules import TOLD_BY_NOBODY, ReviewState
from shielding.accounts.models import Membership

_GROUP = "criterion_version__criterion__disease_group"
#: Instead of a disease group: people whom no search finds now, so that only a clinician's word is why.
NO_GROUP = "none"
#: Whole years, from the first to the second; None: and over.
AGE_BANDS: dict[str, tuple[int, int | None]] = {
    "0-17": (0, 17),
    "18-49": (18, 49),
    "50-69": (50, 69),
    "70-84": (70, 84),
    "85": (85, None),
}


class Tab(StrEnum):
    """A part of a list, by what its practice has decided, as it is called in addresses."""

    TO_REVIEW = "to-review"
    QUERIES = "queries"
    CONFIRMED = "confirmed"
    REMOVED = "removed"
    ADDED = "added"
    NO_LONGER_FOUND = "no-longer-found"


_STATES = {
    Tab.TO_REVIEW: ReviewState.TO_REVIEW,
    Tab.CONFIRMED: ReviewState.CONFIRMED,
    Tab.REMOVED: ReviewState.REMOVED,
    Tab.ADDED: ReviewState.ADDED,
    Tab.NO_LONGER_FOUND: ReviewState.LAPSED,
}


class Since(StrEnum):
    """What has happened since somebody last looked."""

    NEW = "new"
    CHANGED = "changed"


@dataclass(frozen=True)
class Progress:
    """A list and how many of its people are in each state of review; the lapsed are nobody's work any more.

    `queries` have a question open, and `asked` of them are still to review. `changed` were decided and are
    to be looked at again, by state of review.
    """

    practice_list: PracticeList
    to_review: int
    confirmed: int
    removed: int
    added: int
    lapsed: int
    queries: int = 0
    asked: int = 0
    changed: dict[ReviewState, int] = field(default_factory=dict)

    @property
    def reviewed(self) -> int:
        """How many people are decided."""
        return self.confirmed + self.removed + self.added

    @property
    def everybody(self) -> int:
        """How many people there are in all."""
        return self.to_review + self.reviewed

    def tabs(self) -> dict[Tab, int]:
        """Returns how many people are under each tab."""
        return {
            Tab.TO_REVIEW: self.to_review - self.asked,
            Tab.QUERIES: self.queries,
            Tab.CONFIRMED: self.confirmed,
            Tab.REMOVED: self.removed,
            Tab.ADDED: self.added,
            Tab.NO_LONGER_FOUND: self.lapsed,
        }

    def days_left(self, today: date) -> int:
        """Returns the days until the due date; below 0 the list is overdue."""
        return (self.practice_list.due_date - today).days


def entries(by: Membership) -> QuerySet[ListEntry]:
    """Returns the entries that a practice may see: on a list of its own, of people registered there now."""
    return ListEntry.objects.filter(
        practice_list__practice_id=by.organisation_id, patient__practice_id=by.organisation_id
    )


def _entries_by_the_page(by: Membership) -> QuerySet[ListEntry]:
    """Returns what `entries` does, so that PostgreSQL reads a page of one list by the index, not the list whole.

    It takes a person's practice for something that has nothing to do with their list's, expects that next to
    nobody is left of the two, and would read and sort everybody to find fifty. Of a CASE it expects half.
    """
    is_here = Case(When(patient__practice_id=by.organisation_id, then=True), default=False, output_field=BooleanField())
    return ListEntry.objects.filter(is_here, practice_list__practice_id=by.organisation_id)


def progress(by: Membership) -> list[Progress]:
    """Returns the practice's lists: those not yet signed off first, soonest due; then the others, newest first."""
    rows = _progress(by, PracticeList.objects.order_by("due_date", "run__requested_at", "pk"))
    waiting = [row for row in rows if row.practice_list.submitted_at is None]
    done = [row for row in rows if row.practice_list.submitted_at is not None]
    return waiting + done[::-1]


def progress_of(by: Membership, list_id: UUID) -> Progress:
    """Returns one list of the practice with its counts. Raises PracticeList.DoesNotExist."""
    rows = _progress(by, PracticeList.objects.filter(pk=list_id))
    if not rows:
        raise PracticeList.DoesNotExist
    return rows[0]


def newest_list(by: Membership) -> PracticeList | None:
    """Returns the list that people are added to: that of the newest search; None before the first."""
    return PracticeList.objects.filter(practice_id=by.organisation_id).order_by("-run__requested_at", "pk").first()


def _progress(by: Membership, wanted: QuerySet[PracticeList]) -> list[Progress]:
    """Reads lists with their counts, in three queries however many lists and people there are."""
    lists = list(wanted.filter(practice_id=by.organisation_id).select_related("run", "practice", "submitted_by"))
    here = entries(by).filter(practice_list__in=[row.pk for row in lists])
    people: dict[UUID, dict[ReviewState, int]] = defaultdict(dict)
    changed: dict[UUID, dict[ReviewState, int]] = defaultdict(dict)
    for row in here.values("practice_list_id", "review_state").annotate(
        people=Count("pk"), changed=Count("pk", filter=~Q(recheck=""))
    ):
        state, list_id = ReviewState(row["review_state"]), row["practice_list_id"]
        people[list_id][state] = row["people"]
        if row["changed"]:
            changed[list_id][state] = row["changed"]
    asked: dict[UUID, dict[str, int]] = defaultdict(dict)
    # From the few questions to the people, never the other way.
    for list_id, state, count in (
        here.filter(pk__in=_open_queries(by).values("patient_id"))
        .values_list("practice_list_id", "review_state")
        .annotate(people=Count("pk"))
    ):
        asked[list_id][state] = count
    return [
        Progress(
            practice_list=row,
            to_review=people[row.pk].get(ReviewState.TO_REVIEW, 0),
            confirmed=people[row.pk].get(ReviewState.CONFIRMED, 0),
            removed=people[row.pk].get(ReviewState.REMOVED, 0),
            added=people[row.pk].get(ReviewState.ADDED, 0),
            lapsed=people[row.pk].get(ReviewState.LAPSED, 0),
            queries=sum(asked[row.pk].values()),
            asked=asked[row.pk].get(ReviewState.TO_REVIEW, 0),
            changed=changed[row.pk],
        )
        for row in lists
    ]


def _open_queries(by: Membership) -> QuerySet[ReviewQuery]:
    return ReviewQuery.objects.filter(practice_id=by.organisation_id, answered_at=None)


def people(by: Membership, list_id: UUID, **chosen: Any) -> QuerySet[ListEntry, Any]:
    """Returns a list's entries under one tab, in order; read them a page at a time.

    `chosen` is `today` and, where they are not all wanted, any of: `tab`; `name`, of which every word must be
    part of a given or family name; `group`, one disease group, or NO_GROUP; `age`, one of AGE_BANDS, on `today`;
    `strength`, one of `cohort.rules.Strength`; `since`: NEW people came onto the list after somebody last worked
    on it, before today, the CHANGED are to be looked at again. What is none of these picks nobody.
    """
    return _in_order(_chosen(_entries_by_the_page(by), by, list_id, **chosen))


def how_many(by: Membership, list_id: UUID, **chosen: Any) -> int:
    """Returns how many `people` there are."""
    return _chosen(entries(by), by, list_id, **chosen).count()


def _in_order(found: QuerySet[ListEntry]) -> QuerySet[ListEntry, Any]:
    return found.order_by("sort_key", "pk").select_related("patient", "reviewed_by")


def _under(by: Membership, found: QuerySet[ListEntry], tab: Tab) -> QuerySet[ListEntry]:
    if tab is Tab.QUERIES:
        return found.filter(pk__in=_open_queries(by).values("patient_id"))
    found = found.filter(review_state=_STATES[tab].value)
    if tab is Tab.TO_REVIEW:
        found = found.exclude(Exists(_open_queries(by).filter(patient_id=OuterRef("pk"))))
    return found


def _chosen(
    found: QuerySet[ListEntry],
    by: Membership,
    list_id: UUID,
    *,
    today: date,
    tab: Tab = Tab.TO_REVIEW,
    name: str = "",
    group: str = "",
    age: str = "",
    strength: str = "",
    since: str = "",
) -> QuerySet[ListEntry]:
    found = _under(by, found.filter(practice_list_id=list_id), tab)
    for word in name.split():
        found = found.filter(Q(patient__given_name__icontains=word) | Q(patient__family_name__icontains=word))
    if group:
        flags = standing_flags().filter(patient_id=OuterRef("pk"))
        found = found.filter(~Exists(flags) if group == NO_GROUP else Exists(flags.filter(**{_GROUP: group})))
    if age:
        found = found.filter(_of_age(age, today)) if age in AGE_BANDS else found.none()
    if strength:
        found = found.filter(strength=strength)
    if since == Since.CHANGED:
        found = found.exclude(recheck="")
    elif since == Since.NEW:
        last = _worked(by, list_id, today).values("practice_list").annotate(last=Max("reviewed_at")).values("last")
        found = found.filter(listed_at__gt=Coalesce(Subquery(last), F("practice_list__run__finished_at")))
    elif since:
        found = found.none()
    return found


def _worked(by: Membership, list_id: UUID, today: date) -> QuerySet[ListEntry]:
    """Returns those of a list whom somebody decided before today."""
    midnight = datetime.combine(today, time.min, tzinfo=timezone.get_current_timezone())
    return entries(by).filter(practice_list_id=list_id, reviewed_at__lt=midnight)


def _of_age(band: str, today: date) -> Q:
    youngest, oldest = AGE_BANDS[band]
    found = Q(patient__birth_date__lte=_years_before(today, youngest))
    return found if oldest is None else found & Q(patient__birth_date__gt=_years_before(today, oldest + 1))


def _years_before(day: date, years: int) -> date:
    """Returns the birthday of who turns that age on the day; whoever was born on 29 February turns it on 1 March."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def standing_flags() -> QuerySet[Flag]:
    """Returns the flags that no search has ended. Narrow it to people in scope before reading."""
    return Flag.objects.filter(ended_in=None)


@dataclass(frozen=True)
class Choices:
    """What the people under one tab can be picked by, each with its number of people.

    `new` came after `worked_at`, when somebody last worked on the list before today; None: after the search.
    """

    groups: list[tuple[str, int]]
    strengths: dict[str, int]
    new: int
    worked_at: datetime | None


def choices(by: Membership, list_id: UUID, *, today: date, tab: Tab = Tab.TO_REVIEW) -> Choices:
    """Returns what the people under a tab can be picked by, in three queries."""
    under = _under(by, entries(by).filter(practice_list_id=list_id), tab)
    # From the people to their flags, joined: given as `IN`, without statistics PostgreSQL plans that in hours.
    groups = (
        under.order_by()
        .filter(patient__flags__isnull=False, patient__flags__ended_in=None)
        .values_list(f"patient__flags__{_GROUP}")
        .annotate(people=Count("pk", distinct=True))
        .order_by(f"patient__flags__{_GROUP}")
    )
    worked_at = _worked(by, list_id, today).aggregate(last=Max("reviewed_at"))["last"]
    since = Value(worked_at) if worked_at else F("practice_list__run__finished_at")
    strengths = list(
        under.order_by()
        .values_list("strength")
        .annotate(people=Count("pk"), new=Count("pk", filter=Q(listed_at__gt=since)))
    )
    return Choices(
        groups=list(groups),
        strengths={strength: people for strength, people, _ in strengths},
        new=sum(new for _, _, new in strengths),
        worked_at=worked_at,
    )


@dataclass(frozen=True)
class Behind:
    """What is behind somebody's flags: disease groups, how many coded records, of which sources, the newest when."""

    groups: tuple[str, ...]
    records: int = 0
    sources: tuple[str, ...] = ()
    newest_date: date | None = None


def behind(by: Membership, patient_ids: Iterable[UUID]) -> dict[UUID, Behind]:
    """Returns what is behind these people of the practice, in one query; whom no search finds are left out."""
    coded = Q(evidence__code__gt="")
    rows = (
        standing_flags()
        .filter(patient_id__in=list(patient_ids), patient__practice_id=by.organisation_id)
        .values_list("patient_id")
        .annotate(
            groups=ArrayAgg(_GROUP, distinct=True),
            records=Count("evidence", filter=coded),
            sources=ArrayAgg("evidence__source", distinct=True, filter=coded, default=[]),
            newest=Max("evidence__event_date"),
        )
    )
    return {
        patient_id: Behind(tuple(groups), records, tuple(sources), newest)
        for patient_id, groups, records, sources, newest in rows
    }


def not_told(by: Membership, list_id: UUID) -> QuerySet[ListEntry, Any]:
    """Returns those removed whom no clinician has told yet, except the dead and those added by mistake."""
    return (
        _in_order(entries(by).filter(practice_list_id=list_id, review_state=ReviewState.REMOVED.value))
        .filter(is_patient_told=False)
        .exclude(removal_reason__in=TOLD_BY_NOBODY)
    )


@dataclass(frozen=True)
class Place:
    """Where somebody stands among those of a tab: `number` of `count`, and who comes next (None: nobody else)."""

    number: int
    count: int
    next_id: UUID | None


def place(by: Membership, list_id: UUID, patient_id: UUID | None = None, **chosen: Any) -> Place:
    """Returns a person's place in the order of a page of people, with the page's choices (see `people`).

    Somebody decided already has the place they had, counted with the rest. After the last comes the
    first who is left. Without `patient_id`, `next_id` is the first of all. At most four queries, which
    read counts and one row, however long the list.
    """
    others = _in_order(_chosen(entries(by), by, list_id, **chosen))
    own = entries(by).filter(pk=patient_id).values_list("sort_key", "pk").first() if patient_id else None
    if own is None:
        return Place(0, others.count(), others.values_list("pk", flat=True).first())
    others = others.exclude(pk=patient_id)
    key, pk = own
    # The first condition says nothing new, but an index can begin there.
    after = others.filter(Q(sort_key__gte=key), Q(sort_key__gt=key) | Q(pk__gt=pk))
    counts = others.aggregate(
        count=Count("pk"), before=Count("pk", filter=Q(sort_key__lt=key) | Q(sort_key=key, pk__lt=pk))
    )
    following = after.values_list("pk", flat=True).first() or others.values_list("pk", flat=True).first()
    return Place(number=counts["before"] + 1, count=counts["count"] + 1, next_id=following)
