"""The removed whom no clinician has told yet, and writing down that one has."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort import policies
from cohort.actions import decisions as actions
from cohort.queries import review as review_queries
from cohort.queries import worklists as queries
from cohort.rules import ReviewState
from cohort.web.forms import ToldForm
from cohort.web.practice import found_or_404, member
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50


@never_cache
@require_GET
def to_tell(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """Those removed from one list whom no clinician has told yet."""
    by = member(request)
    progress = found_or_404(queries.progress_of, by, list_id)
    page = Paginator(queries.not_told(by, list_id), PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    record_read(by=by, what="cohort:to_tell", patient_ids=[row.pk for row in page], at=timezone.now())
    return render(request, "cohort/validation/to_tell.html", {"page": page, "practice_list": progress.practice_list})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def told(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Asks who told somebody of their removal, and when, and writes it down."""
    by = policies.check_can_review(member(request))
    entry = found_or_404(review_queries.entry, by, list_id, patient_id)
    initial = {"told_by": str(request.user), "told_date": timezone.localdate()}
    form = ToldForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        name = f"{entry.patient.given_name} {entry.patient.family_name}"
        try:
            actions.mark_told(entry_id=patient_id, by=by, at=timezone.now(), **form.cleaned_data)
        except actions.NotToBeTold:
            messages.warning(request, f"Nothing was saved: {name} is not waiting to be told.")
        else:
            messages.success(request, f"Saved: {name} has been told.")
        return redirect("cohort:to_tell", list_id)
    record_read(by=by, what="cohort:told", patient_ids=[patient_id], at=timezone.now())
    return render(
        request,
        "cohort/validation/told.html",
        {"form": form, "entry": entry, "is_waiting": entry.review_state == ReviewState.REMOVED},
        status=400 if form.errors else 200,
    )
