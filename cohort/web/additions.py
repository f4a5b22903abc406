"""The pages that take down somebody at risk whom the search did not find: who they are, then why."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from cohort import policies
from cohort.actions import additions as actions
from cohort.models import Criterion, ListFact
from cohort.queries import additions as queries
from cohort.queries import worklists
from cohort.web.forms import AddPersonForm, WhoForm
from cohort.web.practice import age, person_url
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.audit.actions import record_read, stand_in_id

NOT_HERE = (
    "Nobody with this NHS number and date of birth is registered at your practice. "
    "Check both, and that they are registered with you"
)
NO_LIST = "Your practice has no list yet. You can add people after the first search"
DIED = "The death of this person has been registered, so they cannot be added"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest) -> HttpResponse:
    """Finds somebody registered at the practice, shows who that is, and adds them once that is confirmed."""
    by = policies.check_can_review(request.membership)
    if request.method != "POST":
        return _ask_who(request, by, WhoForm())
    who = WhoForm(request.POST)
    is_second = request.POST.get("step") == "add"
    grounds = AddPersonForm(queries.disease_groups(), request.POST) if is_second else None
    if grounds is not None:
        named = {name: grounds.data.get(name, "") for name in ("nhs_number", "birth_date")}
        who = WhoForm({"nhs_number": named["nhs_number"], **_date_parts(named["birth_date"])})
    if not who.is_valid():
        return _ask_who(request, by, who)
    if worklists.newest_list(by) is None:
        who.add_error(None, NO_LIST)
        return _ask_who(request, by, who)
    patient = queries.person_to_add(by, **who.cleaned_data)
    if patient is None:
        who.add_error(None, NOT_HERE)
        return _ask_who(request, by, who)
    record_read(by=by, what="cohort:add", patient_ids=[_shown(patient)], at=timezone.now())
    if listed := queries.listed(by, patient):
        who.add_error("nhs_number", "This person is on your list already: see below")
        return _ask_who(request, by, who, listed=listed)
    if patient.death_status == "FORMAL":
        who.add_error(None, DIED)
        return _ask_who(request, by, who)
    if grounds is not None and grounds.is_valid():
        added = _add(request, by, who, grounds)
        if added is not None:
            return added
        return _ask_who(request, by, who)
    if grounds is None:
        first = {"nhs_number": who.cleaned_data["nhs_number"], "birth_date": who.cleaned_data["birth_date"]}
        grounds = AddPersonForm(queries.disease_groups(), initial=first)
    return render(
        request,
        "cohort/validation/add_why.html",
        {"form": grounds, "patient": patient, "age": age(patient.birth_date, timezone.localdate())},
        status=400 if grounds.errors else 200,
    )


@never_cache
@require_POST
def take_back(request: MemberRequest, fact_id: int) -> HttpResponse:
    """Takes back that somebody is vulnerable."""
    by = policies.check_can_review(request.membership)
    try:
        fact = actions.take_back_vulnerable(fact_id=fact_id, by=by, at=timezone.now())
    except ListFact.DoesNotExist as error:
        raise Http404 from error
    name = f"{fact.patient.given_name} {fact.patient.family_name}"
    messages.success(request, f"Undone: {name} is no longer recorded as vulnerable.")
    return redirect("cohort:add")


def _ask_who(request: MemberRequest, by: Membership, form: WhoForm, *, listed: Any = None) -> HttpResponse:
    vulnerable = list(queries.recorded_as_vulnerable(by))
    record_read(by=by, what="cohort:add", patient_ids=[fact.patient_id for fact in vulnerable], at=timezone.now())
    return render(
        request,
        "cohort/validation/add.html",
        {"form": form, "listed": listed, "newest": worklists.newest_list(by), "vulnerable": vulnerable},
        status=400 if form.errors else 200,
    )


def _add(request: MemberRequest, by: Membership, who: WhoForm, grounds: AddPersonForm) -> HttpResponse | None:
    """Adds them and goes on; None where that cannot be, which `who` then says."""
    now = timezone.now()
    try:
        if grounds.cleaned_data["tier"] == Criterion.Tier.HIGH:
            entry = actions.add_person(grounds=grounds.grounds, by=by, at=now, **who.cleaned_data)
            return redirect(person_url(entry.practice_list_id, entry.pk, urlencode({"decided": entry.pk})))
        fact = actions.record_vulnerable(grounds=grounds.grounds, by=by, at=now, **who.cleaned_data)
    except actions.AlreadyListed:
        who.add_error("nhs_number", "Somebody has just added this person")
    except actions.AlreadyRecorded:
        who.add_error("nhs_number", "This person is recorded as vulnerable already: see below")
    except actions.PersonNotFound:
        who.add_error(None, NOT_HERE)
    except actions.PersonHasDied:
        who.add_error(None, DIED)
    except actions.NoList:
        who.add_error(None, NO_LIST)
    else:
        name = f"{fact.patient.given_name} {fact.patient.family_name}"
        messages.success(request, f"Saved: {name} is recorded as vulnerable. They are not on the list.")
        return redirect("cohort:add")
    return None


def _shown(patient: Any) -> Any:
    """Returns the id that the read log keeps: somebody with no row of their own has a stand-in."""
    return stand_in_id(patient.nhs_number) if patient._state.adding else patient.pk


def _date_parts(iso: str) -> dict[str, str]:
    """Returns a date as the boxes of a form: empty ones where it is none."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return {}
    return {"birth_date_day": str(day.day), "birth_date_month": str(day.month), "birth_date_year": str(day.year)}
