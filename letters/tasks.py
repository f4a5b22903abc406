"""Celery tasks of the letters app. The outbox is the truth: a task only wakes a worker."""

from celery import shared_task
from django.utils import timezone

from letters.actions import outbox


@shared_task
def work_outbox() -> int:
    """Works until nothing is left that may go now; returns how many messages were handed over.

    Safe to run at any time, twice, and on several workers: each claim takes what nobody else holds.
    """
    outbox.sweep(at=timezone.now())
    handed_over = outbox.finish_stranded(at=timezone.now())
    while claimed := outbox.claim(at=timezone.now()):
        finished = outbox.make_and_hand_over(claimed=claimed, at=timezone.now())
        handed_over += finished.count if finished else 0
    outbox.sweep(at=timezone.now())
    return handed_over
