"""Confirming the people selected on a list together, and the receipt of that with its undo."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cohort import policies
from cohort.actions import bulk as actions
from cohort.actions.decisions import ListSubmitted
from cohort.queries import receipts as queries
from cohort.queries import worklists
from cohort.web.practice import chosen_of, found_or_404, list_url, member, query_of
from shielding.accounts.http import MemberRequest
from shielding.audit.actions import record_read


@never_cache
@require_POST
def confirm_selected(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """Confirms the people whose boxes are ticked, and shows the receipt."""
    by = member(request)
    found_or_404(worklists.progress_of, by, list_id)
    back = f"{list_url(list_id)}?{query_of(chosen_of(request, list_id))}".removesuffix("?")
    seen = dict(_picked(line) for line in request.POST.getlist("pick"))
    seen.pop(None, None)
    if not seen:
        messages.warning(request, "Nobody was selected. Tick the people to confirm, then press the button again.")
        return redirect(back)
    try:
        receipt = actions.confirm_together(
            list_id=list_id, seen={pk: version for pk, version in seen.items() if pk}, by=by, at=timezone.now()
        )
    except actions.TooMany:
        messages.warning(request, f"Nobody was confirmed: select {actions.MOST_AT_ONCE:,} people at most.")
        return redirect(back)
    return redirect("cohort:receipt", list_id, receipt.pk)


@never_cache
@require_safe
def receipt(request: MemberRequest, list_id: UUID, receipt_id: UUID) -> HttpResponse:
    """What became of each person selected, with an undo for all."""
    by = member(request)
    found = found_or_404(queries.receipt, by, list_id, receipt_id)
    shown = [row.pk for row in found.confirmed + found.removed] + [row.pk for row, _ in found.refused]
    record_read(by=by, what="cohort:receipt", patient_ids=shown, at=timezone.now())
    practice_list = found.receipt.practice_list
    return render(
        request,
        "cohort/validation/receipt.html",
        {
            "found": found,
            "receipt": found.receipt,
            "practice_list": practice_list,
            "can_undo": practice_list.submitted_at is None and policies.can_review(by),
        },
    )


@never_cache
@require_POST
def undo_receipt(request: MemberRequest, list_id: UUID, receipt_id: UUID) -> HttpResponse:
    """Takes back everything that a receipt says was decided."""
    by = member(request)
    found_or_404(queries.receipt, by, list_id, receipt_id)
    try:
        undone = actions.undo_together(receipt_id=receipt_id, by=by, at=timezone.now())
    except actions.AlreadyUndone:
        messages.warning(request, "A colleague has undone this already.")
    except ListSubmitted:
        messages.warning(request, "Not undone: the list has been signed off. A GP can still confirm or remove.")
    else:
        number = len(undone.confirmed) + len(undone.removed) - len(undone.kept)
        messages.success(request, f"Undone: {number:,} {'person is' if number == 1 else 'people are'} to be reviewed.")
    return redirect("cohort:receipt", list_id, receipt_id)


def _picked(line: str) -> tuple[UUID | None, str]:
    """Returns whom a ticked box is for and the version that was shown; None for what no page of ours sends."""
    patient_id, _, version = line.partition(" ")
    try:
        return UUID(patient_id), version
    except ValueError:
        return None, ""
