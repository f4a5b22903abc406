"""Every page of a unit, in a real browser, meets WCAG 2.2 AA, fits a phone, and works by keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from cohort.actions.hospitals import lists as actions
from cohort.hospital_lists import check_rows
from cohort.models import HospitalList
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW
from tests.cohort.hospitals.scene import AMINA, BOB, DORA, STRANGER, TODAY, entry_of, make_scene
from tests.cohort.hospitals.test_reading_lists import as_csv

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Wolfeschlegelsteinhausen" * 3


def test_every_page_is_accessible_and_a_list_goes_by_keyboard(
    transactional_db: None,
    settings: Any,
    client: Client,
    live_server: Any,
    page: Any,
    axe: Callable[[Any], None],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = make_scene(settings)
    client.force_login(scene.staff.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(reverse("cohort:hospital_to_decide"))
    axe(page)  # nobody
    page.goto(reverse("cohort:hospital_lists"))
    axe(page)  # no list yet
    page.get_by_role("button", name="Check the list").press("Enter")
    axe(page)  # with its error

    file = tmp_path / "list.csv"
    file.write_bytes(
        as_csv(
            scene.row(given_name=LONG, hospital_medicine="eculizumab"),
            scene.row(BOB, birth_date="1961-02-15", given_name=LONG),
            scene.row(STRANGER, given_name=LONG, family_name=LONG[:90], birth_date="1990-01-01"),
            scene.row(DORA),
            scene.row(action="?", birth_date="22326", reason=""),
        )
    )
    page.locator("input[type=file]").set_input_files(str(file))
    page.get_by_role("button", name="Check the list").press("Enter")
    page.get_by_text("Nothing has been changed yet").wait_for()
    axe(page)  # the preview
    page.get_by_role("button", name="Send the list").press("Enter")
    page.get_by_text("The list is sent").wait_for()
    for tab in ("to-decide", "not-found", "taken"):
        page.goto(reverse("cohort:hospital_list", args=[HospitalList.objects.get().pk]) + f"?tab={tab}")
        axe(page)
    page.goto(reverse("cohort:hospital_lists"))
    axe(page)
    page.goto(reverse("cohort:hospital_to_decide"))
    axe(page)
    page.get_by_role("button", name="Start with the first").press("Enter")
    page.get_by_role("heading", name="Who is").wait_for()
    axe(page)
    page.get_by_role("button", name="Save and go on").press("Enter")
    page.get_by_text("There is a problem").wait_for()
    axe(page)  # with its error
    page.get_by_label("Person 1").press("Space")
    page.get_by_role("button", name="Save and go on").press("Enter")
    page.get_by_text("Your request counts from now on").wait_for()
    assert entry_of(BOB).is_on_list
    for row in HospitalList.objects.get().rows.all():
        page.goto(reverse("cohort:hospital_row", args=[row.pk]))
        axe(page)
    taken = HospitalList.objects.get().rows.get(nhs_number=AMINA)
    page.goto(reverse("cohort:hospital_row", args=[taken.pk]))
    page.locator("summary", has_text="Take this request back").press("Enter")
    page.get_by_role("button", name="Take it back").press("Enter")
    axe(page)  # with its error
    page.get_by_label("Why are you taking it back?").fill("Another person")
    page.get_by_role("button", name="Take it back").press("Enter")
    page.get_by_text("Your request is taken back").wait_for()
    axe(page)
    only_wrong = check_rows([(2, scene.row(action="?"))], today=TODAY)
    made = actions.check_list(read=only_wrong, sha256="0" * 64, by=scene.staff, at=NOW)
    page.goto(reverse("cohort:hospital_list", args=[made.pk]))
    axe(page)
    read = check_rows([(2, scene.row()), (3, scene.row(BOB)), (4, scene.row(action="?"))], today=TODAY)
    monkeypatch.setattr(actions, "AT_ONCE", 1)
    made = actions.check_list(read=read, sha256="0" * 64, by=scene.staff, at=NOW)
    HospitalList.objects.filter(pk=made.pk).update(tries=2)
    page.goto(reverse("cohort:hospital_list", args=[made.pk]))
    page.get_by_role("heading", name="The list is being checked").wait_for()
    axe(page)  # a long list that a worker has, and that takes longer than it should
    page.goto(reverse("cohort:hospital_lists"))
    axe(page)
    HospitalList.objects.filter(pk=made.pk).update(state="FAILED", failure="STOPPED", tried_at=NOW)
    page.goto(reverse("cohort:hospital_lists"))
    axe(page)
    page.get_by_role("link", name="the list of").press("Enter")
    page.get_by_role("heading", name="The list could not be checked").wait_for()
    axe(page)
    page.get_by_role("button", name="Check it again").press("Enter")
    page.get_by_role("heading", name="The list is being checked").wait_for()


def test_the_page_of_a_long_list_says_by_itself_that_it_is_done(
    transactional_db: None,
    settings: Any,
    client: Client,
    live_server: Any,
    page: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene, now = make_scene(settings), timezone.now()
    monkeypatch.setattr(actions, "AT_ONCE", 1)
    read = check_rows([(2, scene.row()), (3, scene.row(BOB))], today=TODAY)
    made = actions.check_list(read=read, sha256="0" * 64, by=scene.staff, at=now)
    client.force_login(scene.staff.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.clock.install()
    page.goto(reverse("cohort:hospital_list", args=[made.pk]))
    HospitalList.objects.update(tries=2)
    page.clock.run_for(11_000)
    expect(page.locator("main")).to_contain_text("this is try 2 of 5")
    expect(page.get_by_text("The list has moved on")).to_be_hidden()
    HospitalList.objects.update(tries=0)
    actions.carry_on(list_id=made.pk, at=now)
    page.clock.run_for(11_000)
    page.get_by_role("link", name="Show it anew").click()
    page.get_by_text("Nothing has been changed yet").wait_for()
