"""The pages of hospital units' letters, in a real browser, meet WCAG 2.2 AA and fit a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from letters.actions.templates import load_templates
from letters.tasks import work_outbox
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW
from tests.cohort.hospitals.scene import AMINA, BOB, entry_of, make_scene

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_they_are_accessible(
    transactional_db: None, settings: Any, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    scene = make_scene(settings)
    load_templates(at=NOW)

    def sign_in(user: Any) -> None:
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])

    sign_in(scene.staff.user)
    page.goto(reverse("letters:unit_letters"))
    axe(page)  # nobody to write to
    scene.send(scene.row(), scene.row(BOB))
    page.goto(reverse("letters:unit_letters"))
    axe(page)  # somebody held: the extract says that letters are not safe
    client.post(reverse("letters:unit_letters"))
    work_outbox()
    page.goto(reverse("letters:unit_letters"))
    axe(page)
    sign_in(scene.gp.user)
    page.goto(reverse("letters:copies", args=[entry_of(AMINA).pk]))
    axe(page)
