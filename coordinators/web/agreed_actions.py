"""The pages of agreed actions: the worklist of what is open, and one action with its progress."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from coordinators import policies
from coordinators.actions import agreed_actions as actions
from coordinators.actions import conferences as conference_actions
from coordinators.conference_rules import ActionState
from coordinators.queries import conferences as queries
from coordinators.web.conference_forms import OwnerForm, ProgressForm, SettleForm
from coordinators.web.conferences import CHANGED_SINCE, log_read, seen_again, words
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership

ACTIONS_PER_PAGE = 50


@never_cache
@require_GET
def agreed_actions(request: MemberRequest) -> HttpResponse:
    """What is open, the one due longest ago first. `?show=`: ours (unless told), theirs, overdue, decide."""
    by = policies.check_can_take_part(request.membership)
    side = queries.side_of(by)
    rows = queries.open_actions(by, timezone.localdate())
    parts = {
        "ours": [row for row in rows if row[1].owner_side is side],
        "theirs": [row for row in rows if row[1].owner_side is not side],
        "overdue": [row for row in rows if row[1].is_overdue],
        "decide": [row for row in rows if row[1].is_left_over and row[1].may_settle],
    }
    show = request.GET.get("show", "")
    show = show if show in parts else "ours"
    page = Paginator(parts[show], ACTIONS_PER_PAGE).get_page(request.GET.get("page"))
    log_read(by, "coordinators:agreed_actions", [person for person, _ in page])
    return render(
        request,
        "coordinators/conferences/actions.html",
        words(by) | {"page": page, "show": show, "counts": {name: len(part) for name, part in parts.items()}},
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def agreed_action(request: MemberRequest, action_id: UUID) -> HttpResponse:
    """One action, to write progress, give it to somebody else, or close it. `do` says which form was sent."""
    by = policies.check_can_take_part(request.membership)
    today = timezone.localdate()
    found = queries.action_for(by, action_id, today)
    if found is None:
        raise Http404
    person, action = found
    forms = _forms(request, person, action)
    do, status = request.POST.get("do", ""), 200
    if request.method == "POST":
        if do not in forms:
            raise Http404
        if forms[do].is_valid():
            try:
                return _write(request, by, action_id, do, forms)
            except (actions.ActionNotFound, conference_actions.ConferenceNotFound) as error:
                raise Http404 from error
            except actions.OwnerCannotSeeThem:
                forms["give"].add_error("owner", "The council no longer sees this person: select somebody else")
            except ValueError:
                forms["give"].add_error("due_date", "Due date must be today or later")
            except conference_actions.Changed:
                person, action = queries.action_for(by, action_id, today) or found
                forms[do] = _typed_again(request, do, person, action)
                status = 409
    log_read(by, "coordinators:agreed_action", [person])
    return render(
        request,
        "coordinators/conferences/action.html",
        words(by)
        | {
            "person": person,
            "action": action,
            "conference": person.conference,
            "council": queries.council_name(person.conference),
            "progress": list(queries.progress_of(action)),
            "progress_form": forms["progress"],
            "give_form": forms["give"],
            "settle_form": forms["settle"],
            "page_has_errors": any(form.errors for form in forms.values()),
        },
        status=status,
    )


def _forms(request: MemberRequest, person: queries.AgendaPerson, action: queries.AgreedActionRow) -> dict[str, Any]:
    do = request.POST.get("do", "")

    def typed(name: str) -> Any:
        return request.POST if do == name else None

    return {
        "progress": ProgressForm(typed("progress"), initial={"token": uuid4()}, auto_id="progress_%s"),
        "give": OwnerForm(
            queries.participants(person.conference),
            typed("give"),
            initial={"seen": action.version, "owner": action.owner_id, "due_date": action.due_date},
            auto_id="give_%s",
        ),
        "settle": SettleForm(typed("settle"), initial={"seen": action.version}, auto_id="settle_%s"),
    }


def _typed_again(request: MemberRequest, do: str, person: queries.AgendaPerson, action: queries.AgreedActionRow) -> Any:
    """Returns the form as typed, with what somebody else has changed meanwhile."""
    if do == "give":
        people = queries.participants(person.conference)
        form = seen_again(OwnerForm, request, action.version, people, auto_id="give_%s")
    else:
        form = seen_again(SettleForm, request, action.version, auto_id="settle_%s")
    form.add_error(
        None,
        f"{CHANGED_SINCE}It is now for {action.owner}, due on {action.due_date:%-d %B %Y}. "
        "Save again if what you typed still holds.",
    )
    return form


def _write(request: MemberRequest, by: Membership, action_id: UUID, do: str, forms: dict[str, Any]) -> HttpResponse:
    where: dict[str, Any] = {"action_id": action_id, "by": by, "at": timezone.now()}
    typed = forms[do].cleaned_data
    steps: dict[str, tuple[Callable[[], Any], str]] = {
        "progress": (
            lambda: actions.report(**where, progress_id=typed["token"], text=typed["text"]),
            "Progress saved. Both sides see it.",
        ),
        "give": (
            lambda: actions.give(
                **where, owner_id=forms["give"].owner_id, due_date=typed["due_date"], seen=typed["seen"] or 0
            ),
            "Saved. Tell whoever does it now.",
        ),
        "settle": (
            lambda: actions.settle(
                **where, state=ActionState(typed["state"]), outcome=typed["outcome"], seen=typed["seen"]
            ),
            "Action closed. Both sides see what became of it.",
        ),
    }
    step, done = steps[do]
    try:
        step()
    except actions.AlreadySettled:
        messages.warning(request, "Nothing was changed: somebody has closed this action already.")
    except actions.NotYours:
        messages.warning(request, "Nothing was changed: the other side closes this action or gives it to somebody.")
    except actions.FormUsedBefore:
        messages.warning(request, "Nothing was saved: this form was used before. Fill it in again.")
    else:
        messages.success(request, done)
    return redirect("coordinators:agreed_action", action_id)
