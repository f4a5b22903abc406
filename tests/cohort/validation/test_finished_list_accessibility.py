"""A practice without a list, and a list on which nothing is left to do, meet WCAG 2.2 AA."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cohort.actions.decisions import confirm, remove
from cohort.actions.sign_off import submit_list
from cohort.models import ListEntry
from cohort.queries.review import version
from cohort.rules import RemovalReason
from shielding.accounts.models import Membership
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW, Cast, ListEntryFactory, MembershipFactory, make_cast
from tests.cohort.validation.pages import entry_of

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Wolfeschlegelsteinhausen" * 2


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def test_a_list_is_accessible_when_nothing_is_left_to_do(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None]
) -> None:
    one_list = reverse("cohort:list", args=[cast.practice_list.pk])

    def sign_in(who: Membership) -> None:
        client.force_login(who.user)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        page.context.add_cookies([cookie])

    sign_in(MembershipFactory())
    page.goto(reverse("cohort:lists"))
    page.get_by_text("There is no list for").wait_for()
    axe(page)

    confirm(entry_id=cast.amina.pk, by=cast.gp, at=NOW, seen=version(entry_of(cast.amina)))
    remove(
        entry_id=cast.bob.pk,
        reason=RemovalReason.OTHER,
        detail=LONG * 4,
        is_patient_told=False,
        by=cast.staff,
        at=NOW,
        seen=version(entry_of(cast.bob)),
    )
    lapsed = ListEntryFactory(practice_list=cast.practice_list, patient__given_name=LONG)
    ListEntry.objects.filter(pk=lapsed.pk).update(review_state="LAPSED", is_on_list=False)
    sign_in(cast.staff)
    for query in ("", "?tab=confirmed", "?tab=removed", "?tab=no-longer-found", "?tab=added", "?tab=queries"):
        page.goto(one_list + query)
        axe(page)
    page.goto(reverse("cohort:person", args=[cast.practice_list.pk, lapsed.pk]))
    axe(page)
    page.goto(reverse("cohort:told", args=[cast.practice_list.pk, cast.bob.pk]))
    page.get_by_label("Who told them?").fill("")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_role("heading", name="There is a problem").wait_for()
    axe(page)

    submit_list(list_id=cast.practice_list.pk, by=cast.gp, at=NOW)
    for url in (reverse("cohort:lists"), one_list, reverse("cohort:person", args=[cast.practice_list.pk, cast.bob.pk])):
        page.goto(url)
        axe(page)
