"""Search runs: asking for one, carrying it out, cancelling it."""

import contextlib
import logging
import shutil
import traceback
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from cohort.actions.landing import land
from cohort.models import Extract, SearchRun
from cohort.policies import check_can_run_search
from cohort.queries import criteria as criteria_queries
from cohort.queries import extracts as extract_queries
from cohort.rules import RunState
from cohort.search.engine import run_search
from shielding.accounts.models import Membership

logger = logging.getLogger(__name__)


class NothingToSearch(Exception):
    """No extract has been loaded, or no criterion is published."""


class StaleSources(Exception):
    """Some sources are older than the limit; `extracts` names them. Searching needs a reason."""

    def __init__(self, extracts: list[Extract]) -> None:
        self.extracts = extracts
        super().__init__("Older than the limit: " + ", ".join(str(extract) for extract in extracts))


class SearchAlreadyRunning(Exception):
    """A search is queued or running already."""


class SearchFailed(Exception):
    """A run ended as FAILED; the message names the run and the kind of error, never data."""


class Cancelled(Exception):
    """Somebody cancelled the run while it ran."""


def request_search(
    *, search_date: date, by: Membership | None, at: datetime, stale_sources_reason: str = ""
) -> SearchRun:
    """Queues a search of the newest extracts with the criteria in force, and returns it.

    `by` is None only for the command line. Raises NothingToSearch, SearchAlreadyRunning, and
    StaleSources where a source is older than its supplier's may be and no reason is given.
    """
    if by is not None:
        check_can_run_search(by)
    extracts = extract_queries.newest_extracts()
    versions = criteria_queries.criteria_in_force()
    if not extracts or not versions:
        raise NothingToSearch("Load an extract and the criteria first.")
    stale = extract_queries.stale_extracts(extracts, on=search_date)
    if stale and not stale_sources_reason.strip():
        raise StaleSources(stale)
    try:
        with transaction.atomic():
            run = SearchRun.objects.create(
                search_date=search_date,
                requested_at=at,
                requested_by=by.user if by else None,
                stale_sources_reason=stale_sources_reason.strip(),
            )
            run.extracts.set(extracts)
            run.criteria.set(versions)
    except IntegrityError as error:
        if "one_search_at_a_time" in str(error):
            raise SearchAlreadyRunning from error
        raise
    return run


def cancel_search(*, run_id: UUID, by: Membership, at: datetime) -> bool:
    """Cancels a queued or running search; the worker stops at its next step. Returns whether it was still active."""
    check_can_run_search(by)
    with transaction.atomic():
        run = SearchRun.objects.select_for_update().get(pk=run_id)
        if run.state not in (RunState.QUEUED, RunState.RUNNING):
            return False
        run.state = RunState.CANCELLED.value
        run.finished_at = at
        run.save()
    return True


def carry_out(*, run_id: UUID, now: Callable[[], datetime]) -> None:
    """Runs the search and lands it. Safe to call at any time, by any number of workers.

    One worker at a time holds the run, by a lock of its database session, which a dying worker gives
    up with its connection: the next call takes the run up where the last whole step ended. A search
    that fails is marked FAILED with an error fit to show, and raises SearchFailed.
    """
    with _held(run_id) as is_ours:
        if not is_ours or not _begin(run_id, at=now()):
            return
        run = SearchRun.objects.prefetch_related("extracts", "criteria").get(pk=run_id)
        results = Path(settings.RUN_FOLDER) / str(run_id)
        try:
            _search(run, results)
            _tell(run_id, 90, "Adding people to the practices' lists")
            extracts = list(run.extracts.all())
            land(
                run_id=run_id,
                results=results,
                patients=extract_queries.patients_paths(extracts),
                as_at=max(extract.as_at for extract in extracts),
                at=now(),
            )
        except Cancelled:
            logger.info("Search %s was cancelled", run_id)
        except Exception as error:
            # The text of an unexpected error may quote a person's data, so only its kind and place are kept.
            kind = type(error).__name__
            logger.error("Search %s failed: %s\n%s", run_id, kind, "".join(traceback.format_tb(error.__traceback__)))
            SearchRun.objects.filter(pk=run_id, state=RunState.RUNNING).update(
                state=RunState.FAILED, finished_at=now(), error=f"The search stopped: {kind}."
            )
            raise SearchFailed(f"Search {run_id} failed: {kind}") from None
        finally:
            shutil.rmtree(results, ignore_errors=True)


@contextlib.contextmanager
def _held(run_id: UUID) -> Iterator[bool]:
    key = run_id.int % (2**63)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (is_ours,) = cursor.fetchone()
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _begin(run_id: UUID, *, at: datetime) -> bool:
    with transaction.atomic():
        run = SearchRun.objects.select_for_update().get(pk=run_id)
        if run.state == RunState.QUEUED:
            run.state = RunState.RUNNING.value
            run.started_at = at
            run.save()
        return run.state == RunState.RUNNING.value


def _tell(run_id: UUID, percent: int, doing: str) -> None:
    still_running = SearchRun.objects.filter(pk=run_id, state=RunState.RUNNING).update(percent=percent, doing=doing)
    if not still_running:
        raise Cancelled


def _search(run: SearchRun, results: Path) -> None:
    versions = list(run.criteria.select_related("criterion").prefetch_related("code_lists"))
    extracts = sorted(run.extracts.all(), key=lambda extract: (extract.as_at, extract.loaded_at), reverse=True)
    found = run_search(
        criteria=[criteria_queries.search_criterion(version) for version in versions],
        code_sets=criteria_queries.code_sets_for(versions),
        patients=extract_queries.patients_paths(extracts),
        records=extract_queries.records_paths(extracts),
        search_date=run.search_date,
        out=results,
        progress=lambda percent, doing: _tell(run.pk, percent * 85 // 100, doing),
    )
    SearchRun.objects.filter(pk=run.pk).update(people_searched=found.people_searched)
