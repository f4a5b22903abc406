"""How far practices are, for the centre and for care systems; the decision about late ones. Counts, no people."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort import policies
from cohort.actions import late as actions
from cohort.late import LatePolicy
from cohort.long_lists import FAILURES
from cohort.models import SearchRun
from cohort.queries import late, oversight, runs
from cohort.rules import suppressed
from cohort.spreadsheets import marked_lines
from cohort.web.oversight_forms import ChooseForm, DecideForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership

LISTS_PER_PAGE = 50
COLUMNS = (
    "practice_code",
    "practice",
    "phone",
    "ics",
    "search_date",
    "due_date",
    "signed_off_date",
    "people",
    "to_review",
    "percent_reviewed",
    "last_reminder",
    "last_reminder_state",
    "last_reminder_date",
)


@never_cache
@require_GET
def centre(request: MemberRequest) -> HttpResponse:
    """Every practice's lists: progress, when due, the last reminder, and whom to ring."""
    by = policies.check_can_oversee(request.membership)
    return render(request, "cohort/oversight/lists.html", _page(request, by))


@never_cache
@require_GET
def area(request: MemberRequest) -> HttpResponse:
    """The same for the lead of an integrated care system: its own practices, small counts hidden."""
    by = policies.check_can_see_area(request.membership)
    return render(request, "cohort/oversight/lists.html", _page(request, by, is_area=True))


def _page(request: MemberRequest, by: Membership, *, is_area: bool = False) -> dict[str, Any]:
    today = timezone.localdate()
    form = ChooseForm(request.GET, runs=oversight.searches(by), is_area=is_area)
    chosen, sort = form.chosen()
    found = oversight.in_order(oversight.chosen(by, today=today, **chosen), sort)
    page = Paginator(found, LISTS_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "form": form,
        "page": page,
        "rows": oversight.rows(list(page)),
        "summary": oversight.summary(by, today=today, ics=chosen["ics"], run=chosen["run"]),
        "searches": oversight.searches(by)[:5],
        "stuck_lists": oversight.stuck_hospital_lists(by, at=timezone.now()),
        "failures": FAILURES,
        "today": today,
        "is_area": is_area,
        "is_filtered": bool(request.GET),
        "suppressed": suppressed,
        "query": request.GET.urlencode(),
    }


@never_cache
@require_GET
def centre_csv(request: MemberRequest) -> HttpResponseBase:
    """The lists that are chosen, as CSV, for the centre."""
    by = policies.check_can_oversee(request.membership)
    today = timezone.localdate()
    chosen, sort = ChooseForm(request.GET, runs=oversight.searches(by)).chosen()
    found = oversight.in_order(oversight.chosen(by, today=today, **chosen), sort)
    answer = StreamingHttpResponse(marked_lines(_cells(found)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="practices-{today}-for-the-centre.csv"'
    return answer


def _cells(found: Any) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for row in oversight.every_row(found):
        shown, practice, reminder = row.practice_list, row.practice_list.practice, row.reminder
        yield (
            practice.code,
            practice.name,
            practice.phone,
            practice.ics.name if practice.ics else "",
            shown.run.search_date.isoformat(),
            shown.due_date.isoformat(),
            timezone.localtime(shown.submitted_at).date().isoformat() if shown.submitted_at else "",
            str(row.everybody),
            str(row.to_review),
            str(row.percent),
            reminder.get_kind_display() if reminder else "",
            reminder.get_state_display() if reminder else "",
            timezone.localtime(reminder.claimed_at).date().isoformat() if reminder else "",
        )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def late_policy(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """What happens to people of one search who are not reviewed in time: now, before, and the decision."""
    by = policies.check_can_oversee(request.membership)
    run = get_object_or_404(runs.runs(), pk=run_id)
    form = DecideForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.decide_about_late(run_id=run.pk, by=by, at=timezone.now(), **form.decision())
        except actions.DecisionError as error:
            form.add_error(error.field, str(error))
        else:
            is_contact = made.policy == LatePolicy.CONTACT.value
            messages.success(
                request,
                "Decided: they are contacted anyway. Plan letters and texts once that day has come."
                if is_contact
                else "Decided: they are held back until their practice has reviewed them.",
            )
            return redirect("cohort:late_policy", run.pk)
    today = timezone.localdate()
    return render(
        request,
        "cohort/oversight/late_policy.html",
        {
            "run": run,
            "form": form,
            "due_date": late.first_due_date(run),
            "decisions": late.decisions(run),
            "today": today,
            **_late_counts(run, today),
        },
    )


def _late_counts(run: SearchRun, today: date) -> dict[str, int]:
    lists = late.late_lists(today).filter(run=run)
    return {"late_lists": lists.count(), "late_people": late.unreviewed(lists).count()}
