"""Every page of case conferences, in every state and for each side, meets WCAG 2.2 AA and fits a phone.

Pictures of the pages are kept in the folder that `SHIELDING_PICTURES` names, if it is set.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from coordinators.actions import agreed_actions, conferences
from coordinators.conference_rules import ActionState, ConferenceState
from coordinators.models import Conference
from coordinators.rules import NeedKind
from shielding.accounts.models import Membership
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW
from tests.coordinators.factories import make_team, refer
from tests.coordinators.meeting import (
    Meeting,
    die,
    make_meeting,
    make_restricted,
    register_elsewhere,
    somebody,
)

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Wolfeschlegelsteinhausen" * 2


@pytest.fixture
def sign_in(client: Client, live_server: Any, page: Any) -> Callable[[Membership], None]:
    def _sign_in(who: Membership) -> None:
        client.force_login(who.user)
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    return _sign_in


@pytest.fixture
def look(live_server: Any, page: Any, axe: Callable[[Any], None]) -> Callable[..., None]:
    """Opens a page, or looks at the one that is open, in two widths; keeps a picture of each."""
    folder = os.environ.get("SHIELDING_PICTURES")

    def _look(name: str, url: str = "") -> None:
        if url:
            page.goto(live_server.url + url)
        for width in (1200, 390):
            page.set_viewport_size({"width": width, "height": 900})
            axe(page)
            if folder:
                page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        if folder and "minutes" in name:
            page.pdf(path=Path(folder) / f"{name}.pdf", format="A4")

    return _look


def at(name: str, *args: Any) -> str:
    return reverse(f"coordinators:{name}", args=args)


def fill(meeting: Meeting) -> dict[str, Any]:
    """Puts people in every state on the agenda, with notes and actions; returns the actions by what was agreed."""
    team, conference, gp = meeting.team, meeting.conference, meeting.gp
    meeting.amina.given_name = LONG
    meeting.amina.save()
    others = {
        "Dora": {"mobile": "", "landline": ""},
        "Eve": {},
        "Flo": {},
        "Gus": {"birth_date": NOW.date().replace(year=1931)},
    }
    people = {name: somebody(team, name, **details) for name, details in others.items()}
    refer(people["Gus"], team.staff, team.lead)
    added = conferences.add_people(
        conference_id=conference.pk, patient_ids=[person.pk for person in people.values()], by=gp, at=NOW
    )
    items = {item.patient.given_name: item for item in added}
    where: dict[str, Any] = {"conference_id": conference.pk, "item_id": meeting.item.pk, "by": gp, "at": NOW}
    conferences.write_needs(
        **where, needs=list(NeedKind)[:3], detail="Lives alone, second floor, no lift.", seen=meeting.item.version
    )
    conferences.write_note(**where, text="Frail.\nHome oxygen.", seen=0)
    actions = {
        "parcel": meeting.agree(),
        "visit": meeting.agree(meeting.gp_takes_part, what="Home visit by the practice nurse"),
        "oven": meeting.agree(what="Mend the oven"),
        "Dora": meeting.agree(item_id=items["Dora"].pk, what="Find a phone for her"),
        "Eve": meeting.agree(item_id=items["Eve"].pk, what="Ask about transport"),
        "Flo": meeting.agree(meeting.gp_takes_part, item_id=items["Flo"].pk, what="Call her daughter"),
    }
    agreed_actions.report(
        progress_id=uuid4(), action_id=actions["parcel"].pk, text="Ordered", by=meeting.council, at=NOW
    )
    agreed_actions.settle(
        action_id=actions["oven"].pk,
        state=ActionState.NOT_DONE,
        outcome="She has a new one",
        seen=1,
        by=meeting.council,
        at=NOW,
    )
    conferences.invite_by_name(
        conference_id=conference.pk, side=conferences.Side.COUNCIL, name=LONG, job="Red Cross", by=gp
    )
    conferences.take_attendance(
        conference_id=conference.pk,
        came=[meeting.gp_takes_part.pk],
        seen=Conference.objects.get(pk=conference.pk).version,
        by=gp,
    )
    register_elsewhere(people["Dora"], team)
    make_restricted(people["Eve"])
    die(people["Flo"])
    return actions


def test_every_page_of_a_meeting_is_accessible_and_fits_a_phone(
    sign_in: Callable[[Membership], None], look: Callable[..., None], page: Any
) -> None:
    meeting = make_meeting(ConferenceState.HELD)
    actions = fill(meeting)
    pk, item = meeting.conference.pk, meeting.item.pk
    for name, by in (("practice", meeting.gp), ("council", meeting.council)):
        sign_in(by)
        look(f"{name}-conferences", at("conferences"))
        look(f"{name}-conference", at("conference", pk))
        look(f"{name}-person", at("conference_person", pk, item))
        look(f"{name}-attendance", at("conference_attendance", pk))
        look(f"{name}-minutes", at("conference_minutes", pk))
        for show in ("ours", "theirs", "overdue", "decide"):
            look(f"{name}-actions-{show}", f"{at('agreed_actions')}?show={show}")
        for action in ("parcel", "visit", "oven", "Flo"):
            look(f"{name}-action-{action}", at("agreed_action", actions[action].pk))
        look(f"{name}-add", at("conference_add", pk))
    sign_in(meeting.gp)
    for what in ("Dora", "Eve"):
        look(f"action-{what}", at("agreed_action", actions[what].pk))
        look(f"person-{what}", at("conference_person", pk, actions[what].item_id))

    # Errors of each form.
    page.goto(page.url.split("/conferences")[0] + at("conference_person", pk, item))
    page.get_by_role("button", name="Add this action").press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    look("errors-person")
    page.goto(page.url.split("/conferences")[0] + at("agreed_action", actions["visit"].pk))
    page.get_by_role("button", name="Close this action").press("Enter")
    look("errors-action")
    page.goto(page.url.split("/conferences")[0] + at("conference_attendance", pk))
    page.get_by_role("button", name="Add this name").press("Enter")
    look("errors-attendance")


def test_every_page_before_and_after_a_meeting_is_accessible_and_fits_a_phone(
    sign_in: Callable[[Membership], None], look: Callable[..., None], page: Any
) -> None:
    team = make_team()
    meeting = make_meeting(ConferenceState.PLANNED, team)
    nobody = make_meeting(ConferenceState.PLANNED, team)
    conferences.take_off(conference_id=nobody.conference.pk, item_id=nobody.item.pk, by=nobody.gp, at=NOW)
    cancelled = make_meeting(ConferenceState.CANCELLED, team).conference
    closed = make_meeting(ConferenceState.CLOSED, team)
    sign_in(meeting.gp)
    look("planned", at("conference", meeting.conference.pk))
    look("planned-minutes", at("conference_minutes", meeting.conference.pk))
    look("planned-person", at("conference_person", meeting.conference.pk, meeting.item.pk))
    look("planned-attendance", at("conference_attendance", meeting.conference.pk))
    look("empty", at("conference", nobody.conference.pk))
    look("cancelled", at("conference", cancelled.pk))
    look("closed", at("conference", closed.conference.pk))
    look("closed-person", at("conference_person", closed.conference.pk, closed.item.pk))
    look("no-actions", at("agreed_actions"))
    look("nobody-suggested", at("conference_add", meeting.conference.pk))
    somebody(team, LONG, birth_date=NOW.date().replace(year=1931))
    somebody(team, "Hal", mobile="", landline="")
    look("suggested", at("conference_add", meeting.conference.pk))
    for name, button in (("plan", "Plan it"), ("change", "Save"), ("cancel", "Cancel this case conference")):
        look(name, at(f"conference_{name}", *([] if name == "plan" else [meeting.conference.pk])))
        for box in page.get_by_role("textbox").all():
            box.fill("")
        page.get_by_role("button", name=button).press("Enter")
        expect(page).to_have_title(re.compile("^Error: "))
        look(f"errors-{name}")
    sign_in(team.other_staff)
    look("council-none", at("conferences"))
