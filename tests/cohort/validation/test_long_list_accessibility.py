"""A list of 3,300 people, the most there were, meets WCAG 2.2 AA."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import Client
from django.urls import reverse

from cohort.models import Patient
from tests.browser import axe, browser, page
from tests.cohort.factories import Cast, fill_list, make_cast

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Wolfeschlegelsteinhausen" * 2


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast; the first practice has 3,300 people to review, every tenth with a name that fits no column."""
    cast = make_cast()
    fill_list(cast.practice_list, 3_298)
    Patient.objects.filter(family_name__endswith="7").update(
        given_name=LONG, family_name=Concat(Value("Llanfairpwllgwyngyll"), F("family_name"))
    )
    return cast


def test_a_list_of_3_300_people_is_accessible(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    client.force_login(cast.gp.user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    one_list = reverse("cohort:list", args=[cast.practice_list.pk])
    page.goto(one_list)
    assert page.get_by_role("link", name="To review (3,300)").count() == 1
    axe(page)
    page.goto(f"{one_list}?page=66")
    axe(page)
    page.goto(reverse("cohort:submit", args=[cast.practice_list.pk]))
    axe(page)
    page.goto(f"{one_list}?show=all&select=page")
    assert page.locator("tbody tr").count() == 3_300
    # Of 3,300 like rows axe takes many minutes to say the same of each: it reads the page with the first 60.
    page.evaluate("document.querySelectorAll('tbody tr:nth-child(n+61)').forEach(row => row.remove())")
    axe(page)
