"""The ledger page: where everybody is, and whether it adds up. Counts only."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from letters.actions.arrivals import latest_arrivals
from shielding.accounts.http import MemberRequest
from shielding.ledger import SEE_LEDGER, ledger


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    """Every stage with a bar and its table, for the central operator."""
    SEE_LEDGER.check(request.membership)
    now = timezone.now()
    return render(request, "ledger.html", {"ledger": ledger(), "now": now, "arrivals": latest_arrivals(at=now)})
