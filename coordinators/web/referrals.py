"""The pages of council staff: their council's referrals, one referral, and the list as a CSV file."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort.spreadsheets import write_csv
from coordinators import actions, policies, queries
from coordinators.rules import ReferralState, can_move
from coordinators.web.download import COLUMNS, csv_row
from coordinators.web.forms import CloseForm, RejectForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.audit.actions import record_read

REFERRALS_PER_PAGE = 50
_DONE = {
    ReferralState.WAITING: "waiting",
    ReferralState.ACCEPTED: "accepted",
    ReferralState.CLOSED: "closed",
    ReferralState.REJECTED: "rejected",
}


@never_cache
@require_GET
def referrals(request: MemberRequest) -> HttpResponse:
    """The council's referrals in one state (`?state=`, waiting unless told), as many as it must know of each."""
    by = policies.check_can_answer_referrals(request.membership)
    asked = request.GET.get("state", "").upper()
    state = ReferralState(asked) if asked in list(ReferralState) else ReferralState.WAITING
    page = Paginator(queries.referrals_in(by, state), REFERRALS_PER_PAGE).get_page(request.GET.get("page"))
    rows = [queries.for_council(referral) for referral in page]
    record_read(by=by, what="coordinators:referrals", patient_ids=[row.patient_id for row in rows], at=timezone.now())
    return render(
        request,
        "coordinators/referrals.html",
        {
            "rows": rows,
            "page": page,
            "state": state,
            "counts": queries.referral_counts(by),
            "not_downloaded": queries.open_referrals(by).filter(downloaded_at__isnull=True).count(),
            "council": by.organisation,
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def referral(request: MemberRequest, referral_id: UUID) -> HttpResponse:
    """One referral, to accept, close or reject. `do` says which button was pressed."""
    by = policies.check_can_answer_referrals(request.membership)
    do = request.POST.get("do", "")
    forms: Mapping[str, Form] = {
        "close": CloseForm(request.POST if do == "close" else None),
        "reject": RejectForm(request.POST if do == "reject" else None),
    }
    if request.method == "POST" and (do == "accept" or (do in forms and forms[do].is_valid())):
        return _answer(request, referral_id, by=by, do=do, forms=forms)
    found = queries.referral_for(by, referral_id)
    if found is None:
        raise Http404
    record_read(by=by, what="coordinators:referral", patient_ids=[found.patient_id], at=timezone.now())
    state = ReferralState(found.state)
    return render(
        request,
        "coordinators/referral.html",
        {
            "referral": queries.for_council(found),
            "close_form": forms["close"],
            "reject_form": forms["reject"],
            "can_accept": can_move(state, ReferralState.ACCEPTED),
            "can_close": can_move(state, ReferralState.CLOSED),
            "can_reject": can_move(state, ReferralState.REJECTED),
            "page_has_errors": any(form.errors for form in forms.values()),
        },
    )


def _answer(
    request: MemberRequest, referral_id: UUID, *, by: Membership, do: str, forms: Mapping[str, Form]
) -> HttpResponse:
    now, reject = timezone.now(), forms["reject"]
    try:
        if do == "accept":
            actions.accept(referral_id=referral_id, by=by, at=now)
            messages.success(request, "Referral accepted. Close it when you know what was done.")
        elif isinstance(reject, RejectForm) and do == "reject":
            actions.reject(referral_id=referral_id, reason=reject.rejection_reason, by=by, at=now)
            messages.success(request, "Referral rejected. The person's coordinator can see why.")
        else:
            actions.close(
                referral_id=referral_id, what_was_done=forms["close"].cleaned_data["what_was_done"], by=by, at=now
            )
            messages.success(request, "Referral closed. The person's coordinator can see what was done.")
    except actions.ReferralNotFound as error:
        raise Http404 from error
    except actions.AlreadyAnswered as error:
        messages.warning(request, f"Nothing was changed: the referral is {_DONE[error.state]}.")
    return redirect("coordinators:referral", referral_id)


@never_cache
@require_POST
def download(request: MemberRequest) -> HttpResponse:
    """The council's open referrals as a CSV file that is safe to open in Excel."""
    now = timezone.now()
    by = policies.check_can_answer_referrals(request.membership)
    rows = actions.record_download(membership=by, at=now)
    name = f"referrals-{slugify(by.organisation.name)}-{timezone.localdate(now)}.csv"
    return HttpResponse(
        write_csv(map(csv_row, rows), COLUMNS),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
