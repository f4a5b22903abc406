"""From the practice's list to the council: a GP, a coordinator and council staff at work in a browser."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from shielding.demo.cast import CAST
from shielding.demo.people import nhs_number
from tests.browser import arrive
from tests.journeys.conftest import Country

pytestmark = pytest.mark.journey

SignIn = Callable[..., Page]
PEOPLE = {role.given_name: role for role in CAST}
NUMBERS = {role.given_name: nhs_number(number) for number, role in enumerate(CAST)}
SWEEP_MS = 75_000


def full_name(given_name: str) -> str:
    return f"{given_name} {PEOPLE[given_name].family_name}"


def open_list(page: Page) -> None:
    page.goto("/lists/")
    page.locator("main").get_by_role("link", name="Search of").first.click()
    arrive(page, "Search of")


def open_person(page: Page, given_name: str) -> None:
    """Opens somebody of the cast from the practice's list, as whoever looks for a name finds them."""
    open_list(page)
    page.get_by_role("searchbox", name="Name").fill(PEOPLE[given_name].family_name)
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("link", name=f"{PEOPLE[given_name].family_name}, {given_name}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(full_name(given_name))


def take(page: Page, pictures: Path, name: str) -> None:
    page.mouse.move(0, 0)
    page.screenshot(path=pictures / f"{name}.png")


def test_practice_staff_decide_without_javascript(sign_in: SignIn) -> None:
    # Given a browser without JavaScript
    page = sign_in("Practice staff", javascript=False)
    # When practice staff confirm the first person on their list
    open_list(page)
    page.locator("table tbody a").first.click()
    page.get_by_role("button", name="Confirm: at high risk").click()
    # Then it is done, and can be undone
    expect(page.locator("main")).to_contain_text(": confirmed")
    page.get_by_role("button", name="Undo").first.click()
    expect(page.locator("main")).not_to_contain_text(": confirmed")


def test_from_the_practices_list_to_the_council(
    country: Country, sign_in: SignIn, pictures: Path, axe: Callable[[Page], None]
) -> None:
    # Given a list with Amina and Bob to review, when their GP reads why they are on it
    gp = sign_in("GP")
    open_person(gp, "Amina")
    expect(gp.get_by_text("Prednisolone").first).to_be_visible()
    axe(gp)
    take(gp, pictures, "person")

    # and confirms Amina
    gp.get_by_role("button", name="Confirm: at high risk").click()
    expect(gp.get_by_text(f"{full_name('Amina')}: confirmed")).to_be_visible()

    # and removes Bob, who has been told
    open_person(gp, "Bob")
    gp.get_by_text("Remove from the list").click()
    gp.get_by_role("button", name="Remove", exact=True).click()
    expect(gp.get_by_role("alert")).to_contain_text("Select why you are removing them")
    axe(gp)
    gp.get_by_label("They have the condition but are not at high risk").check()
    gp.get_by_role("group", name="Has a clinician told them?").get_by_label("Yes").check()
    gp.get_by_role("button", name="Remove", exact=True).click()
    expect(gp.get_by_text(f"{full_name('Bob')}: removed")).to_be_visible()

    # and adds Hugo, whose medicine only the hospital knows of, once she has seen that it is he
    open_list(gp)
    gp.get_by_role("button", name="Add a person").click()
    hugo = PEOPLE["Hugo"]
    number = NUMBERS["Hugo"]
    gp.get_by_label("NHS number").fill(f"{number[:3]} {number[3:6]} {number[6:]}")
    gp.get_by_label("Day").fill(str(hugo.birth_date.day))
    gp.get_by_label("Month").fill(str(hugo.birth_date.month))
    gp.get_by_label("Year").fill(str(hugo.birth_date.year))
    gp.get_by_role("button", name="Find the person").click()
    expect(gp.locator("main")).to_contain_text(full_name("Hugo"))
    gp.get_by_label("High risk: put them on the list").check()
    gp.get_by_label("Why are they at risk?").fill("Rituximab, prescribed by the hospital only")
    gp.get_by_role("button", name="Save").click()
    expect(gp.locator("main")).to_contain_text(f"{full_name('Hugo')}: added")

    # then confirms whoever is left, page by page, and signs the list off
    open_list(gp)
    take(gp, pictures, "list")
    while gp.get_by_role("link", name="Select everybody on this page").count():
        gp.get_by_role("link", name="Select everybody on this page").click()
        gp.get_by_role("button", name="Confirm those selected").click()
        expect(gp.locator("h1")).to_contain_text("confirmed")
        open_list(gp)
    while gp.get_by_role(
        "button", name=re.compile("reviewing")
    ).count():  # nobody reported dead is confirmed with others
        gp.get_by_role("button", name=re.compile("reviewing")).click()
        gp.get_by_role("button", name="Confirm: at high risk").click()
        expect(gp.locator("main")).to_contain_text(": confirmed")
        open_list(gp)
    gp.get_by_role("button", name="Sign off the list").click()
    gp.get_by_role("button", name="Sign off the list").click()
    expect(gp.get_by_text("Receipt number")).to_be_visible()
    assert full_name("Charlie") not in gp.content()

    # When the sweeper has given Amina a coordinator, then her coordinator finds her, new, in the caseload
    coordinator = sign_in("Care coordinator")
    expect(coordinator.get_by_role("heading", level=1)).to_be_visible()
    coordinator.goto("/caseload/")
    coordinator.get_by_role("searchbox", name="Find by name").fill("Amina")
    coordinator.get_by_role("button", name="Find by name").click()
    expect(coordinator.get_by_text("Only people with a name that begins with “Amina”")).to_be_visible()
    for _ in range(SWEEP_MS // 1000):
        coordinator.goto("/caseload/")
        if coordinator.get_by_role("link", name=full_name("Amina")).count():
            break
        coordinator.wait_for_timeout(1000)
    coordinator.get_by_role("link", name=full_name("Amina")).click()

    # and when they speak and she needs food
    coordinator.get_by_label("Spoke to the person").check()
    coordinator.get_by_role("group", name="Was it safe for them to talk?").get_by_label("Yes").check()
    coordinator.get_by_label("Food", exact=True).check()
    coordinator.get_by_role("button", name="Log check-in").click()
    expect(coordinator.get_by_text("Check-in logged.")).to_be_visible()
    axe(coordinator)
    take(coordinator, pictures, "check-in")

    # then her council, and no other, can download the referral
    council = sign_in("Local authority")
    council.goto("/referrals/")
    axe(council)
    take(council, pictures, "referrals")
    with council.expect_download() as download:
        council.get_by_role("button", name="Download open referrals").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert any(full_name("Amina").split()[1] in row for row in rows)
    assert not any("asthma" in cell.lower() for row in rows for cell in row)

    # and accepts it, and closes it with what was done
    council.goto("/referrals/")
    council.get_by_role("link", name=full_name("Amina")).first.click()
    referral = council.url
    council.get_by_role("button", name="Accept this referral").click()
    council.goto(referral)
    council.get_by_label("What was done?").fill("Weekly food box from Tuesday")
    council.get_by_role("button", name="Close this referral").click()
    expect(council.get_by_text("Referral closed.")).to_be_visible()

    # and her coordinator can read what the council did
    coordinator.reload()
    expect(coordinator.get_by_text("Weekly food box from Tuesday")).to_be_visible()

    # Then everybody is accounted for, Bob among the removed
    operator = sign_in("Central operator")
    operator.goto("/ledger/")
    expect(operator.get_by_text("It adds up")).to_be_visible()
    axe(operator)
    take(operator, pictures, "ledger")
    ledger = json.loads(country.manage("ledger", "--json").splitlines()[-1])
    assert ledger["adds_up"]
    assert ledger["added"] == 1
    assert ledger["referrals"]["CLOSED"] >= 1


@pytest.mark.parametrize("path", ["/", "/ledger/", "/extracts/", "/searches/", "/batches/"])
def test_operators_pages_are_accessible(path: str, sign_in: SignIn, axe: Callable[[Page], None]) -> None:
    page = sign_in("Central operator")
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    axe(page)


@pytest.mark.parametrize("role", ["GP", "Care coordinator", "Local authority", "Administrator"])
def test_no_other_role_reaches_the_operators_pages(role: str, sign_in: SignIn) -> None:
    page = sign_in(role)
    for path in ("/ledger/", "/extracts/", "/searches/", "/batches/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403
