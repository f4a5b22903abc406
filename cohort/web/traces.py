"""The page that says why somebody is, or is not, found by the search."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from cohort import policies
from cohort.queries import review as review_queries
from cohort.queries.traces import explain_person
from cohort.web.forms import WhoForm
from cohort.web.practice import chosen_of, found_or_404, member, person_url, query_of
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Organisation
from shielding.audit.actions import record_read, stand_in_id


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def why(request: MemberRequest) -> HttpResponse:
    """Why one person is or is not found, criterion by criterion; the person is posted, never in the address."""
    by = policies.check_can_explain(request.membership)
    is_practice = by.organisation.kind == Organisation.Kind.PRACTICE
    form = WhoForm(request.POST or None)
    found = None
    today = timezone.localdate()
    if request.method == "POST" and form.is_valid():
        found = explain_person(**form.cleaned_data, practice=by.organisation if is_practice else None, on=today)
        if found is None:
            here = f" is registered at {by.organisation}" if is_practice else " is in any supplier's newest extract"
            form.add_error(None, f"Nobody with this NHS number and date of birth{here}. Check both")
        else:
            shown = found.patient.pk if found.patient else stand_in_id(found.nhs_number)
            record_read(by=by, what="cohort:why", patient_ids=[shown], at=timezone.now())
    return render(
        request,
        "cohort/why.html",
        {"form": form, "found": found, "is_practice": is_practice, "today": today},
        status=400 if form.errors else 200,
    )


@never_cache
@require_GET
def every_rule(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """What every criterion says of somebody on the practice's list, clause by clause."""
    by = policies.check_can_explain(member(request))
    patient = found_or_404(review_queries.entry, by, list_id, patient_id).patient
    today = timezone.localdate()
    found = explain_person(
        nhs_number=patient.nhs_number, birth_date=patient.birth_date, practice=by.organisation, on=today
    )
    record_read(by=by, what="cohort:every_rule", patient_ids=[patient_id], at=timezone.now())
    back = person_url(list_id, patient_id, query_of(chosen_of(request, list_id)))
    return render(
        request,
        "cohort/validation/every_rule.html",
        {"found": found, "patient": patient, "back": back, "today": today},
    )
