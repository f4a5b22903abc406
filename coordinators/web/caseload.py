"""A coordinator's pages: the caseload, and one person with the form that logs a check-in."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from coordinators import actions, policies, queries
from coordinators.models import OUTCOMES
from coordinators.rules import death_notice, safe_contact
from coordinators.web.forms import CheckInForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.name_filter import filter_by_name, name_filter
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def caseload(request: MemberRequest) -> HttpResponse:
    """Whom this coordinator leads for, who is due first. `?show=` and a posted name pick some of them."""
    by = policies.check_can_lead(request.membership)
    here = reverse("coordinators:caseload")
    if request.method == "POST":
        return filter_by_name(request, here, show=request.POST.get("show", ""))
    name, show = name_filter(request, here), request.GET.get("show", "")
    found = queries.caseload(by, name=name, show=show)
    page = Paginator(found, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    record_read(by=by, what="coordinators:caseload", patient_ids=[row.patient_id for row in page], at=timezone.now())
    return render(
        request,
        "coordinators/caseload.html",
        {
            "page": page,
            "counts": queries.caseload_counts(by),
            "name": name,
            "show": show,
            "outcomes": dict(OUTCOMES),
            "safe_contact": safe_contact,
            "death_notice": death_notice,
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """One person of the caseload: how to reach them safely, what was said and needed; logs a check-in."""
    by = policies.check_can_lead(request.membership)
    now = timezone.now()
    form = CheckInForm(request.POST or None, initial={"token": uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            check_in = actions.log_check_in(patient_id=patient_id, by=by, at=now, **form.check_in)
        except actions.NotOnCaseload as error:
            raise Http404 from error
        except actions.NothingSaidYet:
            form.add_error("outcome", "Nobody answered, so clear what they need and whether it was safe to talk")
        except actions.HasDied:
            form.add_error(None, "This person has died, so a check-in cannot be logged")
        except actions.FormAlreadyUsed:
            form.add_error(None, "This form was used for another check-in: open the person's page again")
        else:
            messages.success(request, "Check-in logged. " + queries.what_became_of_needs(check_in))
            return redirect("coordinators:person", patient_id)
    row = queries.person_for(by, patient_id)
    if row is None:
        raise Http404
    record_read(by=by, what="coordinators:person", patient_ids=[patient_id], at=now)
    needs, check_ins = list(queries.needs(row)), list(queries.check_ins(row))
    return render(
        request,
        "coordinators/person.html",
        {
            "row": row,
            "patient": row.patient,
            "form": form,
            "outcomes": dict(OUTCOMES),
            "check_ins": check_ins,
            "unsafe": queries.not_safe_to_talk(check_ins),
            "needs": needs,
            "open_referrals": queries.open_by_kind(needs),
            "reasons": queries.reasons(row),
            "safe_contact": safe_contact(row.patient.safe_contact_instruction, row.patient.unsafe_channels),
            "death_notice": death_notice(row.patient.death_status),
        },
    )
