"""The page on which a GP signs a list off."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cohort import policies
from cohort.actions import sign_off as actions
from cohort.actions.decisions import ListSubmitted
from cohort.queries import worklists as queries
from cohort.web.practice import found_or_404, member
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read

#: How many of those left the page of signing off names.
NAMES_SHOWN = 10
#: How many of those removed and not told it names.
UNTOLD_SHOWN = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """What will be signed off, who is left, who has not been told; and the signing off."""
    by = member(request)
    now = timezone.now()
    if request.method == "POST":
        try:
            found_or_404(actions.submit_list, list_id=list_id, by=by, at=now)
        except actions.PeopleLeft as error:
            people = "1 person is" if error.count == 1 else f"{error.count} people are"
            messages.warning(request, f"Not signed off: {people} still to review.")
        except ListSubmitted:
            messages.warning(request, "The list had been signed off already.")
        else:
            messages.success(request, "The list is signed off. Thank you. Letters and texts can now be sent.")
            return redirect("cohort:list", list_id)
    progress = found_or_404(queries.progress_of, by, list_id)
    left = queries.left(by, list_id)[:NAMES_SHOWN]
    untold = queries.not_told(by, list_id)[:UNTOLD_SHOWN]
    record_read(by=by, what="cohort:submit", patient_ids=[row.pk for row in [*left, *untold]], at=now)
    return render(
        request,
        "cohort/validation/submit.html",
        {
            "progress": progress,
            "practice_list": progress.practice_list,
            "today": timezone.localdate(),
            "left": left,
            "untold": untold,
            "can_submit": policies.can_submit(by),
        },
    )
