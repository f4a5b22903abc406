"""Celery tasks of the cohort app: ids in, one action, safe to run twice."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cohort.actions.runs import carry_out
from cohort.queries.runs import active_run_ids


@shared_task
def carry_out_search(run_id: str) -> None:
    """Carries out one search run."""
    carry_out(run_id=UUID(run_id), now=timezone.now)


@shared_task
def resume_searches() -> None:
    """Takes up whatever search is queued, or was left by a worker that died."""
    for run_id in active_run_ids():
        carry_out(run_id=run_id, now=timezone.now)
