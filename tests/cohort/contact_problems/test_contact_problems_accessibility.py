"""The worklist of contact problems meets WCAG 2.2 AA in a real browser, with every problem and with none."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cohort.actions.contact_problems import letter_returned, number_undeliverable
from cohort.models import Patient
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW, Cast, ListEntryFactory, make_cast

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def test_the_worklist_is_accessible_in_every_state(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    client.force_login(cast.gp.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto("/contact-problems/")
    axe(page)
    long = "Wolfeschlegelsteinhausen" * 2
    for details in (
        {"address_lines": [f"({long}"], "postcode": "SM1", "mobile": "1", "family_name": long},
        {"no_fixed_abode": True},
        {"mobile": "", "preferred_channel": "SMS"},
    ):
        ListEntryFactory(
            practice_list=cast.practice_list, **{f"patient__{name}": value for name, value in details.items()}
        )
    Patient.objects.filter(pk=cast.bob.pk).update(family_name=long)
    letter_returned(patient_ids=[cast.amina.pk, cast.bob.pk], at=NOW)
    number_undeliverable(patient_ids=[cast.amina.pk], at=NOW)
    for query in ("", "?problem=LETTER_RETURNED", "?problem=NONSENSE"):
        page.goto(f"/contact-problems/{query}")
        axe(page)
    page.goto("/lists/")
    axe(page)
    page.get_by_role("main").get_by_role("link", name="Contact problems").press("Enter")
    page.get_by_role("button", name="The address is right for Amina Khan").press("Enter")
    page.get_by_text("The address of Amina Khan will be used again.").wait_for()
    axe(page)
