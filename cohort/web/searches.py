"""What a search found and changed, for the central operator. Counts only: no page here shows a person."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from cohort.models import SearchRun
from cohort.policies import check_can_run_search
from cohort.queries import differences
from cohort.queries import runs as run_queries
from cohort.rules import RunState, suppressed
from cohort.spreadsheets import write_csv
from cohort.web.operations_forms import DifferenceForm
from shielding.accounts.http import MemberRequest

PRACTICES_PER_PAGE = 50
CSV_COLUMNS = ("practice_code", "practice", "ics", "disease_group", "gained", "lost", "changed_evidence")


@require_GET
def criterion(request: MemberRequest, run_id: UUID, version_id: UUID) -> HttpResponse:
    """One criterion in one search: how far each of its clauses narrows it down, and who meets it by age and sex."""
    check_can_run_search(request.membership)
    run = get_object_or_404(run_queries.runs(), pk=run_id)
    version = get_object_or_404(run.criteria.select_related("criterion"), pk=version_id)
    return render(
        request,
        "cohort/operations/search_criterion.html",
        {
            "run": run,
            "version": version,
            "attrition": run_queries.attrition(run, version),
            "groups": run_queries.by_age_and_sex(run, version),
        },
    )


@require_GET
def difference(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """What a search changed against the one before: in all, by group, by practice; `?group=` and `?ics=` filter."""
    check_can_run_search(request.membership)
    run = _landed(run_id)
    before = differences.run_before(run)
    form = DifferenceForm(request.GET, groups=run_queries.groups_of(run))
    chosen = form.chosen()
    found = differences.difference(run, **chosen) if before else None
    return render(
        request,
        "cohort/operations/search_difference.html",
        {
            "run": run,
            "before": before,
            "form": form,
            "is_filtered": bool(chosen["group"] or chosen["ics"]),
            "difference": found,
            "page": Paginator(found.by_practice if found else [], PRACTICES_PER_PAGE).get_page(request.GET.get("page")),
            "query": request.GET.urlencode(),
        },
    )


@require_GET
def difference_csv(request: MemberRequest, run_id: UUID) -> HttpResponse:
    """The same by practice and group as CSV; `?small=hidden` for a file that may leave the centre."""
    check_can_run_search(request.membership)
    run = _landed(run_id)
    chosen = DifferenceForm(request.GET, groups=run_queries.groups_of(run)).chosen()
    is_hidden = request.GET.get("small") == "hidden"
    say = suppressed if is_hidden else str
    rows = [
        {
            "practice_code": row.code,
            "practice": row.name,
            "ics": row.ics,
            "disease_group": row.group,
            "gained": say(row.gained),
            "lost": say(row.lost),
            "changed_evidence": say(row.changed),
        }
        for row in (differences.changes(run, by_group=True, **chosen) if differences.run_before(run) else [])
    ]
    answer = HttpResponse(write_csv(rows, CSV_COLUMNS), content_type="text/csv; charset=utf-8")
    which = "to-pass-on" if is_hidden else "for-the-centre"
    answer["Content-Disposition"] = f'attachment; filename="difference-{run.search_date}-{which}.csv"'
    return answer


def _landed(run_id: UUID) -> SearchRun:
    return get_object_or_404(run_queries.runs().filter(state=RunState.LANDED), pk=run_id)
