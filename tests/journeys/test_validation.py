"""A practice validates 100 people by keyboard alone, and 100 without JavaScript; the facts then say what they did.

How long it took, and how many keys, is in the report: `pytest --junitxml`.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cohort.models import ListEntry, ListFact, ListSignOff, ReviewQuery
from cohort.rules import FactSource, RemovalReason, Request, ReviewState
from shielding.accounts.models import Membership
from shielding.ledger import ledger
from tests.browser import PATIENCE, arrive
from tests.cohort.factories import PASSWORD, Cast, fill_list, make_cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PEOPLE = 100
#: Tab is pressed no oftener than this to reach something on a page that says where to start.
TABS = 40


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """The cast, with 100 people to review at the first practice."""
    cast = make_cast()
    fill_list(cast.practice_list, PEOPLE - 2)
    for member in (cast.gp, cast.staff):
        member.user.set_password(PASSWORD)
        member.user.save()
    return cast


@pytest.fixture
def sit_down(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """A function that opens Shielding in a window of its own, where nobody is signed in yet."""
    contexts = []

    def _sit_down(*, javascript: bool = True) -> Page:
        context = browser.new_context(base_url=live_server.url, locale="en-GB", java_script_enabled=javascript)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto("/")
        return page

    yield _sit_down
    for context in contexts:
        context.close()


@dataclass
class Keyboard:
    """Somebody at a keyboard without a mouse: counts the keys they press."""

    page: Page
    pressed: int = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.pressed += len(text)

    def leave_by(self, *keys: str) -> None:
        """Presses keys of which the last opens another page, and waits until that page listens."""
        self.press(*keys[:-1])
        with self.page.expect_navigation():
            self.press(keys[-1])
        self.page.wait_for_load_state()

    def tab_to(self, target: Locator) -> None:
        for _ in range(TABS):
            self.press("Tab")
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{TABS} tabs do not lead to {target}")

    def follow(self, role: Any, name: str) -> None:
        """Goes to a link or button by Tab and presses it."""
        self.tab_to(self.page.get_by_role("main").get_by_role(role, name=name).first)
        self.leave_by("Enter")

    def sign_in(self, who: Membership) -> None:
        self.tab_to(self.page.get_by_label("E-mail address"))
        self.write(who.user.email)
        self.tab_to(self.page.get_by_label("Password", exact=True))
        self.write(PASSWORD)
        self.leave_by("Enter")


def whose_page(page: Page) -> str:
    """Returns whose page it is; the caption above the name says how many are left."""
    expect(page.locator("html.app-keys-on")).to_be_attached()
    return page.locator("h1").inner_text().splitlines()[-1].strip()


def practice_facts(cast: Cast) -> Counter[str]:
    """Counts what the practice has said, by request; what it took back counts too, as WITHDRAWN."""
    facts = ListFact.objects.filter(source=FactSource.GP, patient__practice=cast.practice)
    return Counter(fact.request or "WITHDRAWN" for fact in facts)


def check_what_is_left_behind(cast: Cast, *, confirmed: int, removed: int, not_told: int, facts: Counter[str]) -> None:
    """Checks that everybody is decided and signed off by the GP, and that the facts and the ledger say so too."""
    entries = ListEntry.objects.filter(practice_list=cast.practice_list)
    assert Counter(entries.values_list("review_state", flat=True)) == {
        ReviewState.CONFIRMED: confirmed,
        ReviewState.REMOVED: removed,
    }
    assert entries.filter(is_on_list=True).count() == confirmed
    assert entries.filter(is_patient_told=False).exclude(removal_reason=RemovalReason.DIED).count() == not_told
    assert practice_facts(cast) == facts
    cast.practice_list.refresh_from_db()
    assert cast.practice_list.submitted_by == cast.gp.user
    signed_off = ListSignOff.objects.get()
    assert (signed_off.confirmed, signed_off.removed, signed_off.not_told) == (confirmed, removed, not_told)
    assert ListEntry.objects.get(pk=cast.charlie.pk).review_state == ReviewState.TO_REVIEW
    found = ledger()
    assert found.differences == []
    figures = ("flagged", "validated", "removed", "waiting_for_validation", "on_the_list_and_validated")
    assert [found.figures[name] for name in figures] == [PEOPLE + 1, PEOPLE, removed, 1, confirmed]


def test_a_practice_validates_100_people_by_keyboard_alone(
    cast: Cast, sit_down: Callable[..., Page], record_property: Callable[[str, object], None]
) -> None:
    # Given a GP with a list of 100 people, who touches no mouse
    began = time.monotonic()
    page = sit_down()
    gp = Keyboard(page)
    gp.sign_in(cast.gp)
    gp.follow("link", "list")
    gp.follow("link", "Search of")
    gp.follow("button", "Start reviewing")
    at_first_person = gp.pressed

    # When she decides about one after the other
    asked_about = skipped = ""
    seen = []
    while "/people/" in page.url:
        who = whose_page(page)
        seen.append(who)
        match len(seen):
            case 10 | 20 | 30:  # removed, and told
                gp.leave_by("r", "3", "y", "Enter")
            case 15 | 25:  # removed, and not told yet
                gp.leave_by("r", "1", "n", "Enter")
            case 35:  # removed for a reason of its own
                gp.press("r", "6")
                gp.write("Rule withdrawn by the clinic")
                gp.leave_by("Tab", "y", "Enter")
            case 45:  # confirmed too quickly, and taken back
                gp.leave_by("c")
                assert whose_page(page) != who
                gp.leave_by("u")
                assert whose_page(page) == who
                gp.leave_by("r", "3", "n", "Enter")
            case 55:  # asked about
                asked_about = who
                gp.press("q")
                gp.write("Is she still on azathioprine?")
                gp.press("Tab")
                gp.write("Sam")
                gp.leave_by("Tab", "Enter")
            case 65:  # left for later
                skipped = who
                gp.leave_by("s")
            case 75:  # back to look once more, and on
                gp.leave_by("k")
                gp.leave_by("j")
                assert whose_page(page) == who
                gp.leave_by("c")
            case _:
                gp.leave_by("c")
        assert len(seen) <= PEOPLE + 1, "the same people come again and again"
    for_people = gp.pressed - at_first_person

    # Then everybody was shown once, whoever was skipped again at the end, and one waits for an answer
    assert len(seen) == PEOPLE + 1
    assert len(set(seen)) == PEOPLE
    assert seen[-1] == skipped
    expect(page.locator("main")).to_contain_text("1 waits for the answer to a question")

    # When her colleague answers
    colleague_page = sit_down()
    colleague = Keyboard(colleague_page)
    colleague.sign_in(cast.staff)
    colleague.follow("link", "list")
    colleague.follow("link", "question")
    expect(colleague_page.locator("main")).to_contain_text("Is she still on azathioprine?")
    colleague.follow("link", "Answer")
    colleague.tab_to(colleague_page.get_by_label("answer"))
    colleague.write("Yes, since 2017.")
    colleague.leave_by("Tab", "Enter")
    assert ReviewQuery.objects.get().answered_by == cast.staff.user

    # and she reads the answer, confirms the last, and signs the list off
    gp.tab_to(page.get_by_role("link", name="All lists"))
    gp.leave_by("Enter")
    gp.follow("link", "Search of")
    gp.follow("button", "Carry on reviewing")
    assert whose_page(page) == asked_about
    expect(page.locator("main")).to_contain_text("Yes, since 2017.")
    gp.leave_by("c")
    gp.follow("button", "Sign off the list")
    gp.follow("button", "Sign off the list")
    expect(page.get_by_text("Receipt number")).to_be_visible()

    # Then it is all in the database, as decided
    check_what_is_left_behind(
        cast,
        confirmed=93,
        removed=7,
        not_told=3,
        facts=Counter({Request.ADD: 94, Request.REMOVE: 7, "WITHDRAWN": 1}),
    )
    reasons = ListEntry.objects.filter(review_state=ReviewState.REMOVED).values_list("removal_reason", flat=True)
    assert Counter(reasons) == {
        RemovalReason.LOW_RISK: 4,
        RemovalReason.CONDITION_NOT_PRESENT: 2,
        RemovalReason.OTHER: 1,
    }
    seconds = time.monotonic() - began
    record_property("keys for 100 people", for_people)
    record_property("keys with signing in, answering and signing off", gp.pressed + colleague.pressed)
    record_property("seconds", round(seconds, 1))
    assert for_people <= 220


def test_a_practice_validates_100_people_without_javascript(
    cast: Cast, sit_down: Callable[..., Page], record_property: Callable[[str, object], None]
) -> None:
    # Given a member of staff whose browser runs no scripts
    began = time.monotonic()
    page = sit_down(javascript=False)
    sign_in(page, cast.staff)
    page.get_by_role("main").get_by_role("link", name="list").first.click()
    page.get_by_role("main").get_by_role("link", name="Search of").click()
    arrive(page, "Search of")
    listing = page.url
    page.get_by_role("button", name="Start reviewing").click()
    expect(page).to_have_url(re.compile("/people/"))

    # When they decide about the first 20 one page after the other
    for number in range(1, 21):
        who = page.locator("h1").inner_text().splitlines()[-1].strip()
        if number == 4:  # a reason is asked for before anything is saved
            page.get_by_text("Remove from the list").click()
            page.get_by_role("button", name="Remove", exact=True).click()
            expect(page.get_by_role("alert")).to_contain_text("Select why you are removing them")
        if number in {4, 8}:
            if number == 8:
                page.get_by_text("Remove from the list").click()
            page.get_by_label("They do not have the condition").check()
            page.get_by_role("group", name="Has a clinician told them?").get_by_label("No, not yet").check()
            page.get_by_role("button", name="Remove", exact=True).click()
            expect(page.locator("main")).to_contain_text(f"{who}: removed")
        elif number == 12:  # a question to whoever knows
            page.locator("summary", has_text="Ask a colleague").click()
            page.get_by_label("What do you want to know?").fill("Is he under the clinic?")
            page.get_by_role("button", name="Ask", exact=True).click()
            expect(page.locator("main")).to_contain_text("Saved: you asked anybody at the practice")
        elif number == 16:  # decided and taken back
            page.get_by_role("button", name="Confirm: at high risk").click()
            page.get_by_role("button", name="Undo").first.click()
            expect(page.locator("h1")).to_contain_text(who)
            page.get_by_role("button", name="Confirm: at high risk").click()
        else:
            page.get_by_role("button", name="Confirm: at high risk").click()
            expect(page.locator("main")).to_contain_text(f"{who}: confirmed")

    # and about the other 80 together, page by page, leaving out one on each whom they then remove
    for ticked in (49, 30):
        page.goto(listing)
        page.get_by_role("link", name="Select everybody on this page").click()
        boxes = page.get_by_role("checkbox")
        expect(boxes).to_have_count(ticked + 1)
        boxes.first.uncheck()
        page.get_by_role("button", name="Confirm those selected").click()
        expect(page.locator("h1")).to_contain_text(f"{ticked} people confirmed together")
        expect(page.locator("tbody tr")).to_have_count(ticked)
    page.goto(listing)
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody a").click()
    page.get_by_text("Remove from the list").click()
    page.get_by_label("They have died").check()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("main")).to_contain_text("1 waits for the answer to a question")

    # and their GP answers, confirms, and signs off
    gp = sit_down(javascript=False)
    sign_in(gp, cast.gp)
    gp.goto(f"{listing}?tab=queries")
    gp.locator("tbody a").click()
    gp.get_by_role("link", name="Answer").click()
    gp.get_by_label("answer").fill("Yes, every month.")
    gp.get_by_role("button", name="Send the answer").click()
    expect(gp.locator("main")).to_contain_text("Yes, every month.")
    gp.goto(listing)
    gp.locator("tbody a").click()
    gp.get_by_role("button", name="Confirm: at high risk").click()
    expect(gp.locator("main")).to_contain_text(": confirmed")
    gp.goto(listing)
    gp.get_by_role("button", name="Sign off the list").click()
    gp.get_by_role("button", name="Sign off the list").click()
    expect(gp.get_by_text("Receipt number")).to_be_visible()

    # Then it is all in the database, as decided
    check_what_is_left_behind(
        cast,
        confirmed=97,
        removed=3,
        not_told=2,
        facts=Counter({Request.ADD: 98, Request.REMOVE: 3, "WITHDRAWN": 1}),
    )
    seconds = time.monotonic() - began
    record_property("seconds", round(seconds, 1))


def sign_in(page: Page, who: Membership) -> None:
    page.get_by_label("E-mail address").fill(who.user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
