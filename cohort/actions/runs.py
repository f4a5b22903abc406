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
from django.db import IntegrityError, OperationalError, connection, transaction

from cohort.actions.landing import land
from cohort.models import Extract, SearchRun
from cohort.models.runs import ACTIVE_RUN_STATES
from cohort.policies import check_can_run_search
from cohort.queries import criteria as criteria_queries
from cohort.queries import extracts as extract_queries
from cohort.queries.incremental import ASKED_FOR, Start, changes_since, results_folder, starting_point
from cohort.rules import RunKind, RunState
from cohort.search.engine import CannotContinue, SearchResult, discard, run_search
from cohort.search.movers import Since
from shielding.accounts.models import Membership

#: The percentage at which the search itself is done and its results begin to land.
SEARCHED = 90

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
    *,
    search_date: date,
    by: Membership | None,
    at: datetime,
    stale_sources_reason: str = "",
    is_full_wanted: bool = False,
) -> SearchRun:
    """Queues a search of the newest extracts with the criteria in force, and returns it.

    It is incremental where it can be, unless `is_full_wanted`; the run says which and why. `by` is
    None only for the command line. Raises NothingToSearch, SearchAlreadyRunning, and StaleSources
    where a source is older than its supplier's may be and no reason is given.
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
    start = Start(None, ASKED_FOR)
    if not is_full_wanted:
        start = starting_point(extracts=extracts, versions=versions, search_date=search_date)
    try:
        with transaction.atomic():
            run = SearchRun.objects.create(
                kind=(RunKind.INCREMENTAL if start.since else RunKind.FULL).value,
                kind_reason=start.reason,
                since=start.since,
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
    """Cancels a queued or running search; the worker stops at its next step.

    Returns whether it did: a run that has ended, or is just being landed, cannot be cancelled.
    """
    check_can_run_search(by)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                # Landing holds the row until it has landed; nobody is kept waiting for that.
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            run = SearchRun.objects.select_for_update().get(pk=run_id)
            if run.state not in (RunState.QUEUED, RunState.RUNNING):
                return False
            run.state = RunState.CANCELLED.value
            run.finished_at = at
            run.save()
    except OperationalError:
        return False
    return True


def carry_out(*, run_id: UUID, now: Callable[[], datetime]) -> None:
    """Runs the search and lands it. Safe to call at any time, by any number of workers.

    One worker at a time holds the run, by a lock of its database session, which a dying worker gives
    up with its connection: the next call takes the run up with the shards that are not done. A search
    that fails is marked FAILED with an error fit to show, and raises SearchFailed. The results of a
    run that has landed are kept for the next to begin from, and those before it removed.
    """
    with _held(run_id) as is_ours:
        if not is_ours or not _begin(run_id, at=now()):
            return
        run = SearchRun.objects.get(pk=run_id)
        results = results_folder(run_id)
        try:
            _search(run, results)
            _tell(run_id, SEARCHED, "Adding people to the practices' lists")
            extracts = list(run.extracts.all())
            landed = land(
                run_id=run_id,
                results=results,
                patients=extract_queries.patients_paths(extracts),
                as_at=max(extract.as_at for extract in extracts),
                at=now(),
            )
            if landed.state != RunState.LANDED:
                raise Cancelled
        except Cancelled:
            logger.info("Search %s was cancelled", run_id)
            discard(results)
        except Exception as error:
            # The text of an unexpected error may quote a person's data, so only its kind and place are kept.
            kind = type(error).__name__
            logger.error("Search %s failed: %s\n%s", run_id, kind, "".join(traceback.format_tb(error.__traceback__)))
            SearchRun.objects.filter(pk=run_id, state=RunState.RUNNING).update(
                state=RunState.FAILED, finished_at=now(), error=f"The search stopped: {kind}."
            )
            discard(results)
            raise SearchFailed(f"Search {run_id} failed: {kind}") from None
        else:
            _discard_others(run_id)


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
    if results.is_dir() and run.people_searched is not None:
        return  # a worker died while it landed them
    try:
        found = _run_engine(run, results)
    except CannotContinue as error:
        logger.info("Search %s searches everybody: %s", run.pk, error)
        run.kind, run.since = RunKind.FULL.value, None
        run.kind_reason = f"An incremental search was not possible: {error}."
        run.save(update_fields=["kind", "since", "kind_reason"])
        found = _run_engine(run, results)
    SearchRun.objects.filter(pk=run.pk).update(people_searched=found.people_searched)


def _run_engine(run: SearchRun, results: Path) -> SearchResult:
    versions = list(run.criteria.select_related("criterion").prefetch_related("code_lists"))
    extracts = sorted(run.extracts.all(), key=lambda extract: (extract.as_at, extract.loaded_at), reverse=True)
    since = None
    if run.since is not None:
        since = Since(
            results_folder(run.since.pk),
            run.since.search_date,
            changes_since(run, run.since),
            # Loading refuses records dated after their extract.
            latest=max(extract.as_at for extract in run.since.extracts.all()),
        )
    return run_search(
        criteria=[criteria_queries.search_criterion(version) for version in versions],
        code_sets=criteria_queries.code_sets_for(versions),
        extracts=extract_queries.folders(extracts),
        search_date=run.search_date,
        out=results,
        progress=lambda percent, doing: _tell(run.pk, percent * (SEARCHED - 1) // 100, doing),
        memory_limit=settings.SEARCH_MEMORY_LIMIT,
        since=since,
    )


def _discard_others(run_id: UUID) -> None:
    """Removes the results of every run that has ended but this one."""
    for folder in Path(settings.RUN_FOLDER).iterdir():
        try:
            other = UUID(folder.name.removeprefix(".").removesuffix(".part"))
        except ValueError:
            continue
        if other != run_id and not SearchRun.objects.filter(pk=other, state__in=ACTIVE_RUN_STATES).exists():
            shutil.rmtree(folder, ignore_errors=True)
