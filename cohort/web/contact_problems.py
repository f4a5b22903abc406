"""A practice's people whom a letter or a text cannot reach, to put their address or number right."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cohort import policies
from cohort.actions import contact_problems as actions
from cohort.models import Patient
from cohort.queries import contact_problems as queries
from cohort.rules import HoldReason
from cohort.web.practice import member
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50
WORDS = {
    HoldReason.LETTER_RETURNED: "Letters that came back",
    HoldReason.NO_USABLE_ADDRESS: "Addresses that cannot be printed",
    HoldReason.NO_FIXED_ABODE: "No fixed abode",
    HoldReason.NUMBER_UNDELIVERABLE: "Numbers that texts do not reach",
    HoldReason.NO_USABLE_NUMBER: "Numbers that are not UK mobiles",
}


@never_cache
@require_GET
def contact_problems(request: MemberRequest) -> HttpResponse:
    """Whom of the practice's people nobody can write to or text, and why; `?problem=` picks one kind."""
    by = member(request)
    problem = request.GET.get("problem", "")
    page = Paginator(queries.contact_problems(by, problem), PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    record_read(by=by, what="cohort:contact_problems", patient_ids=[row.pk for row in page], at=timezone.now())
    return render(
        request,
        "cohort/validation/contact_problems.html",
        {
            "page": page,
            "people": [queries.person(row) for row in page],
            "counts": queries.counts(by),
            "problem": problem,
            "words": WORDS,
            "can_amend": policies.can_review(by),
        },
    )


@never_cache
@require_POST
def still_right(request: MemberRequest, patient_id: UUID, channel: str) -> HttpResponse:
    """Notes the practice's word that an address or number is right although a letter or text failed."""
    by = policies.check_can_review(member(request))
    step = {"letter": actions.address_is_right, "text": actions.number_is_right}.get(channel)
    if step is None:
        raise Http404
    try:
        patient = step(patient_id=patient_id, by=by, seen=request.POST.get("seen", ""))
    except Patient.DoesNotExist as error:
        raise Http404 from error
    except actions.AnotherByNow:
        messages.warning(request, "Not saved: their details have changed since you opened the page.")
    else:
        what = "address" if channel == "letter" else "number"
        messages.success(request, f"The {what} of {patient.given_name} {patient.family_name} will be used again.")
    return redirect(reverse("cohort:contact_problems"))
