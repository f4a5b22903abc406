"""The page of one person on an agenda: needs, the side's own notes, and what is agreed about them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from coordinators import policies
from coordinators.actions import agreed_actions
from coordinators.actions import conferences as actions
from coordinators.actions.conference_referrals import NotToBeReferred, refer_needs
from coordinators.conference_rules import OPEN_CONFERENCES, Change, ConferenceState
from coordinators.models import NEEDS, Conference
from coordinators.queries import conferences as queries
from coordinators.web.conference_forms import ActionForm, NeedsForm, NoteForm
from coordinators.web.conferences import CHANGED_SINCE, found_or_404, log_read, not_now, number, seen_again, words
from shielding.accounts.http import MemberRequest
from shielding.accounts.models import Membership


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: MemberRequest, conference_id: UUID, item_id: UUID) -> HttpResponse:
    """One person on the agenda. `do` says which form was sent."""
    by = policies.check_can_take_part(request.membership)
    conference = found_or_404(by, conference_id)
    today = timezone.localdate()
    people = queries.agenda(by, conference, today)
    found = next((one for one in people if one.item_id == item_id), None)
    if found is None:
        raise Http404
    forms = _forms(request, by, conference, found)
    status = 200
    if request.method == "POST":
        do = request.POST.get("do", "")
        if do in {"take_off", "refer"} or (do in forms and forms[do].is_valid()):
            try:
                return _write(request, by, conference_id, item_id, do, forms)
            except (actions.ConferenceNotFound, KeyError) as error:
                raise Http404 from error
            except actions.Changed:
                if do == "refer":
                    messages.warning(request, "Not referred: the needs have changed since you opened this page.")
                    return redirect("coordinators:conference_person", conference_id, item_id)
                found = queries.person_on(by, conference, item_id, today) or found
                forms[do] = _typed_again(request, by, do, found)
                status = 409
        elif do not in forms:
            raise Http404
    log_read(by, "coordinators:conference_person", [found])
    place = [one.item_id for one in people].index(item_id)
    return render(
        request,
        "coordinators/conferences/person.html",
        words(by)
        | {
            "conference": conference,
            "council": queries.council_name(conference),
            "person": found,
            "number": place + 1,
            "everybody": len(people),
            "next": people[place + 1] if place + 1 < len(people) else None,
            "needs_form": forms["needs"],
            "note_form": forms["note"],
            "action_form": forms["agree"],
            "may_write": bool(found.name) and conference.state in OPEN_CONFERENCES,
            "may_agree": bool(found.name) and conference.state == ConferenceState.HELD,
            "may_refer": policies.can_call_conferences(by)
            and bool(found.name and found.to_refer)
            and conference.state in OPEN_CONFERENCES
            and not {Change.DIED, Change.RESTRICTED} & set(found.changes),
            "may_take_off": found.is_untouched and conference.state in OPEN_CONFERENCES,
            "page_has_errors": any(form.errors for form in forms.values()),
        },
        status=status,
    )


def _forms(
    request: MemberRequest, by: Membership, conference: Conference, found: queries.AgendaPerson
) -> dict[str, Any]:
    do = request.POST.get("do", "")

    def typed(name: str) -> Any:
        return request.POST if do == name else None

    needs = {"seen": found.version, "needs": [need.value for need in found.needs], "detail": found.needs_detail}
    return {
        "needs": NeedsForm(typed("needs"), initial=needs, auto_id="needs_%s"),
        "note": NoteForm(
            queries.side_of(by),
            typed("note"),
            initial={"seen": found.note_version, "text": found.note},
            auto_id="note_%s",
        ),
        "agree": ActionForm(
            queries.participants(conference), typed("agree"), initial={"token": uuid4()}, auto_id="agree_%s"
        ),
    }


def _typed_again(request: MemberRequest, by: Membership, do: str, found: queries.AgendaPerson) -> Any:
    """Returns the form as typed, with what somebody else has written meanwhile."""
    if do == "needs":
        form = seen_again(NeedsForm, request, found.version, auto_id="needs_%s")
        names = dict(NEEDS)
        theirs = "; ".join([names[need] for need in found.needs] + [found.needs_detail] * bool(found.needs_detail))
    else:
        form = seen_again(NoteForm, request, found.note_version, queries.side_of(by), auto_id="note_%s")
        theirs = found.note
    form.add_error(
        None, f"{CHANGED_SINCE}It now says: {theirs or 'nothing'}. Save again to replace that with what you typed."
    )
    return form


def _write(
    request: MemberRequest, by: Membership, conference_id: UUID, item_id: UUID, do: str, forms: dict[str, Any]
) -> HttpResponse:
    where: dict[str, Any] = {"conference_id": conference_id, "item_id": item_id, "by": by, "at": timezone.now()}
    steps: dict[str, tuple[Callable[[], Any], str]] = {
        "take_off": (lambda: actions.take_off(**where), "Taken off the agenda."),
        "refer": (lambda: refer_needs(**where, seen=number(request.POST.get("seen", ""))), ""),
        "needs": (
            lambda: actions.write_needs(
                **where,
                needs=forms["needs"].kinds,
                detail=forms["needs"].cleaned_data["detail"],
                seen=forms["needs"].cleaned_data["seen"],
            ),
            "Needs saved. Both sides see them.",
        ),
        "note": (
            lambda: actions.write_note(
                **where, text=forms["note"].cleaned_data["text"], seen=forms["note"].cleaned_data["seen"]
            ),
            "Note saved. Only your side sees it.",
        ),
        "agree": (lambda: _agree(where, forms["agree"]), "Action added. Both sides see it."),
    }
    step, done = steps[do]
    here = redirect("coordinators:conference_person", conference_id, item_id)
    try:
        made = step()
    except actions.NotNow as error:
        messages.warning(request, not_now(error))
        return here
    except actions.ActionsLeft:
        messages.warning(request, "Not taken off: something was agreed about them.")
        return here
    except NotToBeReferred:
        messages.warning(request, "Not referred: they have died, or their record is restricted.")
        return here
    except agreed_actions.OwnerCannotSeeThem:
        messages.warning(request, "Not added: the council no longer sees this person, so give it to the practice.")
        return here
    except agreed_actions.FormUsedBefore:
        messages.warning(request, "Not added: this form was used before. Fill it in again.")
        return here
    if do == "refer":
        done = "Referred to the council." if made else "Nothing new: the council has these needs open already."
    messages.success(request, done)
    return redirect("coordinators:conference", conference_id) if do == "take_off" else here


def _agree(where: dict[str, Any], form: ActionForm) -> None:
    agreed_actions.agree(
        **where,
        action_id=form.cleaned_data["token"],
        what=form.cleaned_data["what"],
        owner_id=form.owner_id,
        due_date=form.cleaned_data["due_date"],
    )
