"""The sweeper: wakes whatever work is waiting in PostgreSQL, so that losing Redis loses nothing."""

from celery import shared_task
from django.core.management import call_command

from cohort.tasks import resume_hospital_lists, resume_mending, resume_searches
from coordinators.tasks import assign_coordinators, end_finished_assignments, find_referral_authorities
from letters.tasks import work_outbox
from shielding.celery import wake


@shared_task
def wake_waiting_work() -> None:
    """Safe to run at any time, twice too: each action takes only what is waiting."""
    for task in (
        resume_searches,
        resume_mending,
        resume_hospital_lists,
        end_finished_assignments,
        assign_coordinators,
        find_referral_authorities,
        work_outbox,
    ):
        wake(task)


@shared_task
def clear_old_sessions() -> None:
    """Removes sessions that have run out, and with them what somebody typed into a filter."""
    call_command("clearsessions")
