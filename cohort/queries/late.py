"""Reads of lists that are late, and of what was decided about the people on them. Counts and lists, no people."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from cohort.late import LatePolicy
from cohort.models import LateDecision, ListEntry, PracticeList, SearchRun
from cohort.rules import ReviewState


def late_lists(on: date) -> QuerySet[PracticeList]:
    """Returns the lists that were due before this day (UK) and are not signed off."""
    return PracticeList.objects.filter(submitted_at=None, due_date__lt=on)


def lists_to_contact(on: date) -> QuerySet[PracticeList]:
    """Returns the late lists whose unreviewed people are contacted anyway, by the latest decision about their run."""
    later = LateDecision.objects.filter(run=OuterRef("run"), pk__gt=OuterRef("pk"))
    in_force = LateDecision.objects.filter(
        ~Exists(later), policy=LatePolicy.CONTACT.value, from_date__lte=on, run=OuterRef("run")
    )
    return late_lists(on).filter(Exists(in_force))


def unreviewed(lists: QuerySet[PracticeList]) -> QuerySet[ListEntry, Any]:
    """Returns those on these lists who wait for their practice's review and would be contacted after it."""
    return ListEntry.objects.filter(practice_list__in=lists, review_state=ReviewState.TO_REVIEW.value, is_on_list=True)


def decisions(run: SearchRun) -> QuerySet[LateDecision]:
    """Returns what was decided about the late lists of a run, the newest first; that one holds."""
    return LateDecision.objects.filter(run=run).select_related("by").order_by("-pk")


def first_due_date(run: SearchRun) -> date | None:
    """Returns when the lists of a run are due; those opened again may be due later. None without lists."""
    return PracticeList.objects.filter(run=run).order_by("due_date").values_list("due_date", flat=True).first()
