"""The sweeper: wakes whatever work is waiting in PostgreSQL, so that losing Redis loses nothing."""

from celery import shared_task


@shared_task
def wake_waiting_work() -> None:
    """Safe to run at any time, twice too: each action takes only what is waiting."""
