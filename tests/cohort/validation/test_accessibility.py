"""Every page of validation, in a real browser, meets WCAG 2.2 AA and fits a phone."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cohort.models import ListEntry, Patient
from tests.browser import axe, browser, page
from tests.cohort.factories import Cast, fill_list, make_cast

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def test_every_page_is_accessible_and_a_person_is_decided_by_keyboard(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    fill_list(cast.practice_list, 60)
    Patient.objects.filter(pk=cast.bob.pk).update(
        safe_contact_instruction="Ring at noon.", death_status="INFORMAL", death_date=date(2020, 3, 1)
    )
    Patient.objects.filter(pk=cast.amina.pk).update(given_name="Wolfeschlegelsteinhausen" * 2)
    client.force_login(cast.gp.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    one_list = reverse("cohort:list", args=[cast.practice_list.pk])
    bob = reverse("cohort:person", args=[cast.practice_list.pk, cast.bob.pk])
    amina = reverse("cohort:person", args=[cast.practice_list.pk, cast.amina.pk])
    for url in (
        reverse("cohort:lists"),
        one_list,
        f"{one_list}?tab=added",
        bob,
        amina,
        reverse("cohort:submit", args=[cast.practice_list.pk]),
        reverse("cohort:add"),
    ):
        page.goto(url)
        axe(page)

    for name in ("nobody", "Wolfe"):
        page.goto(one_list)
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Find").press("Enter")
        page.get_by_text(f"Only people with “{name}” in their name").wait_for()
        assert page.url.endswith(f"{one_list}?tab=to-review")
        axe(page)
    page.get_by_role("button", name="Show everybody").press("Enter")
    page.get_by_text("Only people").wait_for(state="detached")

    page.goto(live_server.url + reverse("cohort:add"))
    page.get_by_role("button", name="Find the person").press("Enter")
    axe(page)  # with its errors

    page.goto(bob)
    page.locator("summary", has_text="Remove from the list").press("Enter")
    page.get_by_role("button", name="Remove", exact=True).press("Enter")
    axe(page)  # with its errors
    page.get_by_label("They have died").press("Space")
    page.get_by_role("button", name="Remove", exact=True).press("Enter")
    page.get_by_text("Bob Marsh: removed (they have died)").wait_for()
    axe(page)  # the next person, with the banner
    page.goto(bob)
    axe(page)  # decided
    page.get_by_role("button", name="Undo the decision").press("Enter")
    page.get_by_text("Undone: Bob Marsh is back").wait_for()
    assert ListEntry.objects.get(pk=cast.bob.pk).review_state == "TO_REVIEW"
