"""The page of one person: the reasons, the evidence, and what the practice decides."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cohort import policies
from cohort.actions import decisions as actions
from cohort.queries import review as review_queries
from cohort.queries import worklists as queries
from cohort.rules import ReviewState
from cohort.web.forms import RemoveForm
from cohort.web.practice import age, chosen_of, found_or_404, just_decided, list_url, member, person_url, query_of
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.accounts.name_filter import drop_name_filter
from shielding.audit.actions import record_read


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """One person with the reasons and the evidence; confirms or removes them, then shows who is next."""
    by = member(request)
    now = timezone.now()
    changed = None
    remove_form = RemoveForm(request.POST if request.POST.get("decision") == "remove" else None)
    if request.method == "POST":
        found_or_404(review_queries.entry, by, list_id, patient_id)
        try:
            if request.POST.get("decision") == "confirm":
                actions.confirm(entry_id=patient_id, by=by, at=now, seen=request.POST.get("seen", ""))
                return _after_deciding(request, by, list_id, patient_id)
            if remove_form.is_valid():
                actions.remove(entry_id=patient_id, by=by, at=now, **remove_form.removal)  # type: ignore[arg-type]
                return _after_deciding(request, by, list_id, patient_id)
        except actions.EntryChanged as error:
            changed = error.entry
    found = found_or_404(review_queries.person, by, list_id, patient_id)
    decided = just_decided(request, by, list_id)
    record_read(by=by, what="cohort:person", patient_ids=[patient_id] + ([decided.pk] if decided else []), at=now)
    chosen = chosen_of(request, list_id)
    is_waiting = found.entry.review_state == ReviewState.TO_REVIEW
    return render(
        request,
        "cohort/validation/person.html",
        {
            "person": found,
            "entry": found.entry,
            "patient": found.entry.patient,
            "practice_list": found.entry.practice_list,
            "age": age(found.entry.patient.birth_date, timezone.localdate()),
            "place": queries.place(by, list_id, patient_id, **chosen) if is_waiting else None,
            "seen": review_queries.version(found.entry),
            "form": remove_form,
            "changed": changed,
            "page_has_errors": changed is not None,
            "decided": decided,
            "version": review_queries.version,
            "chosen": chosen,
            "query": query_of(chosen),
            "can_review": policies.can_review(by, is_submitted=found.entry.practice_list.submitted_at is not None),
        },
        status=409 if changed else 200,
    )


@never_cache
@require_POST
def undo(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Takes back what the practice decided about somebody, and shows them again."""
    by = member(request)
    name = found_or_404(review_queries.entry, by, list_id, patient_id).patient
    try:
        entry = actions.reopen(entry_id=patient_id, by=by, at=timezone.now(), seen=request.POST.get("seen", ""))
    except actions.EntryChanged:
        messages.warning(request, "Not undone: somebody has decided again since. See below what they decided.")
    except actions.NothingToUndo:
        messages.warning(request, "There is nothing to undo.")
    except actions.ListSubmitted:
        messages.warning(request, "Not undone: the list has been signed off. A GP can still confirm or remove.")
    else:
        whom = f"{name.given_name} {name.family_name}"
        outcome = {
            ReviewState.TO_REVIEW.value: f"Undone: {whom} is back among the people to review.",
            ReviewState.REMOVED.value: f"Undone: {whom} is not on the list.",
            ReviewState.LAPSED.value: f"Undone: {whom} is not on the list. The search no longer finds them.",
        }.get(entry.review_state, f"Undone: {whom} is back on the list.")
        messages.success(request, outcome)
    return redirect(person_url(list_id, patient_id, query_of(chosen_of(request, list_id))))


def _after_deciding(request: MemberRequest, by: Membership, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Goes to the next person to review, or the list when nobody is left; stays with somebody decided anew."""
    chosen = chosen_of(request, list_id)
    query = query_of(chosen, decided=patient_id)
    if request.POST.get("then") == "stay":
        return redirect(person_url(list_id, patient_id, query))
    following = queries.place(by, list_id, patient_id, **chosen).next_id
    if following is None:
        drop_name_filter(request, list_url(list_id))
        return redirect(f"{list_url(list_id)}?{urlencode({'decided': patient_id})}")
    return redirect(person_url(list_id, following, query))
