"""A practice's lists, and one list with a tab for each state of review."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort import policies
from cohort.queries import review as review_queries
from cohort.queries import worklists as queries
from cohort.rules import ReviewState
from cohort.web.practice import age, chosen_of, found_or_404, just_decided, list_url, member, query_of
from shielding.accounts.http import MemberRequest
from shielding.accounts.name_filter import filter_by_name
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50
#: The tabs of a list, as they are called in its address, in order.
TABS = {
    "to-review": ReviewState.TO_REVIEW,
    "confirmed": ReviewState.CONFIRMED,
    "removed": ReviewState.REMOVED,
    "added": ReviewState.ADDED,
    "no-longer-found": ReviewState.LAPSED,
}


@never_cache
@require_GET
def lists(request: MemberRequest) -> HttpResponse:
    """The practice's lists: how far each is, and when it is due. Counts only."""
    by = member(request)
    return render(
        request, "cohort/validation/lists.html", {"rows": queries.progress(by), "today": timezone.localdate()}
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_list(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """One list: a tab for each state of review; `?group=` and a posted name pick some of the people."""
    by = member(request)
    progress = found_or_404(queries.progress_of, by, list_id)
    if request.method == "POST":
        others = {key: request.POST.get(key, "") for key in ("tab", "group")}
        return filter_by_name(request, list_url(list_id), **others)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "to-review"
    chosen = chosen_of(request, list_id)
    people = queries.people(by, list_id, state=TABS[tab], **chosen)
    page = Paginator(people, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    decided = just_decided(request, by, list_id)
    shown = [row.pk for row in page] + ([decided.pk] if decided else [])
    record_read(by=by, what="cohort:list", patient_ids=shown, at=timezone.now())
    return render(
        request,
        "cohort/validation/list.html",
        {
            "progress": progress,
            "practice_list": progress.practice_list,
            "today": timezone.localdate(),
            "age": age,
            "tab": tab,
            "page": page,
            "groups": queries.groups(by, list_id, state=TABS[tab]),
            "chosen": chosen,
            "query": query_of(chosen),
            "decided": decided,
            "version": review_queries.version,
            "can_submit": policies.can_submit(by),
        },
    )
