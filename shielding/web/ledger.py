"""The ledger page: where everybody is, and whether it adds up. Counts only."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Role
from shielding.accounts.policies import check_role
from shielding.ledger import ledger


@require_GET
def show(request: MemberRequest) -> HttpResponse:
    """Every stage with a bar and its table, for the central operator."""
    check_role(request.membership, {Role.CENTRAL_OPERATOR}, to="see the ledger")
    return render(request, "ledger.html", {"ledger": ledger(), "now": timezone.now()})
