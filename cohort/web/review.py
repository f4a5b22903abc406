"""The page of one person: the reasons, the evidence, and what the practice decides."""

from typing import Any
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
from cohort.actions.drafts_of_removals import keep_draft
from cohort.languages import LANGUAGES
from cohort.queries import questions as question_queries
from cohort.queries import review as review_queries
from cohort.queries import worklists as queries
from cohort.queries.hospitals import said_by_hospitals
from cohort.rules import ReviewState
from cohort.web.amend_forms import MOVED_AWAY
from cohort.web.forms import AskForm, DraftForm, RemoveForm
from cohort.web.keys import are_keys_on
from cohort.web.practice import (
    age,
    back_url,
    chosen_of,
    found_or_404,
    just_decided,
    list_url,
    member,
    person_url,
    query_of,
)
from cohort.web.trail import step
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.accounts.name_filter import drop_name_filter
from shielding.audit.actions import record_read


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """One person with the reasons and the evidence; confirms or removes them, then shows who is next."""
    by = member(request)
    if request.method != "POST":
        return _show(request, by, list_id, patient_id)
    found_or_404(review_queries.entry, by, list_id, patient_id)
    decision = request.POST.get("decision")
    form = RemoveForm(request.POST) if decision == "remove" else None
    now, seen = timezone.now(), request.POST.get("seen", "")
    try:
        if decision == "confirm":
            actions.confirm(entry_id=patient_id, by=by, at=now, seen=seen)
        elif decision == "remove_again":
            actions.remove_again(entry_id=patient_id, by=by, at=now, seen=seen)
        elif form is not None and form.is_valid():
            actions.remove(entry_id=patient_id, by=by, at=now, **form.removal)  # type: ignore[arg-type]
        else:
            return _show(request, by, list_id, patient_id, remove_form=form)
    except actions.EntryChanged as error:
        return _show(request, by, list_id, patient_id, remove_form=form, changed=error.entry)
    return after_deciding(request, by, list_id, patient_id)


def _show(
    request: MemberRequest,
    by: Membership,
    list_id: UUID,
    patient_id: UUID,
    *,
    remove_form: RemoveForm | None = None,
    changed: Any = None,
) -> HttpResponse:
    """Renders somebody's page; `changed` is their entry, where a decision came too late for it."""
    now = timezone.now()
    found = found_or_404(review_queries.person, by, list_id, patient_id)
    decided = just_decided(request, by, list_id)
    record_read(by=by, what="cohort:person", patient_ids=[patient_id] + ([decided.pk] if decided else []), at=now)
    chosen = chosen_of(request, list_id)
    entry = found.entry
    return render(
        request,
        "cohort/validation/person.html",
        {
            "person": found,
            "entry": entry,
            "patient": entry.patient,
            "practice_list": entry.practice_list,
            "age": age(entry.patient.birth_date, timezone.localdate()),
            "place": queries.place(by, list_id, patient_id, **chosen),
            "seen": review_queries.version(entry),
            "form": remove_form or _remove_form(request, found),
            "ask_form": AskForm(question_queries.colleagues(by)),
            "changed": changed,
            "wanted": request.POST.get("decision") if changed else None,
            "page_has_errors": changed is not None,
            "decided": decided,
            "version": review_queries.version,
            "chosen": chosen,
            "query": query_of(chosen),
            "onward": query_of(chosen, back=patient_id),
            "back_to": back_url(list_id, step(request, list_id, patient_id), chosen),
            "said": said_by_hospitals(by, patient_id),
            "languages": LANGUAGES,
            "moved": MOVED_AWAY,
            "can_review": policies.can_review(by, is_submitted=entry.practice_list.submitted_at is not None),
            "can_amend": policies.can_review(by),
            "keys_are_on": are_keys_on(request),
        },
        status=409 if changed else 200,
    )


def _remove_form(request: MemberRequest, found: review_queries.Person) -> RemoveForm:
    """Returns the form that removes, as far as its user had filled it in before."""
    initial: dict[str, Any] = {"told_by": str(request.user), "told_date": timezone.localdate()}
    if draft := found.draft:
        told = {True: "yes", False: "no", None: ""}[draft.is_patient_told]
        initial |= {"reason": draft.reason, "detail": draft.detail, "is_patient_told": told}
    return RemoveForm(initial=initial)


@never_cache
@require_POST
def draft(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Keeps a removal that is half written. What was decided since, or cannot be kept, is left as it is."""
    by = member(request)
    entry = found_or_404(review_queries.entry, by, list_id, patient_id)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=400)
    if form.cleaned_data["seen"] == review_queries.version(entry):
        told = {"yes": True, "no": False, "": None}[form.cleaned_data["is_patient_told"]]
        keep_draft(
            patient_id=patient_id,
            reason=form.cleaned_data["reason"],
            detail=form.cleaned_data["detail"],
            is_patient_told=told,
            by=by,
            at=timezone.now(),
        )
    return HttpResponse(status=204)


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


def after_deciding(request: MemberRequest, by: Membership, list_id: UUID, patient_id: UUID) -> HttpResponse:
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
