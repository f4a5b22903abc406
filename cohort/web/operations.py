"""Pages of the central operator: extracts and searches. Counts only: no page here shows a person."""

import math
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort.actions import runs as run_actions
from cohort.policies import check_can_run_search
from cohort.queries import criteria as criteria_queries
from cohort.queries import extracts as extract_queries
from cohort.queries import runs as run_queries
from cohort.tasks import carry_out_search
from cohort.web.operations_forms import StartSearchForm
from shielding.accounts.http import MemberRequest
from shielding.celery import wake


@require_GET
def extracts(request: MemberRequest) -> HttpResponse:
    """Every extract, the newest first, with what was accepted and refused, and how old each source is."""
    check_can_run_search(request.membership)
    today = timezone.localdate()
    newest = extract_queries.newest_extracts()
    stale = extract_queries.stale_extracts(newest, on=today)
    return render(
        request,
        "cohort/operations/extracts.html",
        {
            "extracts": extract_queries.all_extracts(),
            "newest": {extract.pk for extract in newest},
            "stale": stale,
            "today": today,
            "limit_days": settings.SOURCE_AGE_LIMIT_DAYS,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def searches(request: MemberRequest) -> HttpResponse:
    """Every search, and the form that starts one."""
    by = check_can_run_search(request.membership)
    now = timezone.now()
    form = StartSearchForm(request.POST or None, initial={"search_date": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            run = run_actions.request_search(
                search_date=form.cleaned_data["search_date"],
                stale_sources_reason=form.cleaned_data["stale_sources_reason"],
                is_full_wanted=form.cleaned_data["is_full_wanted"],
                by=by,
                at=now,
            )
        except run_actions.StaleSources as error:
            names = ", ".join(str(extract) for extract in error.extracts)
            form.add_error("stale_sources_reason", f"Say why you are searching with old records: {names}")
        except run_actions.NothingToSearch:
            form.add_error(None, "There is nothing to search yet: load an extract and the criteria first")
        except run_actions.SearchAlreadyRunning:
            form.add_error(None, "A search is running already: wait for it to finish, or cancel it")
        else:
            wake(carry_out_search, str(run.pk))
            messages.success(request, "Search started")
            return redirect("cohort:search", run.pk)
    newest = extract_queries.newest_extracts()
    return render(
        request,
        "cohort/operations/searches.html",
        {
            "form": form,
            "runs": run_queries.runs(),
            "extracts": newest,
            "criteria": criteria_queries.criteria_in_force(),
        },
    )


@require_GET
def search(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """One search: how far it is, or what it found by criterion."""
    check_can_run_search(request.membership)
    run = get_object_or_404(run_queries.runs(), pk=run_id)
    return render(
        request,
        "cohort/operations/search.html",
        {
            "run": run,
            "extracts": run.extracts.all(),
            "counts": run_queries.counts_by_criterion(run),
            "time_left": in_words(run_queries.time_left(run, timezone.now())),
        },
    )


@require_POST
def cancel_search(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """Cancels a search that has not landed."""
    by = check_can_run_search(request.membership)
    get_object_or_404(run_queries.runs(), pk=run_id)
    if run_actions.cancel_search(run_id=run_id, by=by, at=timezone.now()):
        messages.success(request, "Search cancelled. Nothing was changed")
    else:
        messages.warning(request, "The search had ended or was being added to the lists, so it could not be cancelled")
    return redirect("cohort:search", run_id)


def in_words(left: timedelta | None) -> str:
    """Returns how long that is, rounded up, as `about 4 minutes left`; '' where it is not known."""
    if left is None:
        return ""
    minutes = math.ceil(left.total_seconds() / 60)
    if minutes <= 1:
        return "about a minute left"
    if minutes < 100:
        return f"about {minutes} minutes left"
    return f"about {math.ceil(minutes / 60)} hours left"
