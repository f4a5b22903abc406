"""Celery tasks of the cohort app: ids in, one action, safe to run twice."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from cohort.actions.hospitals.lists import carry_on
from cohort.actions.late import send_reminders
from cohort.actions.mending import add_mended_rows
from cohort.actions.runs import carry_out
from cohort.queries.extracts import active_mending_ids
from cohort.queries.hospitals import waiting_list_ids
from cohort.queries.runs import active_run_ids
from cohort.sent_sheets import sweep


@shared_task
def carry_out_search(run_id: str) -> None:
    """Carries out one search run."""
    carry_out(run_id=UUID(run_id), now=timezone.now)


@shared_task
def resume_searches() -> None:
    """Takes up whatever search is queued, or was left by a worker that died."""
    for run_id in active_run_ids():
        carry_out(run_id=run_id, now=timezone.now)


@shared_task
def add_mended(mended_id: str) -> None:
    """Makes a new extract with one file of mended rows."""
    add_mended_rows(mended_id=UUID(mended_id), now=timezone.now)


@shared_task
def resume_mending() -> None:
    """Takes up whatever mended rows are waiting, or were left by a worker that died."""
    for mended_id in active_mending_ids():
        add_mended_rows(mended_id=mended_id, now=timezone.now)


@shared_task
def carry_on_list(list_id: str) -> None:
    """Checks or sends one long list of a hospital unit."""
    carry_on(list_id=UUID(list_id), at=timezone.now())


@shared_task
def resume_hospital_lists() -> None:
    """Takes up whatever lists of hospital units are waiting, or were left by a worker that died."""
    for list_id in waiting_list_ids():
        carry_on(list_id=list_id, at=timezone.now())


@shared_task
def remind_practices() -> None:
    """Sends the reminders that are due today and have not been sent."""
    send_reminders(now=timezone.now)


@shared_task
def sweep_practice_sheets() -> None:
    """Removes the files of practices that nobody has decided about for a day."""
    sweep()
