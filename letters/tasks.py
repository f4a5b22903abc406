"""Celery tasks of the letters app. The outbox is the truth: a task only wakes a worker."""

from celery import shared_task
from django.utils import timezone

from letters.actions import outbox


@shared_task
def work_outbox() -> int:
    """Works until nothing is left that may go now; returns how many messages went. See `outbox.work`."""
    return outbox.work(clock=timezone.now)
