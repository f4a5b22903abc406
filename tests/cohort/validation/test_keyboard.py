"""People decided by keyboard alone, in a real browser; one person's review is accessible in every state."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cohort.actions.amendments import amend
from cohort.actions.decisions import confirm, remove
from cohort.actions.questions import ask
from cohort.amending import Detail
from cohort.models import ListEntry, Patient, RemovalDraft, ReviewQuery
from cohort.queries.amendments import fingerprint
from cohort.queries.review import version
from cohort.rules import RemovalReason
from tests.browser import axe, browser, page
from tests.cohort.factories import NOW, Cast, ListEntryFactory, make_cast
from tests.cohort.validation.conftest import HUGO

__all__ = ["axe", "browser", "page"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


@pytest.fixture
def sit_down(cast: Cast, client: Client, live_server: Any, page: Any) -> Callable[[Patient], str]:
    """Returns a function that signs the GP in and opens somebody's page; gives its address."""
    client.force_login(cast.gp.user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])

    def _open(patient: Patient) -> str:
        address = reverse("cohort:person", args=[cast.practice_list.pk, patient.pk])
        page.goto(address)
        page.locator(".app-keys-on").wait_for(state="attached")
        return address

    return _open


def entry_of(patient: Patient) -> ListEntry:
    return ListEntry.objects.get(pk=patient.pk)


