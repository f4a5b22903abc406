"""The operator's pages of risk models: see what a list would do, then load it. No person is shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cohort.models import ListEntry, RiskList
from cohort.web import risk_models
from shielding.accounts.models import Membership
from tests.browser import axe, browser, page
from tests.cohort.factories import MembershipFactory
from tests.cohort.test_risk_models import AMINA, BOB, STRANGER, extract, operator, practice, row

__all__ = ["axe", "browser", "extract", "operator", "page", "practice"]
pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/risk-lists/"


@pytest.fixture
def signed_in(client: Client, operator: Membership, settings: Any, tmp_path: Path) -> Client:
    settings.RUN_FOLDER = tmp_path / "runs"
    client.force_login(operator.user)
    return client


def upload(client: Client, *rows: str, header: str = "nhs_number,model,version,date,flag", **more: Any) -> Any:
    content = "\n".join([header, *rows]).encode()
    file = SimpleUploadedFile("list.csv", content)
    return client.post(ADDRESS, {"file": file, **more}, follow=True)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def kept(settings: Any) -> list[Path]:
    return list((settings.RUN_FOLDER / "risk-lists").glob("*"))


def test_a_list_is_looked_at_then_loaded_and_the_file_is_gone(signed_in: Client, settings: Any) -> None:
    assert "No risk model's list has been loaded yet" in text(signed_in.get(ADDRESS)).replace("&#39;", "'")
    looked = upload(signed_in, row(AMINA), row(STRANGER))
    assert "Nothing has been changed yet" in text(looked)
    assert not ListEntry.objects.exists()
    loaded = signed_in.post(looked.redirect_chain[-1][0], {}, follow=True)
    assert "QCovid 1.0 loaded" in text(loaded)
    assert ListEntry.objects.get().is_on_list
    assert kept(settings) == []
    for shown in (looked, loaded):
        assert not any(number in text(shown) for number in (AMINA, STRANGER, "Amina"))
    assert "Loading it again would change nothing" in text(upload(signed_in, row(AMINA), row(STRANGER)))


def test_the_threshold_that_was_looked_at_is_the_one_that_is_loaded(signed_in: Client) -> None:
    header = "nhs_number,model,version,date,score"
    looked = upload(signed_in, row(AMINA, "0.5"), row(BOB, "0.4"), header=header, threshold="0.45")
    signed_in.post(looked.redirect_chain[-1][0].split("?")[0], {"threshold": "0.45"})
    assert RiskList.objects.get().threshold == 0.45
    assert ListEntry.objects.count() == 1


def test_wrong_lines_are_told_and_a_useless_list_is_refused(signed_in: Client, settings: Any) -> None:
    fine = [row(AMINA), *[row(BOB, "no")] * 18]
    told = text(upload(signed_in, *fine, row("12")))
    assert "is not 10 digits" in told
    assert "Nobody is withdrawn while lines are in error" in told
    refused = upload(signed_in, row("12"))
    assert refused.status_code == 422
    assert "No line can be used. Line 2: nhs_number is not 10 digits" in text(refused)
    assert len(kept(settings)) == 1
    binary = SimpleUploadedFile("list.csv", b"\x00\xff\xd8")
    assert signed_in.post(ADDRESS, {"file": binary}, follow=True).status_code == 422
    assert "There is a problem" in text(signed_in.post(ADDRESS, {}))


def test_lists_that_nobody_loads_are_not_kept(
    signed_in: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = upload(signed_in, row(AMINA))
    monkeypatch.setattr(risk_models, "KEPT_SECONDS", -1)
    upload(signed_in, row(BOB))
    assert len(kept(settings)) == 1
    assert signed_in.get(looked.redirect_chain[-1][0]).status_code == 404


def test_nobody_but_the_operator_sees_the_pages(client: Client) -> None:
    client.force_login(MembershipFactory().user)
    for address in (ADDRESS, f"{ADDRESS}00000000-0000-4000-8000-000000000000/"):
        assert client.get(address).status_code == 403
        assert client.post(address, {}).status_code == 403


def test_every_page_is_accessible_and_fits_a_phone(
    signed_in: Client, live_server: Any, page: Any, axe: Callable[[Any], None], tmp_path: Path
) -> None:
    page.context.add_cookies(
        [{"name": "sessionid", "value": signed_in.cookies["sessionid"].value, "url": live_server.url}]
    )
    file = tmp_path / "list.csv"
    fine = [row(AMINA, model="Population risk " * 6), *[row(BOB, "no", model="Population risk " * 6)] * 18]

    def look(name: str) -> None:
        for width in (1200, 320):
            page.set_viewport_size({"width": width, "height": 900})
            axe(page)
            page.screenshot(path=str(tmp_path / f"{name}-{width}.png"), full_page=True)

    def send(*rows: str) -> None:
        file.write_text("\n".join(["nhs_number,model,version,date,flag", *rows]))
        page.locator("input[type=file]").set_input_files(str(file))
        page.get_by_role("button", name="Check the list").press("Enter")

    page.goto(live_server.url + ADDRESS)
    look("empty")
    send(row("12"))
    page.get_by_role("heading", name="The list cannot be used").wait_for()
    look("refused")
    page.get_by_role("link", name="upload it again").click()
    send(*fine, row("12", model="Population risk " * 6))
    page.get_by_text("Nothing has been changed yet").wait_for()
    look("preview")
    page.get_by_role("button", name="Load the list").press("Enter")
    page.get_by_text("loaded", exact=False).first.wait_for()
    look("loaded")
