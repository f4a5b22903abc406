"""Contact histories, the page of arrivals and the ledger's part of it meet WCAG 2.2 AA in a real browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from coordinators.models import Assignment, CheckIn
from letters.models import Message, PastAttempt, Receipt
from shielding.accounts.models import Membership, Role
from tests.browser import axe, browser, page
from tests.cohort.factories import MembershipFactory, OrganisationFactory, PracticeListFactory
from tests.letters.factories import NOON, make_mailing, validated
from tests.letters.outbox import work

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Wolfeschlegelsteinhausen" * 2


def enter(page: Any, client: Client, live_server: Any, by: Membership) -> None:
    client.force_login(by.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )


def test_a_contact_history_is_accessible_long_and_empty(
    transactional_db: None, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    mailing = make_mailing()
    amina = validated(given_name="Amina", family_name=LONG)
    gp = MembershipFactory(organisation=amina.practice, role=Role.GP)
    enter(page, client, live_server, gp)
    here = reverse("letters:contact_history", args=[amina.pk])
    page.goto(here)
    axe(page)
    mailing.released()
    work()
    message = Message.objects.get()
    PastAttempt.objects.create(message=message, attempt=1, failure=f"{LONG} is unknown", ended_at=NOON)
    for days, status in enumerate(("ACCEPTED", "PRINTED", "DISPATCHED", "DELIVERED"), start=1):
        at = NOON + timedelta(days=days)
        Receipt.objects.create(message=message, attempt=1, status=status, at=at, received_at=at)
    Message.objects.update(delivery="DELIVERED", delivery_at=NOON)
    leads = MembershipFactory(organisation=amina.practice, role=Role.COORDINATOR)
    Assignment.objects.create(patient=amina, coordinator=leads, started_at=NOON)
    CheckIn.objects.create(patient=amina, at=NOON, by=leads, outcome="NO_ANSWER")
    page.goto(reverse("cohort:person", args=[amina.entry.practice_list_id, amina.pk]))
    page.get_by_role("link", name="Letters, texts and calls so far").press("Enter")
    page.get_by_role("heading", name="Contact history").wait_for()
    axe(page)


def test_when_will_it_arrive_is_accessible_with_alarms_and_without(
    transactional_db: None, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    cache.clear()  # it outlives a test that empties tables
    mailing = make_mailing()
    enter(page, client, live_server, mailing.operator)
    page.goto("/arrivals/")
    axe(page)
    for name in ("North", f"NHS {LONG} and the Isles Integrated Care System"):
        ics = OrganisationFactory(kind="ICS", name=name)
        practice_list = PracticeListFactory(practice=OrganisationFactory(ics=ics))
        for _ in range(2):
            validated(practice_list=practice_list)
    mailing.released()
    cache.clear()
    page.goto("/ledger/")
    axe(page)
    page.get_by_role("link", name="By care system, and what it rests on").press("Enter")
    page.get_by_role("heading", name="Something waits too long").wait_for()
    axe(page)
