"""A practice's lists, and one list: a tab for each state of review, people picked and selected, a page to print."""

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
from cohort.queries.contact_problems import how_many
from cohort.queries.worklists import Tab
from cohort.web.keys import are_keys_on
from cohort.web.practice import CHOICES, age, chosen_of, found_or_404, just_decided, list_url, member, query_of
from shielding.accounts.http import MemberRequest
from shielding.accounts.name_filter import filter_by_name
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50
#: What `?show=all` puts on one page, to print it or to select from it; the largest practices had 3,300.
PEOPLE_ON_THE_LONGEST_PAGE = 5_000


@never_cache
@require_GET
def lists(request: MemberRequest) -> HttpResponse:
    """The practice's lists: how far each is, and when it is due. Counts only."""
    by = member(request)
    return render(
        request,
        "cohort/validation/lists.html",
        {"rows": queries.progress(by), "today": timezone.localdate(), "contact_problems": how_many(by)},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_list(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """One list, 50 people a page or `?show=all`; the address and a posted name pick some of the people.

    `?select=page` comes with everybody on the page selected.
    """
    by = member(request)
    progress = found_or_404(queries.progress_of, by, list_id)
    if request.method == "POST":
        others = {key: request.POST.get(key, "") for key in ("tab", *CHOICES)}
        return filter_by_name(request, list_url(list_id), **others)
    chosen = chosen_of(request, list_id)
    tab = chosen["tab"]
    show_all = request.GET.get("show") == "all"
    tabs = progress.tabs()
    is_picked = any(chosen[key] for key in ("name", *CHOICES))
    pages = Paginator(
        queries.people(by, list_id, **chosen), PEOPLE_ON_THE_LONGEST_PAGE if show_all else PEOPLE_PER_PAGE
    )
    pages.count = queries.how_many(by, list_id, **chosen) if is_picked else tabs[tab]
    page = pages.get_page(request.GET.get("page"))
    decided = just_decided(request, by, list_id)
    shown = [row.pk for row in page] + ([decided.pk] if decided else [])
    record_read(by=by, what="cohort:list", patient_ids=shown, at=timezone.now())
    is_submitted = progress.practice_list.submitted_at is not None
    return render(
        request,
        "cohort/validation/list.html",
        {
            "progress": progress,
            "practice_list": progress.practice_list,
            "today": chosen["today"],
            "age": age,
            "tab": tab,
            "to_tell": queries.not_told(by, list_id).count() if tab is Tab.REMOVED else 0,
            "tabs": tabs,
            "page": page,
            "behind": queries.behind(by, shown),
            "choices": queries.choices(by, list_id, today=chosen["today"], tab=tab),
            "age_bands": queries.AGE_BANDS,
            "chosen": chosen,
            "is_picked": is_picked,
            "query": query_of(chosen),
            "query_of": query_of,
            "decided": decided,
            "keys_are_on": are_keys_on(request),
            "version": review_queries.version,
            "can_submit": policies.can_submit(by),
            "can_select": tab is Tab.TO_REVIEW and policies.can_review(by, is_submitted=is_submitted),
            "is_selected": request.GET.get("select") == "page",
            "show_all": show_all,
        },
    )
