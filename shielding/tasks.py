"""The sweeper: wakes whatever work is waiting in PostgreSQL, so that losing Redis loses nothing."""

from celery import shared_task

from cohort.tasks import resume_searches
from coordinators.tasks import assign_coordinators, end_finished_assignments, find_referral_authorities
from letters.tasks import work_outbox
from shielding.celery import wake


@shared_task
def wake_waiting_work() -> None:
    """Safe to run at any time, twice too: each action takes only what is waiting."""
    for task in (
        resume_searches,
        end_finished_assignments,
        assign_coordinators,
        find_referral_authorities,
        work_outbox,
    ):
        wake(task)
