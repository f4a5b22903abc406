"""The pages of the spreadsheet round trip, in a real browser, meet WCAG 2.2 AA and fit a phone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cohort.models import ListEntry, Patient, PracticeList
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW, Cast, fill_list, make_cast
from tests.cohort.validation.test_spreadsheet import REMOVED, as_file, rows_of

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


def test_every_page_of_the_round_trip_is_accessible_in_every_state(
    cast: Cast, client: Client, live_server: Any, page: Any, axe: Callable[[Any], None], tmp_path: Path, settings: Any
) -> None:
    settings.RUN_FOLDER = str(tmp_path / "kept")
    fill_list(cast.practice_list, 130)
    Patient.objects.filter(pk=cast.amina.pk).update(given_name="Wolfeschlegelsteinhausen" * 2)
    client.force_login(cast.gp.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    here = reverse("cohort:spreadsheet", args=[cast.practice_list.pk])
    page.goto(reverse("cohort:list", args=[cast.practice_list.pk]))
    page.get_by_role("link", name="Use a spreadsheet").press("Enter")
    page.get_by_role("heading", name="Send it back").wait_for()
    axe(page)
    with page.expect_download() as download:
        page.locator("a[href$='everybody.xlsx']").click()
    assert download.value.suggested_filename == "list-2020-03-14-everybody.xlsx"
    page.get_by_role("button", name="Check the file").press("Enter")
    page.get_by_text("There is a problem").wait_for()
    axe(page)

    rows = rows_of(cast)
    for number, row in enumerate(rows):
        row |= [{"Decision": "confirm"}, {**REMOVED, "Detail": "x" * 200}, {"Decision": "perhaps"}, {}][number % 4]
    rows[5]["Version"] = rows[4]["Version"] = "vsomethingelse"
    Patient.objects.filter(nhs_number=rows[8]["NHS number"]).update(death_status="FORMAL")

    def send(some: list[dict[str, str]], name: str) -> None:
        file = tmp_path / name
        file.write_bytes(as_file(some, name.rpartition(".")[2]))
        page.goto(live_server.url + here)
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name="Check the file").press("Enter")
        page.get_by_role("heading", name="Check the file").wait_for()

    send(rows, "list.xlsx")
    axe(page)
    page.get_by_role("button", name="Confirm").press("Enter")
    page.get_by_text("together").first.wait_for()
    axe(page)  # the receipt
    page.get_by_role("button", name="Undo all").press("Enter")
    page.get_by_text("are to be reviewed").first.wait_for()
    axe(page)
    send([row | {"Decision": ""} for row in rows], "list.csv")
    axe(page)  # nothing to do
    send(rows[2:3], "list.csv")
    axe(page)  # nothing but a problem
    page.get_by_role("button", name="Discard the file").press("Enter")
    page.get_by_text("the file is gone").wait_for()
    axe(page)

    PracticeList.objects.filter(pk=cast.practice_list.pk).update(submitted_at=NOW, submitted_by=cast.gp.user)
    client.force_login(cast.staff.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(live_server.url + here)
    page.get_by_text("Only a GP can change it now.").wait_for()
    axe(page)
    ListEntry.objects.filter(practice_list=cast.practice_list).update(review_state="LAPSED", is_on_list=False)
    page.goto(live_server.url + here)
    page.get_by_text("there is nothing to download").wait_for()
    axe(page)