def picture(page: Any, name: str) -> None:
    """Keeps a picture of the window where somebody wants to look: set PICTURES to a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_five_people_are_decided_by_single_keys_alone(
    cast: Cast, page: Any, sit_down: Callable[[Patient], str], axe: Callable[[Any], None]
) -> None:
    people = [
        ListEntryFactory(practice_list=cast.practice_list, patient__family_name=f"Zed{number}").patient
        for number in range(3)
    ]
    sit_down(cast.amina)
    page.keyboard.press("c")
    page.get_by_text("Amina Khan: confirmed").wait_for()
    assert page.evaluate("document.activeElement.className").startswith("nhsuk-notification-banner")
    picture(page, "banner")

    page.get_by_role("heading", level=1, name="Bob Marsh").wait_for()
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.keyboard.press("3")
    page.keyboard.press("n")
    picture(page, "removing")
    axe(page)
    page.keyboard.press("Enter")
    page.get_by_text("Bob Marsh: removed (they have the condition but are not at high risk)").wait_for()
    assert entry_of(cast.bob).is_patient_told is False

    page.keyboard.press("u")
    page.get_by_text("Undone: Bob Marsh is back").wait_for()
    page.keyboard.press("r")
    page.keyboard.press("6")
    assert page.evaluate("document.activeElement.id") == "id_detail"
    page.keyboard.type("cq? u sure, not r")  # letters typed in a field are no shortcuts
    page.get_by_text("Kept, and not sent yet.").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("y")
    page.get_by_label("Who told them?").wait_for()
    picture(page, "told")
    page.keyboard.press("Enter")
    page.get_by_text("Bob Marsh: removed (another reason)").wait_for()
    assert entry_of(cast.bob).removal_detail == "cq? u sure, not r"
    assert not RemovalDraft.objects.exists()

    page.get_by_role("heading", level=1, name="Zed0").wait_for()
    page.keyboard.press("q")
    assert page.evaluate("document.activeElement.name") == "question"
    page.keyboard.type("Is she still on ciclosporin?")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Saved: you asked anybody at the practice about").wait_for()
    assert ReviewQuery.objects.get().question == "Is she still on ciclosporin?"
    assert entry_of(people[0]).review_state == "TO_REVIEW"

    page.get_by_role("heading", level=1, name="Zed1").wait_for()
    page.keyboard.press("s")
    page.get_by_role("heading", level=1, name="Zed2").wait_for()
    page.keyboard.press("k")
    page.get_by_role("heading", level=1, name="Zed1").wait_for()
    page.keyboard.press("j")
    page.get_by_role("heading", level=1, name="Zed2").wait_for()
    page.keyboard.press("c")
    page.get_by_role("heading", level=1, name="Zed1").wait_for()
    page.keyboard.press("c")
    page.get_by_text("Zed1: confirmed").wait_for()
    assert not [p for p in (cast.amina, *people[1:]) if entry_of(p).review_state != "CONFIRMED"]


def test_back_goes_as_far_as_somebody_went_and_each_decision_is_undone_by_its_key(
    cast: Cast, page: Any, sit_down: Callable[[Patient], str]
) -> None:
    people = [cast.amina, cast.bob]
    for number in range(2):
        people.append(ListEntryFactory(practice_list=cast.practice_list, patient__family_name=f"Zed{number}").patient)
    sit_down(people[0])
    for key, name in (("c", "Bob Marsh"), ("s", "Zed0"), ("c", "Zed1"), ("c", "Bob Marsh")):
        page.keyboard.press(key)
        page.get_by_role("heading", level=1, name=name).wait_for()
    page.keyboard.press("c")
    page.get_by_text("Everybody has been reviewed").wait_for()
    assert not ListEntry.objects.filter(pk__in=[each.pk for each in people]).exclude(review_state="CONFIRMED").exists()

    # The last of the list is undone where it leads to.
    page.keyboard.press("u")
    page.get_by_text("Undone: Bob Marsh is back").wait_for()
    assert entry_of(cast.bob).review_state == "TO_REVIEW"
    # Skipped and decided alike are gone back to, one by one.
    page.keyboard.press("k")
    page.get_by_role("heading", level=1, name="Zed1").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Zed1 is back").wait_for()
    for name in ("Zed0", "Bob Marsh", "Amina Khan"):
        page.keyboard.press("k")
        page.get_by_role("heading", level=1, name=name).wait_for()
    page.keyboard.press("u")
    page.get_by_text("Undone: Amina Khan is back").wait_for()
    page.keyboard.press("k")
    page.get_by_role("heading", level=1, name="Search of").wait_for()
    states = {each.family_name: entry_of(each).review_state for each in people}
    assert [states[name] for name in ("Khan", "Marsh", "Zed0", "Zed1")] == ["TO_REVIEW"] * 2 + [
        "CONFIRMED",
        "TO_REVIEW",
    ]


def test_the_cheat_sheet_opens_by_a_key_and_the_keys_are_switched_off_for_good(
    cast: Cast, page: Any, sit_down: Callable[[Patient], str], axe: Callable[[Any], None]
) -> None:
    address = sit_down(cast.amina)
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    picture(page, "dialog")
    axe(page)
    page.keyboard.press("c")  # behind the dialog nothing is decided
    page.keyboard.press("Escape")
    assert entry_of(cast.amina).review_state == "TO_REVIEW"
    page.keyboard.press("?")
    page.get_by_role("button", name="Switch them off").press("Enter")
    page.get_by_text("are switched off").wait_for()
    assert page.url.endswith(address)
    page.keyboard.press("c")
    page.keyboard.press("?")
    page.wait_for_timeout(300)
    assert page.get_by_role("dialog").count() == 0
    assert entry_of(cast.amina).review_state == "TO_REVIEW"
    page.goto(reverse("cohort:keys"))
    axe(page)
    page.get_by_role("button", name="Switch them on").press("Enter")
    page.get_by_text("Single keys are on").wait_for()


def test_a_removal_half_written_is_there_after_leaving_the_page(
    cast: Cast, page: Any, sit_down: Callable[[Patient], str]
) -> None:
    address = sit_down(cast.bob)
    page.keyboard.press("r")
    page.keyboard.press("6")
    page.keyboard.type("Waiting for the clinic")
    page.keyboard.press("Tab")
    page.keyboard.press("s")  # leaves at once, before the pause in which it is kept
    page.get_by_role("heading", level=1, name="Amina Khan").wait_for()
    page.goto(address)
    page.get_by_text("Half written").wait_for()
    assert page.get_by_label("Detail").input_value() == "Waiting for the clinic"
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_every_state_of_a_persons_page_is_accessible(
    cast: Cast,
    page: Any,
    sit_down: Callable[[Patient], str],
    axe: Callable[[Any], None],
    register: Callable[..., None],
) -> None:
    long_name = {"given_name": "Wolfeschlegelsteinhausen" * 2, "family_name": "Bergerdorff" * 3}
    Patient.objects.filter(pk=cast.bob.pk).update(**long_name)
    bob = Patient.objects.get(pk=cast.bob.pk)
    changes = {
        Detail.MOBILE: {"mobile": "07700900999"},
        Detail.UNSAFE_CHANNELS: {"unsafe_channels": ["LETTER"]},
        Detail.SAFE_CONTACT: {"safe_contact_instruction": "Ring at noon only, and ask for the gardener. " * 5},
        Detail.FORMATS: {"formats_needed": ["BRAILLE", "LARGE_PRINT"]},
        Detail.LANGUAGE: {"language": "bfi"},
    }
    amend(patient_id=bob.pk, changes=changes, by=cast.gp, at=NOW, seen=fingerprint(bob))
    ask(patient_id=bob.pk, question="Is this right?", to=cast.gp.user_id, by=cast.staff, at=NOW)
    ListEntry.objects.filter(pk=cast.amina.pk).update(
        recheck="REASON_NEW", recheck_at=NOW, review_state="CONFIRMED", reviewed_at=NOW, reviewed_by=cast.gp.user
    )
    address = sit_down(bob)
    picture(page, "amended")
    axe(page)
    query = ReviewQuery.objects.get()
    here = [cast.practice_list.pk, bob.pk]
    for url in (
        reverse("cohort:person", args=[cast.practice_list.pk, cast.amina.pk]),
        reverse("cohort:questions"),
        reverse("cohort:answer", args=[query.pk]),
        reverse("cohort:ask", args=here),
        reverse("cohort:amend", args=here),
        reverse("cohort:every_rule", args=here),
        reverse("cohort:to_tell", args=[cast.practice_list.pk]),
        reverse("cohort:keys"),
    ):
        page.goto(url)
        axe(page)
    picture(page, "keys")

    page.goto(reverse("cohort:amend", args=here))
    picture(page, "amend")
    page.get_by_label("Address line 1").fill("@home")
    page.get_by_label("Postcode").fill("nowhere")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_role("heading", name="There is a problem").wait_for()
    picture(page, "amend-errors")
    axe(page)
    for name in ("cohort:ask", "cohort:answer"):
        page.goto(reverse(name, args=here if name == "cohort:ask" else [query.pk]))
        page.locator("main button").press("Enter")
        page.get_by_role("heading", name="There is a problem").wait_for()
        axe(page)

    page.goto(address)
    seen = version(entry_of(bob))
    remove(
        entry_id=bob.pk,
        reason=RemovalReason.LOW_RISK,
        detail="",
        is_patient_told=False,
        by=cast.staff,
        at=NOW,
        seen=seen,
    )
    page.keyboard.press("c")
    page.get_by_text("Your decision was not saved").wait_for()
    picture(page, "changed")
    axe(page)
    page.goto(reverse("cohort:to_tell", args=[cast.practice_list.pk]))
    picture(page, "to-tell")
    axe(page)
    page.get_by_role("link", name="Mark as told").press("Enter")
    axe(page)
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("Everybody removed from this list has been told.").wait_for()
    axe(page)
    ListEntry.objects.filter(pk=bob.pk).update(recheck="HOSPITAL_DISAGREES", recheck_at=NOW)
    page.goto(address)
    picture(page, "removed-again")
    axe(page)

    register(cast.practice)
    page.goto(reverse("cohort:add"))
    page.get_by_label("NHS number").fill(HUGO)
    for part, text in (("Day", "9"), ("Month", "1"), ("Year", "1970")):
        page.get_by_label(part, exact=True).fill(text)
    page.get_by_role("button", name="Find the person").press("Enter")
    page.get_by_text("Is this who you mean?").wait_for()
    axe(page)
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_role("heading", name="There is a problem").wait_for()
    picture(page, "add")
    axe(page)
    page.get_by_label("Vulnerable: only record it").press("Space")
    page.get_by_label("Why are they at risk?").fill("Frail")
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("Recorded as vulnerable (1)").wait_for()
    axe(page)


def test_on_a_phone_the_decision_stays_in_reach_and_hides_nothing_focused(
    cast: Cast, page: Any, sit_down: Callable[[Patient], str]
) -> None:
    page.set_viewport_size({"width": 390, "height": 700})
    sit_down(cast.amina)
    picture(page, "phone")
    bar = page.locator(".app-decide")
    box = bar.bounding_box()
    assert box["y"] + box["height"] <= 701
    page.keyboard.press("r")
    picture(page, "phone-removing")
    for _ in range(4):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.getBoundingClientRect().bottom")
        is_in_bar = page.evaluate("!!document.activeElement.closest('.app-decide')")
        assert is_in_bar or focused <= bar.bounding_box()["y"] + 1
    page.get_by_role("button", name="Confirm: at high risk").click()
    page.get_by_text("Amina Khan: confirmed").wait_for()


def test_of_two_at_one_person_the_second_sees_what_the_first_decided_and_leaves_it(
    cast: Cast, page: Any, sit_down: Callable[[Patient], str]
) -> None:
    sit_down(cast.bob)
    confirm(entry_id=cast.bob.pk, by=cast.staff, at=NOW, seen=version(entry_of(cast.bob)))
    page.keyboard.press("r")
    page.keyboard.press("1")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.get_by_text("Sam Hill decided about this person").wait_for()
    assert "You were about to remove them" in page.inner_text("main")
    assert entry_of(cast.bob).review_state == "CONFIRMED"
    page.get_by_role("link", name="Leave it and go to the next person").press("Enter")
    page.get_by_role("heading", level=1, name="Amina Khan").wait_for()
