"""The operator's pages of messages in doubt: how old, with whom, and what the supplier's people answered."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from letters.actions import doubts as actions
from letters.actions.reconcile import GRACE
from letters.policies import check_can_send
from letters.queries import doubts as queries
from letters.web.forms import DoubtsForm, SettleForm
from shielding.accounts.http import MemberRequest

MESSAGES_PER_PAGE = 50


@never_cache
@require_GET
def doubts(request: MemberRequest) -> HttpResponse:
    """Messages in doubt by supplier and age, and what to do about them. References, no names."""
    check_can_send(request.membership)
    now = timezone.now()
    of_suppliers = queries.doubts_by_supplier(now)
    form = DoubtsForm(request.GET, suppliers=[each.supplier for each in of_suppliers])
    asked = form.cleaned_data if form.is_valid() else {}
    found = queries.in_doubt(now, supplier=asked.get("supplier"), only_forgotten=bool(asked.get("age")))
    page = Paginator(found, MESSAGES_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "letters/doubts.html",
        {
            "of_suppliers": of_suppliers,
            "grace_minutes": int(GRACE.total_seconds() // 60),
            "is_filtered": asked.get("age") or asked.get("supplier"),
            "page": page,
            "rows": [(each, *queries.age(each, now)) for each in page],
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settle(request: MemberRequest, message_id: UUID) -> HttpResponse:
    """Asks what the supplier's people answered about one message (GET), and settles it (POST)."""
    by = check_can_send(request.membership)
    found = queries.doubt(message_id)
    if found is None:
        raise Http404
    form = SettleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            settled = actions.settle_doubt(
                message_id=message_id, provider_id=form.cleaned_data["provider_id"], by=by, at=timezone.now()
            )
        except actions.NotSettled as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                "Settled: it is handed over"
                if settled.provider_id
                else "Settled: it has failed. You can try it again from its batch",
            )
            return redirect("letters:doubts")
    return render(request, "letters/doubt.html", {"message": found, "form": form})
