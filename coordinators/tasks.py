"""Celery tasks of the coordinators app: each one action call, safe to run twice or not at all."""

from celery import shared_task
from django.utils import timezone

from coordinators import actions


@shared_task
def assign_coordinators() -> None:
    """Assigns the next people who wait for a coordinator, and calls itself again while there were any."""
    if actions.assign_waiting(at=timezone.now()):
        assign_coordinators.delay()


@shared_task
def end_finished_assignments() -> None:
    """Ends the assignments of people who need no coordinator any more, or need another."""
    if actions.end_finished(at=timezone.now()):
        end_finished_assignments.delay()


@shared_task
def find_referral_authorities() -> None:
    """Sends on the referrals whose local authority was not known when they were made."""
    actions.find_authorities(at=timezone.now())
