"""The page of one person's whole contact history."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cohort.policies import check_can_see_lists
from coordinators.policies import check_can_lead
from letters.queries.contact_history import contact_history as history_of
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership, Role
from shielding.audit.actions import record_read


@never_cache
@require_GET
def contact_history(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Every letter, text and call, for the person's practice and for who leads for them."""
    by = _reader(request)
    history = history_of(by, patient_id)
    if history is None:
        raise Http404
    record_read(by=by, what="letters:contact_history", patient_ids=[patient_id], at=timezone.now())
    return render(request, "letters/contact_history.html", {"history": history, "patient": history.patient})


def _reader(request: MemberRequest) -> Membership:
    membership = request.membership
    if membership is not None and membership.role == Role.COORDINATOR:
        return check_can_lead(membership)
    return check_can_see_lists(membership)
