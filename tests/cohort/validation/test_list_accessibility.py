"""A worklist in each of its states meets WCAG 2.2 AA in a real browser, and is worked through by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cohort.actions.decisions import confirm
from cohort.actions.facts import ask_again
from cohort.models import Patient, ReviewQuery
from cohort.queries.review import version
from cohort.rules import Recheck
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW, Cast, ListEntryFactory, fill_list, make_cast
from tests.cohort.validation.pages import entry_of

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def test_a_list_is_accessible_in_every_state_and_people_are_confirmed_together(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    fill_list(cast.practice_list, 55)
    Patient.objects.filter(pk=cast.bob.pk).update(family_name="Wolfeschlegelsteinhausen" * 2)
    for strength in ("CLEAR", "CLEAR"):
        ListEntryFactory(practice_list=cast.practice_list, strength=strength)
    confirm(entry_id=cast.amina.pk, by=cast.gp, at=NOW, seen=version(entry_of(cast.amina)))
    ask_again(patient_ids=[cast.amina.pk], why=Recheck.MOVED_HERE, at=NOW)
    ReviewQuery.objects.create(
        patient=cast.bob, practice=cast.practice, question="Still so?", asked_at=NOW, asked_by=cast.staff.user
    )
    client.force_login(cast.gp.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    one_list = reverse("cohort:list", args=[cast.practice_list.pk])
    for query in ("", "?tab=queries", "?tab=confirmed&since=changed", "?age=0-17", "?show=all"):
        page.goto(one_list + query)
        axe(page)
    page.goto(f"{one_list}?strength=CLEAR")
    page.get_by_role("button", name="Select everybody on this page").press("Space")
    page.get_by_text("2 selected").wait_for()
    axe(page)
    page.get_by_role("button", name="Confirm those selected").press("Enter")
    page.get_by_role("heading", name="2 people confirmed together").wait_for()
    axe(page)
    page.get_by_role("button", name="Undo all 2").press("Enter")
    page.get_by_text("Undone: 2 people are to be reviewed.").wait_for()
    axe(page)
