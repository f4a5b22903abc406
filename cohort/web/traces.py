"""The page that says why somebody is, or is not, found by the search."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cohort import policies
from cohort.queries.traces import explain_person
from cohort.web.forms import WhoForm
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
