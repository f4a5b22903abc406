"""The page on which a GP signs a list off: what is signed, who is left, and each signing before."""

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
from cohort.queries import sign_off as queries
from cohort.web.practice import found_or_404, member
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read

#: How many of those left, asked about, and removed but not told the page names.
NAMES_SHOWN = 10
UNTOLD_SHOWN = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """What will be signed off, who is left, who has not been told; the signing off, its receipt and history."""
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
            messages.success(request, "The list is signed off. Thank you.")
            return redirect("cohort:submit", list_id)
    standing = found_or_404(queries.standing, by, list_id)
    left = queries.left(by, list_id)[:NAMES_SHOWN]
    asked_about = queries.asked_about(by, list_id)[:NAMES_SHOWN]
    untold = queries.not_told(by, list_id)[:UNTOLD_SHOWN]
    shown = {row.pk for row in [*left, *asked_about, *untold]}
    record_read(by=by, what="cohort:submit", patient_ids=shown, at=now)
    return render(
        request,
        "cohort/validation/submit.html",
        {
            "standing": standing,
            "practice_list": standing.practice_list,
            "today": timezone.localdate(),
            "left": left,
            "asked_about": asked_about,
            "untold": untold,
            "history": queries.history(standing.practice_list),
            "can_submit": policies.can_submit(by),
        },
    )
