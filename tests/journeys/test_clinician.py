"""A clinician edits, counts, tests, has a colleague sign off and publishes a criterion; the next search uses it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Country

pytestmark = pytest.mark.journey

SEARCH_SECONDS = 120


def number(text: str) -> int:
    return int(text.strip().replace(",", ""))


def test_a_criterion_is_changed_and_the_next_search_uses_it(
    country: Country, sign_in: Callable[..., Page], axe: Callable[[Page], None]
) -> None:
    # Given severe asthma in force, asking for 4 dispensings, when a clinician drafts a change
    clinician = sign_in("Central clinician")
    clinician.get_by_role("link", name="Criteria").first.click()
    clinician.locator("main").get_by_role("link", name="Respiratory (severe asthma)", exact=True).click()
    expect(clinician.get_by_text("Version 1, in force")).to_be_visible()
    clinician.get_by_role("button", name="Draft a change").click()

    # and asks for 3
    clinician.get_by_role("link", name="Change “Prednisolone dispensed”").click()
    clinician.get_by_label("How many at least").fill("3")
    clinician.get_by_label("Why so many").fill("")
    clinician.get_by_role("button", name="Save").click()
    expect(clinician.get_by_role("alert")).to_contain_text("must say why this number")
    axe(clinician)
    clinician.get_by_label("Why so many").fill("Scotland's rule of 2020 asked for 3")
    clinician.get_by_role("button", name="Save").click()
    expect(clinician.get_by_text("records on 3 or more different days").first).to_be_visible()

    # then the whole extract is counted while they look on: nobody is lost, Ivy and people like her are gained
    clinician.get_by_role("button", name="Count it").click()
    beside = clinician.get_by_role("heading", name="How many people").locator("..")
    expect(beside).to_contain_text("gained and 0 lost against the")
    gained = number(beside.inner_text().split("+")[1].split(" gained")[0])
    assert gained > 0
    clinician.get_by_role("link", name="By clause, age, sex and area").click()
    expect(clinician.get_by_role("table", name="By integrated care system")).to_be_visible()
    clinician.get_by_role("link", name="The draft").click()

    # When an example person says otherwise, then it cannot be proposed
    expect(clinician.get_by_text("Fails").first).to_be_visible()
    clinician.get_by_label("What changes, and why").fill("Three dispensings are enough")
    clinician.get_by_role("button", name="Propose for sign-off").click()
    expect(clinician.get_by_role("alert")).to_contain_text("expected not on the list, but")
    axe(clinician)
    while (failing := clinician.locator(".app-cases li", has_text="Fails")).count():
        draft = clinician.url.split("propose/")[0]
        failing.first.get_by_role("link").click()
        clinician.locator("summary", has_text="Take this example out").click()
        clinician.get_by_label("Why take them out?").fill("Three are enough now")
        clinician.get_by_role("button", name="Take out").click()
        clinician.goto(draft)

    # When they add one of their own, and propose it
    clinician.get_by_role("link", name="Add an example person").click()
    clinician.get_by_label("Name of the example").fill("Nobody's records")
    clinician.get_by_role("group", name="Should they meet the criterion?").get_by_label("No", exact=True).check()
    clinician.get_by_label("Why", exact=True).fill("Without an inhaler nobody is found")
    born = clinician.get_by_role("group", name="Date of birth")
    for part, text in (("Day", "1"), ("Month", "2"), ("Year", "1960")):
        born.get_by_label(part).fill(text)
    clinician.get_by_label("Female").check()
    clinician.get_by_role("button", name="Add the example").click()
    expect(clinician.get_by_text("Example person added")).to_be_visible()
    clinician.get_by_label("What changes, and why").fill("Three dispensings are enough")
    clinician.get_by_role("button", name="Propose for sign-off").click()
    expect(clinician.get_by_text("another clinician must sign it off")).to_be_visible()

    # and a second clinician signs it off and publishes it
    second = sign_in("Second clinician")
    second.goto(clinician.url)
    second.get_by_label("Yes, I have read it and approve it").check()
    second.get_by_role("button", name="Save my answer").click()
    expect(second.get_by_text("It can be published now")).to_be_visible()
    second.get_by_role("button", name="Publish").click()
    expect(second.get_by_text("Published: Respiratory (severe asthma) version 2")).to_be_visible()
    second.locator("main a", has_text="what differs from version 1").click()
    expect(second.locator("ins")).to_contain_text("records on 3 or more different days")

    # When the operator runs the search, then its difference page tells the same people gained
    operator = sign_in("Central operator")
    operator.goto("/searches/")
    operator.get_by_label("Why records older than the limit").fill("The demo's records are as they are")
    operator.get_by_role("button", name="Start the search").click()
    for _ in range(SEARCH_SECONDS):
        if operator.get_by_text("Finished", exact=True).count():
            break
        operator.wait_for_timeout(1000)
        operator.reload()
    operator.get_by_role("link", name="What changed since the search before").click()
    asthma = operator.locator("main tr", has_text="Respiratory (severe asthma)").first
    expect(asthma).to_contain_text(f"{gained:,}")
    axe(operator)
