"""Every page of signing off and oversight, in every state, in a real browser: WCAG 2.2 AA, and it fits a phone."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cohort.actions.late import send_reminders
from cohort.models import HospitalList, PracticeList, ReviewQuery
from shielding.accounts.models import Membership
from tests.browser import axe, browser, page
from tests.cohort.factories import MembershipFactory, OrganisationFactory, PracticeListFactory, SearchRunFactory
from tests.cohort.oversight.scene import care_system, lead, operator, put
from tests.letters.factories import NOON, make_mailing
from tests.letters.outbox import work

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
#: Where somebody who works on the pages wants to look at them.
PICTURES = os.environ.get("OVERSIGHT_PICTURES", "")
LONG = "The Wolfeschlegelsteinhausenbergerdorff and Llanfairpwllgwyngyllgogerychwyrndrobwll Medical Centre"


@pytest.fixture
def see(client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]) -> Callable[..., None]:
    """Returns a function that opens an address as somebody, checks it, and keeps a picture where that is wanted."""

    def _see(by: Membership | None, url: str, name: str) -> None:
        if by is not None:
            client.force_login(by.user)
            cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
            page.context.add_cookies([cookie])
            page.goto(live_server.url + url)
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
        axe(page)
        if PICTURES:
            size = page.viewport_size
            page.set_viewport_size({"width": 320, "height": 800})
            page.screenshot(path=f"{PICTURES}/{name}-320.png", full_page=True)
            page.set_viewport_size(size)

    return _see


def test_signing_off_in_every_state(see: Callable[..., None], page: Any) -> None:
    gp = MembershipFactory(user__name="Dr Grace Okafor")
    one = PracticeListFactory(practice=gp.organisation, due_date=timezone.localdate() + timedelta(days=3))
    sign_off, reopen = reverse("cohort:submit", args=[one.pk]), reverse("letters:reopen_list", args=[one.pk])
    put(one, gp, to_review=12, confirmed=30, added=2)
    see(gp, sign_off, "sign-off-people-left")
    one.entries.filter(review_state="TO_REVIEW").update(
        review_state="REMOVED",
        removal_reason="LOW_RISK",
        is_patient_told=False,
        is_on_list=False,
        reviewed_at=timezone.now(),
        reviewed_by=gp.user,
    )
    entry = one.entries.filter(review_state="CONFIRMED").first()
    assert entry
    entry.patient.given_name = "Wolfeschlegelsteinhausen" * 2
    entry.patient.save()
    ReviewQuery.objects.create(
        patient=entry.patient, practice=one.practice, question="Sure?", asked_at=timezone.now(), asked_by=gp.user
    )
    see(gp, sign_off, "sign-off-ready")
    page.get_by_role("button", name="Sign off the list").press("Enter")
    page.get_by_text("Receipt number").wait_for()
    see(None, "", "sign-off-receipt")
    page.get_by_role("button", name="Open the list again").press("Enter")
    page.get_by_role("button", name="Open the list again").press("Enter")
    page.get_by_role("link", name="Enter why you are opening the list again").wait_for()
    see(None, "", "reopen-error")
    page.get_by_label("Why are you opening it again?").fill("Two were confirmed by mistake")
    page.get_by_role("button", name="Open the list again").press("Enter")
    page.get_by_text("The list is open again.").wait_for()
    see(gp, sign_off, "sign-off-reopened")
    page.get_by_role("button", name="Sign off the list").press("Enter")
    page.get_by_text("Receipt number").wait_for()
    make_mailing().released()
    work(NOON)
    see(gp, reopen, "reopen-refused")
    empty = PracticeListFactory(practice=gp.organisation, due_date=timezone.localdate() - timedelta(days=1))
    see(gp, reverse("cohort:submit", args=[empty.pk]), "sign-off-empty")


def test_oversight_in_every_state(see: Callable[..., None], page: Any) -> None:
    centre, north = operator(), care_system("North and Middle care system")
    see(centre, reverse("cohort:oversight"), "practices-empty")
    see(centre, reverse("cohort:outliers"), "outliers-empty")
    north_lead, today, run, gp = lead(north), timezone.localdate(), SearchRunFactory(), MembershipFactory()
    for number in range(60):
        practice = OrganisationFactory(
            ics=north, name=LONG if number == 1 else f"Elm Surgery {number}", phone="01632 960001" if number % 3 else ""
        )
        one = PracticeListFactory(practice=practice, run=run, due_date=today + timedelta(days=number % 9 - 5))
        put(one, gp, to_review=number % 7, confirmed=18, removed=2 + (28 if number == 5 else 0), added=number % 4)
        if number % 5:
            MembershipFactory(organisation=practice)
    PracticeList.objects.filter(practice__name="Elm Surgery 7").update(
        submitted_at=timezone.now(), submitted_by=gp.user
    )
    send_reminders(now=timezone.now)
    HospitalList.objects.create(
        unit=OrganisationFactory(kind="HOSPITAL", name=f"Dialysis unit, {LONG}"),
        via="UPLOAD",
        state="FAILED",
        failure="NO_RECORDS",
        tries=5,
        tried_at=timezone.now(),
        checked_at=timezone.now(),
        checked_by=gp.user,
        sha256="",
    )
    see(centre, reverse("cohort:oversight"), "practices")
    see(centre, reverse("cohort:oversight") + "?show=signed-off&name=nowhere", "practices-none-found")
    see(north_lead, reverse("cohort:area") + "?show=all&sort=left", "area")
    see(centre, reverse("cohort:outliers") + "?show=all", "outliers")
    policy = reverse("cohort:late_policy", args=[run.pk])
    see(centre, policy, "late-policy")
    page.get_by_role("button", name="Decide").press("Enter")
    page.get_by_role("link", name="Enter why you decide this").wait_for()
    see(None, "", "late-policy-errors")
    page.get_by_label("Hold them back").press("Space")
    page.get_by_label("Why?").fill("Practices have told us that they will be done on Monday")
    page.get_by_role("button", name="Decide").press("Enter")
    page.get_by_text("Decided: they are held back").wait_for()
    see(None, "", "late-policy-decided")
    cache.clear()
    outlier = MembershipFactory(organisation=PracticeList.objects.get(practice__name="Elm Surgery 5").practice)
    see(outlier, reverse("cohort:rates"), "rates")
    see(gp, reverse("cohort:rates"), "rates-empty")
