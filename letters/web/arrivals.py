"""The operator's page that says when a letter validated now will arrive, and what is late on its way."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from letters.actions.arrivals import latest_arrivals
from letters.policies import check_can_send
from shielding.accounts.http import MemberRequest


@never_cache
@require_GET
def arrivals(request: MemberRequest) -> HttpResponse:
    """The day for each care system, what the estimate rests on, and ages by step. Counts only."""
    check_can_send(request.membership)
    return render(request, "letters/arrivals.html", {"arrivals": latest_arrivals(at=timezone.now())})
