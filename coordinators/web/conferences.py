"""The pages of case conferences: which there are, one with its agenda, who takes part, and its minutes."""

from collections import Counter
from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from coordinators import policies
from coordinators.actions import conferences as actions
from coordinators.conference_rules import OPEN_CONFERENCES, ConferenceState, Side
from coordinators.models import ACTION_STATES, AGENDA_REASONS, NEEDS, Conference
from coordinators.queries import conferences as queries
from coordinators.queries import suggestions
from coordinators.web.conference_forms import CancelForm, InviteForm, NamedForm, PlanForm, WhenForm
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership
from shielding.accounts.name_filter import drop_name_filter, filter_by_name, name_filter
from shielding.audit.actions import record_read

PEOPLE_PER_PAGE = 50
ENDED_PER_PAGE = 20
_STATES = {
    ConferenceState.PLANNED: "has not been held yet",
    ConferenceState.HELD: "has been held",
    ConferenceState.CLOSED: "is closed",
    ConferenceState.CANCELLED: "was cancelled",
}
CHANGED_SINCE = "Somebody changed this after you opened the page. "


@never_cache
@require_GET
def conferences(request: MemberRequest) -> HttpResponse:
    """The conferences of somebody's practice or council, and what is overdue."""
    by = policies.check_can_take_part(request.membership)
    now = timezone.now()
    rows = queries.open_actions(by, timezone.localdate(now))
    side = queries.side_of(by)
    overdue = [row for row in rows if row[1].is_overdue and row[1].owner_side is side]
    to_decide = [row for row in rows if row[1].is_left_over and row[1].may_settle]
    log_read(by, "coordinators:conferences", [person for person, _ in overdue])
    ended = Paginator(queries.ended(by), ENDED_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "coordinators/conferences/conferences.html",
        words(by)
        | {
            "planned": list(queries.upcoming(by)),
            "held": list(queries.held(by)),
            "ended": ended,
            "open_actions": Counter(person.conference.pk for person, _ in rows),
            "overdue": overdue,
            "to_decide": to_decide,
            "now": now,
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: MemberRequest) -> HttpResponse:
    """Plans a conference with a council."""
    by = policies.check_can_call_conferences(request.membership)
    now = timezone.now()
    councils = suggestions.councils_for(by, timezone.localdate(now))
    form = PlanForm(councils, request.POST or None, initial={"token": uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.plan(
                conference_id=form.cleaned_data["token"],
                local_authority_id=form.cleaned_data["council"],
                starts_at=form.starts_at,
                place=form.cleaned_data["place"],
                by=by,
                at=now,
            )
        except actions.NotACouncil:
            form.add_error("council", "Nobody on your list lives there any more: select another council")
        except actions.ConferenceNotFound:
            form.add_error(None, "This form was used for another conference: open it again")
        else:
            messages.success(request, "Case conference planned. Now say whom it is about, and who takes part.")
            return redirect("coordinators:conference_add", made.pk)
    return render(request, "coordinators/conferences/plan.html", {"form": form, "councils": councils})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def conference(request: MemberRequest, conference_id: UUID) -> HttpResponse:
    """One conference: when, who takes part, and the agenda. `do` says which button was pressed."""
    by = policies.check_can_take_part(request.membership)
    now = timezone.now()
    if request.method == "POST":
        return _move(request, by, conference_id)
    found = found_or_404(by, conference_id)
    people = queries.agenda(by, found, timezone.localdate(now))
    log_read(by, "coordinators:conference", people)
    return render(
        request,
        "coordinators/conferences/conference.html",
        words(by)
        | {
            "conference": found,
            "council": queries.council_name(found),
            "people": people,
            "participants": list(queries.participants(found)),
            "is_open": found.state in OPEN_CONFERENCES,
            "day_has_come": timezone.localdate(now) >= timezone.localdate(found.starts_at),
        },
    )


def _move(request: MemberRequest, by: Membership, conference_id: UUID) -> HttpResponse:
    do = request.POST.get("do", "")
    step = {"hold": actions.hold, "close": actions.close}.get(do)
    if step is None:
        raise Http404
    try:
        step(conference_id=conference_id, by=by, at=timezone.now())
    except actions.ConferenceNotFound as error:
        raise Http404 from error
    except actions.TooEarly:
        messages.warning(request, "Nothing was changed: the day of the meeting has not come. Change its date first.")
    except actions.ActionsLeft:
        messages.warning(request, "Not closed: some agreed actions are still open. Close or give each of them first.")
    except actions.NotNow as error:
        messages.warning(request, not_now(error))
    else:
        done = {
            "hold": "The meeting has begun. Write down what is needed and what is agreed.",
            "close": "Case conference closed.",
        }
        messages.success(request, done[do])
    return redirect("coordinators:conference", conference_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: MemberRequest, conference_id: UUID) -> HttpResponse:
    """Moves a planned conference to another time or place."""
    by = policies.check_can_call_conferences(request.membership)
    found = found_or_404(by, conference_id)
    form = WhenForm(request.POST or None, initial=WhenForm.initial_of(found))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.change(
                conference_id=conference_id,
                starts_at=form.starts_at,
                place=form.cleaned_data["place"],
                seen=form.cleaned_data["seen"] or 0,
                by=by,
            )
        except actions.NotNow as error:
            messages.warning(request, not_now(error))
            return redirect("coordinators:conference", conference_id)
        except actions.Changed:
            found.refresh_from_db()
            form = seen_again(WhenForm, request, found.version)
            held = WhenForm.initial_of(found)
            form.add_error(
                None,
                f"{CHANGED_SINCE}It is now on {held['date']:%-d %B %Y} at {held['time']}, {found.place}. "
                "Save again to replace that with what you typed.",
            )
            status = 409
        else:
            messages.success(request, "Saved. Tell those who take part.")
            return redirect("coordinators:conference", conference_id)
    return render(request, "coordinators/conferences/change.html", {"form": form, "conference": found}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: MemberRequest, conference_id: UUID) -> HttpResponse:
    """Cancels a conference that has not been held."""
    by = policies.check_can_call_conferences(request.membership)
    found = found_or_404(by, conference_id)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.cancel(conference_id=conference_id, reason=form.cleaned_data["reason"], by=by, at=timezone.now())
            messages.success(request, "Case conference cancelled. Tell those who were to take part.")
        except actions.NotNow as error:
            messages.warning(request, not_now(error))
        return redirect("coordinators:conference", conference_id)
    return render(request, "coordinators/conferences/cancel.html", {"form": form, "conference": found})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest, conference_id: UUID) -> HttpResponse:
    """Who is suggested for the agenda and why, or who has a name; puts those who were ticked on it."""
    by = policies.check_can_take_part(request.membership)
    now = timezone.now()
    here = reverse("coordinators:conference_add", args=[conference_id])
    if request.method == "POST" and "name" in request.POST:
        return filter_by_name(request, here)
    found = found_or_404(by, conference_id)
    if found.state not in OPEN_CONFERENCES:
        return redirect("coordinators:conference", conference_id)
    if request.method == "POST":
        return _add(request, by, conference_id, here)
    name = name_filter(request, here)
    people = suggestions.candidates(by, found, timezone.localdate(now), name=name)
    page = Paginator(people, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    record_read(by=by, what="coordinators:conference_add", patient_ids=[person.patient_id for person in page], at=now)
    return render(
        request,
        "coordinators/conferences/add.html",
        words(by) | {"conference": found, "page": page, "name": name, "here": here},
    )


def _add(request: MemberRequest, by: Membership, conference_id: UUID, here: str) -> HttpResponse:
    ticked = {found for text in request.POST.getlist("patient") if (found := _uuid(text))}
    if not ticked:
        messages.warning(request, "Nobody was added: select at least one person.")
        return redirect(here)
    try:
        added = actions.add_people(conference_id=conference_id, patient_ids=ticked, by=by, at=timezone.now())
    except actions.NotNow as error:
        messages.warning(request, not_now(error))
        return redirect("coordinators:conference", conference_id)
    if added:
        messages.success(request, f"{_people(len(added))} added to the agenda.")
    if left := len(ticked) - len(added):
        messages.warning(request, f"{_people(left)} not added: on the agenda already, or cannot be discussed any more.")
    drop_name_filter(request, here)
    return redirect("coordinators:conference", conference_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def attendance(request: MemberRequest, conference_id: UUID) -> HttpResponse:
    """Who takes part and who came. `do` says which form was sent."""
    by = policies.check_can_take_part(request.membership)
    found = found_or_404(by, conference_id)
    do = request.POST.get("do", "")
    forms: dict[str, Any] = {
        "invite": InviteForm(
            queries.may_be_invited(found), request.POST if do == "invite" else None, auto_id="invite_%s"
        ),
        "name": NamedForm(
            request.POST if do == "name" else None, auto_id="name_%s", initial={"side": queries.side_of(by).value}
        ),
    }
    if request.method == "POST" and (do not in forms or forms[do].is_valid()):
        try:
            _take_part(request, by, conference_id, do, forms)
        except actions.ConferenceNotFound as error:
            raise Http404 from error
        except actions.NotNow as error:
            messages.warning(request, not_now(error))
        except actions.Changed:
            messages.warning(request, f"Not saved. {CHANGED_SINCE}Look again, and tick who came.")
        except actions.OwnsActions:
            messages.warning(request, "Not taken off: they own an action. Give that to somebody else first.")
        return redirect("coordinators:conference_attendance", conference_id)
    return render(
        request,
        "coordinators/conferences/attendance.html",
        words(by)
        | {
            "conference": found,
            "council": queries.council_name(found),
            "participants": list(queries.participants(found)),
            "invite_form": forms["invite"],
            "name_form": forms["name"],
            "is_open": found.state in OPEN_CONFERENCES,
            "page_has_errors": any(form.errors for form in forms.values()),
        },
    )


def _take_part(request: MemberRequest, by: Membership, conference_id: UUID, do: str, forms: dict[str, Any]) -> None:
    where: dict[str, Any] = {"conference_id": conference_id, "by": by}
    if do == "invite":
        actions.invite(**where, membership_id=UUID(forms[do].cleaned_data["member"]))
    elif do == "name":
        typed = forms[do].cleaned_data
        actions.invite_by_name(**where, side=Side(typed["side"]), name=typed["name"], job=typed["job"])
    elif do == "take_off":
        actions.uninvite(**where, participant_id=number(request.POST.get("participant", "")))
    elif do == "came":
        came = {number(text) for text in request.POST.getlist("came")}
        actions.take_attendance(**where, came=came, seen=number(request.POST.get("seen", "")))
        messages.success(request, "Attendance saved.")
    else:
        raise Http404


@never_cache
@require_GET
def minutes(request: MemberRequest, conference_id: UUID) -> HttpResponse:
    """The agenda or the minutes of one conference for one side, to print."""
    by = policies.check_can_take_part(request.membership)
    now = timezone.now()
    found = found_or_404(by, conference_id)
    people = queries.agenda(by, found, timezone.localdate(now))
    log_read(by, "coordinators:conference_minutes", people)
    return render(
        request,
        "coordinators/conferences/minutes.html",
        words(by)
        | {
            "conference": found,
            "council": queries.council_name(found),
            "people": people,
            "participants": list(queries.participants(found)),
            "printed_at": now,
        },
    )


def words(by: Membership) -> dict[str, Any]:
    """Returns what every page of case conferences needs: whose side it is, and the names of kinds."""
    return {
        "side": queries.side_of(by),
        "need_names": dict(NEEDS),
        "reason_names": dict(AGENDA_REASONS),
        "action_states": dict(ACTION_STATES),
        "can_call": policies.can_call_conferences(by),
    }


def found_or_404(by: Membership, conference_id: UUID) -> Conference:
    """Returns a conference of this side; another's is as absent as what never was."""
    found = queries.conference_for(by, conference_id)
    if found is None:
        raise Http404
    return found


def log_read(by: Membership, what: str, people: Collection[queries.AgendaPerson]) -> None:
    """Logs that these people were shown."""
    record_read(by=by, what=what, patient_ids=[person.patient_id for person in people], at=timezone.now())


def seen_again(form: Any, request: MemberRequest, version: int, *args: Any, **options: Any) -> Any:
    """Returns a form with what was typed, that will say it has seen the version there is now."""
    typed = request.POST.copy()
    typed["seen"] = str(version)
    made = form(*args, typed, **options)
    made.is_valid()
    return made


def not_now(error: actions.NotNow) -> str:
    """Returns what to say where a conference's state forbids something."""
    return f"Nothing was changed: the case conference {_STATES[error.state]}."


def _people(number: int) -> str:
    return f"{number} {'person' if number == 1 else 'people'}"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def number(text: str) -> int:
    """Returns a number that a page of ours sent, or 0, which is nothing's."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
