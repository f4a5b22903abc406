"""A practice's pages: its lists, one list, one person, adding somebody, and signing off."""

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cohort import policies
from cohort.actions import validation as actions
from cohort.queries import validation as queries
from cohort.rules import ReviewState
from cohort.web.forms import AddPersonForm, RemoveForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.accounts.name_filter import drop_name_filter, filter_by_name, name_filter
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50
#: How many of those left the page of signing off names.
NAMES_SHOWN = 10
#: The tabs of a list, as they are called in its address, in order.
TABS = {
    "to-review": ReviewState.TO_REVIEW,
    "confirmed": ReviewState.CONFIRMED,
    "removed": ReviewState.REMOVED,
    "added": ReviewState.ADDED,
    "no-longer-found": ReviewState.LAPSED,
}


@never_cache
@require_GET
def lists(request: MemberRequest) -> HttpResponse:
    """The practice's lists: how far each is, and when it is due. Counts only."""
    by = _member(request)
    return render(
        request, "cohort/validation/lists.html", {"rows": queries.progress(by), "today": timezone.localdate()}
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def one_list(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """One list: a tab for each state of review; `?group=` and a posted name pick some of the people."""
    by = _member(request)
    progress = _found(queries.progress_of, by, list_id)
    if request.method == "POST":
        others = {key: request.POST.get(key, "") for key in ("tab", "group")}
        return filter_by_name(request, _list_url(list_id), **others)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "to-review"
    chosen = _chosen(request, list_id)
    people = queries.people(by, list_id, state=TABS[tab], **chosen)
    page = Paginator(people, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    decided = _just_decided(request, by, list_id)
    shown = [row.pk for row in page] + ([decided.pk] if decided else [])
    record_read(by=by, what="cohort:list", patient_ids=shown, at=timezone.now())
    return render(
        request,
        "cohort/validation/list.html",
        {
            "progress": progress,
            "practice_list": progress.practice_list,
            "today": timezone.localdate(),
            "age": age,
            "tab": tab,
            "page": page,
            "groups": queries.groups(by, list_id, state=TABS[tab]),
            "chosen": chosen,
            "query": _query(chosen),
            "decided": decided,
            "version": queries.version,
            "can_submit": policies.can_submit(by),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """One person with the reasons and the evidence; confirms or removes them, then shows who is next."""
    by = _member(request)
    now = timezone.now()
    changed = None
    remove_form = RemoveForm(request.POST if request.POST.get("decision") == "remove" else None)
    if request.method == "POST":
        _found(queries.entry, by, list_id, patient_id)
        try:
            if request.POST.get("decision") == "confirm":
                actions.confirm(entry_id=patient_id, by=by, at=now, seen=request.POST.get("seen", ""))
                return _after_deciding(request, by, list_id, patient_id)
            if remove_form.is_valid():
                actions.remove(entry_id=patient_id, by=by, at=now, **remove_form.removal)  # type: ignore[arg-type]
                return _after_deciding(request, by, list_id, patient_id)
        except actions.EntryChanged as error:
            changed = error.entry
    found = _found(queries.person, by, list_id, patient_id)
    decided = _just_decided(request, by, list_id)
    record_read(by=by, what="cohort:person", patient_ids=[patient_id] + ([decided.pk] if decided else []), at=now)
    chosen = _chosen(request, list_id)
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
            "seen": queries.version(found.entry),
            "form": remove_form,
            "changed": changed,
            "page_has_errors": changed is not None,
            "decided": decided,
            "version": queries.version,
            "chosen": chosen,
            "query": _query(chosen),
            "can_review": policies.can_review(by, is_submitted=found.entry.practice_list.submitted_at is not None),
        },
        status=409 if changed else 200,
    )


@never_cache
@require_POST
def undo(request: MemberRequest, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Takes back what the practice decided about somebody, and shows them again."""
    by = _member(request)
    name = _found(queries.entry, by, list_id, patient_id).patient
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
    return redirect(_person_url(list_id, patient_id, _query(_chosen(request, list_id))))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest) -> HttpResponse:
    """Puts somebody on the list whom the search did not find."""
    by = policies.check_can_review(request.membership)
    form = AddPersonForm(request.POST or None)
    listed = None
    if request.method == "POST" and form.is_valid():
        try:
            entry = actions.add_person(by=by, at=timezone.now(), **form.cleaned_data)
        except actions.AlreadyListed as error:
            listed = error.entry
            form.add_error("nhs_number", "This person is on your list already: see below")
            record_read(by=by, what="cohort:add", patient_ids=[listed.pk], at=timezone.now())
        except actions.PersonNotFound:
            form.add_error(
                None,
                "Nobody with this NHS number and date of birth is registered at your practice. "
                "Check both, and that they are registered with you",
            )
        except actions.PersonHasDied:
            form.add_error(None, "The death of this person has been registered, so they cannot be added")
        except actions.NoList:
            form.add_error(None, "Your practice has no list yet. You can add people after the first search")
        else:
            return redirect(_person_url(entry.practice_list_id, entry.pk, urlencode({"decided": entry.pk})))
    return render(
        request,
        "cohort/validation/add.html",
        {"form": form, "listed": listed, "newest": queries.newest_list(by)},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def submit(request: MemberRequest, list_id: UUID) -> HttpResponse:
    """What will be signed off, who is left, who has not been told; and the signing off."""
    by = _member(request)
    now = timezone.now()
    if request.method == "POST":
        try:
            _found(actions.submit_list, list_id=list_id, by=by, at=now)
        except actions.PeopleLeft as error:
            people = "1 person is" if error.count == 1 else f"{error.count} people are"
            messages.warning(request, f"Not signed off: {people} still to review.")
        except actions.ListSubmitted:
            messages.warning(request, "The list had been signed off already.")
        else:
            messages.success(request, "The list is signed off. Thank you. Letters and texts can now be sent.")
            return redirect("cohort:list", list_id)
    progress = _found(queries.progress_of, by, list_id)
    left = queries.people(by, list_id, state=ReviewState.TO_REVIEW)[:NAMES_SHOWN]
    untold = queries.not_told(by, list_id)[:PEOPLE_PER_PAGE]
    record_read(by=by, what="cohort:submit", patient_ids=[row.pk for row in [*left, *untold]], at=now)
    return render(
        request,
        "cohort/validation/submit.html",
        {
            "progress": progress,
            "practice_list": progress.practice_list,
            "today": timezone.localdate(),
            "left": left,
            "untold": untold,
            "can_submit": policies.can_submit(by),
        },
    )


def _member(request: MemberRequest) -> Membership:
    return policies.check_can_see_lists(request.membership)


def _found(get: Any, *args: Any, **kwargs: Any) -> Any:
    """Returns what `get` does; what is another practice's is as absent as what never was."""
    try:
        return get(*args, **kwargs)
    except ObjectDoesNotExist as error:
        raise Http404 from error


def _chosen(request: MemberRequest, list_id: UUID) -> dict[str, str]:
    return {"name": name_filter(request, _list_url(list_id)), "group": request.GET.get("group", "")}


def _query(chosen: dict[str, str], **more: Any) -> str:
    """Returns what of the filter an address may carry, as a query string: the name stays in the session."""
    return urlencode({key: value for key, value in {"group": chosen["group"], **more}.items() if value})


def _list_url(list_id: UUID) -> str:
    return reverse("cohort:list", args=[list_id])


def _person_url(list_id: UUID | None, patient_id: UUID, query: str) -> str:
    address = reverse("cohort:person", args=[list_id, patient_id])
    return f"{address}?{query}" if query else address


def _after_deciding(request: MemberRequest, by: Membership, list_id: UUID, patient_id: UUID) -> HttpResponse:
    """Goes to the next person to review, or the list when nobody is left; stays with somebody decided anew."""
    chosen = _chosen(request, list_id)
    query = _query(chosen, decided=patient_id)
    if request.POST.get("then") == "stay":
        return redirect(_person_url(list_id, patient_id, query))
    following = queries.place(by, list_id, patient_id, **chosen).next_id
    if following is None:
        drop_name_filter(request, _list_url(list_id))
        return redirect(f"{_list_url(list_id)}?{urlencode({'decided': patient_id})}")
    return redirect(_person_url(list_id, following, query))


def _just_decided(request: MemberRequest, by: Membership, list_id: UUID) -> Any:
    """Returns the entry that this user has just decided, for the banner with its undo, or None."""
    try:
        decided = queries.entry(by, list_id, UUID(request.GET.get("decided", "")))
    except (ValueError, ObjectDoesNotExist):
        return None
    is_mine = decided.reviewed_by_id == by.user_id and decided.review_state != ReviewState.TO_REVIEW
    return decided if is_mine else None


def age(birth_date: date, on: date) -> int:
    """Returns whole years."""
    return int(on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day)))
