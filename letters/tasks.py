"""Celery tasks of the letters app. The outbox is the truth: a task only wakes a worker."""

from celery import shared_task
from django.utils import timezone

from letters.actions import outbox, receipt_files
from letters.actions import reconcile as reconciling


@shared_task
def work_outbox() -> int:
    """Works until nothing is left that may go now; returns how many messages went. See `outbox.work`."""
    return outbox.work(clock=timezone.now)


@shared_task
def collect_receipts() -> int:
    """Records what the print supplier says since the last time; returns how many files. Safe to run twice."""
    return receipt_files.collect(at=timezone.now())


@shared_task
def reconcile() -> int:
    """Asks providers about the messages in doubt; returns how many were settled. Safe to run at any time, twice."""
    settled = reconciling.reconcile(at=timezone.now())
    return settled.found + settled.never_there


@shared_task
def catch_up_receipts() -> int:
    """Asks providers for receipts that did not come; returns how many were new. Safe to run at any time, twice."""
    return reconciling.catch_up(at=timezone.now())
