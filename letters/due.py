"""Whom a campaign is about, on the list or off it, and whom of them it is meant for."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from cohort.models import ListEntry
from cohort.queries.holds import told_of_a_removal
from cohort.queries.late import lists_to_contact
from cohort.rules import Audience, ReviewState
from coordinators.models import Assignment
from letters.models import Campaign, Message
from letters.rules import GONE

#: Names each person's care coordinator.
COORDINATOR = "coordinator"


def cleared(on: date) -> QuerySet[ListEntry]:
    """Returns the entries of everybody on the list whom nothing but a hold keeps from being contacted on this day.

    They are validated, or their practice is late and the late are to be contacted anyway. One who is on
    the list although their practice removed them was put on by a later request of a clinician, which
    wins: they are due like anybody else.
    """
    return ListEntry.objects.filter(
        ~Q(review_state=ReviewState.TO_REVIEW) | Q(practice_list__in=lists_to_contact(on)), is_on_list=True
    )


def about(campaign: Campaign, on: date) -> QuerySet[ListEntry]:
    """Returns the entries of those whom a campaign is about on this day: on the list, or told that they are off it."""
    if campaign.audience == Audience.REMOVED:
        return ListEntry.objects.filter(told_of_a_removal())
    return cleared(on)


def meant_for(campaign: Campaign) -> Q:
    """Returns, over `Patient`, whom a campaign is meant for: those with a coordinator, or everybody.

    That they are off the list is said only to those who were ever written to as being on it.
    """
    if campaign.slug == COORDINATOR:
        return Q(Exists(Assignment.objects.filter(patient=OuterRef("pk"), ended_at__isnull=True)))
    if campaign.audience == Audience.REMOVED:
        told = Message.objects.filter(campaign__audience=Audience.LISTED.value, state__in=GONE)
        return Q(Exists(told.filter(patient=OuterRef("pk"))))
    return Q()
