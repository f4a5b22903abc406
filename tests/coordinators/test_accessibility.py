"""Every page of coordination, in a real browser, meets WCAG 2.2 AA and fits a phone (`axe` checks both)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from shielding.accounts.models import Membership
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW
from tests.coordinators.factories import AssignmentFactory, CheckInFactory, make_team, refer, validated

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_every_page_is_accessible_and_fits_a_phone(
    client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    team = make_team()
    team.amina.given_name = "Wolfeschlegelsteinhausen" * 2
    team.amina.save()
    waiting = refer(team.amina, team.staff, team.lead)
    accepted = refer(team.amina, team.staff, team.lead, kind="MONEY", state="ACCEPTED")
    closed = refer(
        team.amina, team.staff, team.lead, kind="TRANSPORT", state="CLOSED", what_was_done="A taxi",
        settled_at=NOW, settled_by=team.staff,
    )  # fmt: skip
    CheckInFactory(patient=team.amina, by=team.lead, is_safe_to_talk=False, note="Somebody was listening.")
    for patient in validated(team.practice, 51):
        AssignmentFactory(patient=patient, coordinator=team.lead)

    def sign_in(who: Membership) -> None:
        client.force_login(who.user)
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    def look(url: str) -> None:
        for width in (1200, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(live_server.url + url)
            axe(page)

    caseload, person = reverse("coordinators:caseload"), reverse("coordinators:person", args=[team.amina.pk])
    sign_in(team.lead)
    for url in (caseload, f"{caseload}?page=2", f"{caseload}?show=ANOTHER_WAY", person):
        look(url)
    for name in ("nobody", "Wolfe"):
        page.goto(live_server.url + caseload)
        page.get_by_role("searchbox", name="Find by name").fill(name)
        page.get_by_role("button", name="Find by name").press("Enter")
        page.get_by_text(f"begins with “{name}”").wait_for()
        assert page.url == live_server.url + caseload
        look(caseload)
    page.get_by_role("button", name="Show everybody").press("Enter")
    page.get_by_text("begins with").wait_for(state="detached")
    page.goto(live_server.url + person)
    page.get_by_label("Food", exact=True).check()
    page.get_by_role("button", name="Log check-in").press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    axe(page)

    referrals = reverse("coordinators:referrals")
    sign_in(team.staff)
    for state in ("waiting", "accepted", "closed", "rejected"):
        look(f"{referrals}?state={state}")
    for referral in (waiting, closed, accepted):
        look(reverse("coordinators:referral", args=[referral.pk]))
    page.get_by_role("button", name="Close this referral").press("Enter")
    axe(page)
