"""The page that mends a person's details."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cohort import policies
from cohort.actions import amendments as actions
from cohort.amending import Detail
from cohort.queries import review as review_queries
from cohort.queries.amendments import fingerprint
from cohort.web.amend_forms import AmendForm
from cohort.web.practice import chosen_of, found_or_404, member, person_url, query_of
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Shows a person's details as held, and saves what was put right."""
    by = policies.check_can_review(member(request))
    now = timezone.now()
    patient = found_or_404(review_queries.entry, by, list_id, patient_id).patient
    query = query_of(chosen_of(request, list_id))
    back = person_url(list_id, patient_id, query)
    form = AmendForm(patient, request.POST if request.method == "POST" else None, seen=fingerprint(patient))
    has_changed = False
    if form.is_bound and request.POST.get("seen") != fingerprint(patient):
        has_changed = True
    elif form.is_bound and form.is_valid():
        try:
            actions.amend(patient_id=patient_id, changes=form.changes, by=by, at=now, seen=form.cleaned_data["seen"])
        except actions.DetailsChanged:
            has_changed = True
        else:
            names = ", ".join(detail.label for detail in form.changes)
            messages.success(request, f"Saved: {names}." if names else "You changed nothing.")
            return redirect(back)
    if has_changed:
        patient = found_or_404(review_queries.entry, by, list_id, patient_id).patient
        form = AmendForm(patient, seen=fingerprint(patient))
    record_read(by=by, what="cohort:amend", patient_ids=[patient_id], at=now)
    return render(
        request,
        "cohort/validation/amend.html",
        {
            "form": form,
            "patient": patient,
            "back": back,
            "has_changed": has_changed,
            "page_has_errors": has_changed,
        },
        status=409 if has_changed else 400 if form.errors else 200,
    )


@never_cache
@require_POST
def withdraw(request: MemberRequest, list_id: UUID, patient_id: UUID, amendment_id: int) -> HttpResponse:
    """Takes one amendment back, and shows the person again."""
    by = member(request)
    found_or_404(review_queries.entry, by, list_id, patient_id)
    try:
        amendment = actions.withdraw_amendment(
            patient_id=patient_id, amendment_id=amendment_id, by=by, at=timezone.now()
        )
    except actions.AmendmentEnded:
        messages.warning(request, "Not undone: this no longer stands. See below what is held now.")
    except ObjectDoesNotExist as error:
        raise Http404 from error
    else:
        messages.success(request, f"Undone: {Detail(amendment.detail).label} is as it was in the extract.")
    return redirect(person_url(list_id, patient_id, query_of(chosen_of(request, list_id))))
