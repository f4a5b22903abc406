"""The operator's pages of one batch: its buttons in each state, its parts, and each letter as it was handed over."""

from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse
from pypdf import PdfReader

from cohort.rules import Channel
from letters.actions import batches
from letters.models import Batch, Message, PartialStop
from shielding.accounts.models import Role
from shielding.audit.models import ReadLog
from tests.cohort.factories import MembershipFactory, PracticeListFactory
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import states, work

pytestmark = pytest.mark.django_db

BUTTONS = ("Approve this batch", "Release 1 letter", "Pause this batch", "Resume this batch", "Stop this batch")


@pytest.fixture
def browser(mailing: Mailing, sign_in: Any) -> Any:
    return sign_in(mailing.operator)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def page(batch: Batch, name: str = "batch", *args: Any) -> str:
    return reverse(f"letters:{name}", args=[batch.id, *args])


def bring_to(state: str, mailing: Mailing) -> Batch:
    batch = mailing.plan()
    if state != "PLANNED":
        batches.approve_batch(batch_id=batch.id, by=mailing.second, at=NOON)
    if state not in ("PLANNED", "APPROVED"):
        batches.release_batch(batch_id=batch.id, by=mailing.operator, at=NOON)
    if state == "PAUSED":
        batches.pause_batch(batch_id=batch.id, by=mailing.operator)
    if state == "FINISHED":
        work()
    if state == "STOPPED":
        batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    return Batch.objects.get(pk=batch.pk)


@pytest.mark.parametrize(
    ("state", "tag", "buttons"),
    [
        ("PLANNED", "To be approved", {"Stop this batch"}),
        ("APPROVED", "Approved", {"Release 1 letter", "Stop this batch"}),
        ("RELEASED", "Going out", {"Pause this batch", "Stop this batch"}),
        ("PAUSED", "Paused", {"Resume this batch", "Stop this batch"}),
        ("FINISHED", "Finished", set()),
        ("STOPPED", "Stopped", set()),
    ],
)
def test_each_state_has_its_buttons(browser: Any, mailing: Mailing, state: str, tag: str, buttons: set[str]) -> None:
    validated()
    batch = bring_to(state, mailing)
    assert batch.state == state
    shown = text(browser.get(page(batch)))
    assert tag in shown
    assert {button for button in BUTTONS if f"{button} </button>" in shown} == buttons


def test_the_second_person_approves(mailing: Mailing, sign_in: Any) -> None:
    validated()
    batch = mailing.plan()
    browser = sign_in(mailing.second)
    assert "Approve this batch" in text(browser.get(page(batch)))
    shown = text(browser.post(page(batch, "approve"), follow=True))
    assert "Batch approved" in shown
    assert "Release 1 letter" in shown


@pytest.mark.parametrize(
    ("state", "name", "said"),
    [
        ("PLANNED", "release", "cannot be released"),
        ("PLANNED", "pause", "cannot be paused"),
        ("RELEASED", "resume", "cannot be released"),
        ("RELEASED", "approve", "cannot be approved"),
        ("STOPPED", "pause", "cannot be paused"),
        ("STOPPED", "try_again", "nothing in it can be tried again"),
    ],
)
def test_what_cannot_be_done_is_said(browser: Any, mailing: Mailing, state: str, name: str, said: str) -> None:
    validated()
    batch = bring_to(state, mailing)
    assert said in text(browser.post(page(batch, name), follow=True))


def test_a_batch_is_paused_and_resumed(browser: Any, mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    assert "Batch paused" in text(browser.post(page(batch, "pause"), follow=True))
    assert work() == 0
    assert "Batch resumed" in text(browser.post(page(batch, "resume"), follow=True))
    assert work() == 1


def test_a_plan_with_a_fallback_shows_both_channels_and_queues_both(browser: Any, mailing: Mailing) -> None:
    for details in ({}, {"postcode": ""}, {"death_status": "FORMAL"}):
        validated(**details)
    chosen = {"campaign": "first-advice", "channel": "LETTER-SMS"}
    shown = text(browser.get(reverse("letters:plan"), chosen))
    assert "1 text to people whom no letter reaches" in shown
    assert "The words of the letter" in shown
    assert "NHS, for Mill Lane Surgery" in shown
    browser.post(reverse("letters:plan"), chosen)
    batch = Batch.objects.get()
    assert (batch.channel, batch.fallback_channel) == ("LETTER", "SMS")
    assert states(batch) == {"WAITING": 2, "HELD": 2}
    mailing.release(batch)
    work()
    shown = text(browser.get(page(batch)))
    assert "2 of 2 messages handed over" in shown
    assert "2 (1 letter, 1 text)" in shown
    assert "1 whom the letter does not reach" in shown


def test_a_plan_needs_words_for_both_channels(browser: Any, mailing: Mailing) -> None:
    validated()
    mailing.campaign.__class__.objects.create(slug="wordless", name="Wordless")
    chosen = {"campaign": "wordless", "channel": "SMS-LETTER"}
    assert "There is no template for this text" in text(browser.get(reverse("letters:plan"), chosen))
    assert "There is no template called wordless-sms" in text(browser.post(reverse("letters:plan"), chosen))


def test_a_part_is_stopped_with_its_counts(browser: Any, mailing: Mailing) -> None:
    one, other = PracticeListFactory(), PracticeListFactory()
    validated(practice_list=one, practice=one.practice)
    validated(practice_list=other, practice=other.practice)
    batch = mailing.released()
    assert "Stop a part" in text(browser.get(page(batch, "stop_part")))
    asked = {"kind": "PRACTICE", "practice": one.practice.code.lower(), "reason": "Wrong phone number"}
    shown = text(browser.post(page(batch, "stop_part"), asked, follow=True))
    assert f"{one.practice.name} ({one.practice.code}): 1 stopped, 0 had been handed over already" in shown
    assert "Wrong phone number" in shown
    assert states(batch) == {"STOPPED": 1, "WAITING": 1}
    assert "Nothing is left to stop" in text(browser.post(page(batch, "stop_part"), asked)) or "Nobody" in text(
        browser.post(page(batch, "stop_part"), asked)
    )
    assert PartialStop.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Choose whose are to be stopped"),
        ({"kind": "PRACTICE", "practice": "NONE", "reason": "Why"}, "Enter the code of a GP practice"),
        ({"kind": "GROUP", "reason": "Why"}, "Choose a disease group"),
        ({"kind": "GROUP", "group": "No such", "reason": "Why"}, "Choose a disease group"),
        ({"kind": "SOURCE", "reason": "Why"}, "Choose who put them on the list"),
        ({"kind": "SOURCE", "source": "PATIENT", "reason": " "}, "Say why you are stopping these"),
        ({"kind": "SOURCE", "source": "PATIENT", "reason": "Why"}, "Nobody in this batch belongs to"),
    ],
)
def test_a_part_that_is_not_said_well_is_asked_for_again(browser: Any, mailing: Mailing, asked: Any, said: str) -> None:
    validated()
    batch = mailing.released()
    answer = browser.post(page(batch, "stop_part"), asked)
    assert answer.status_code == 200
    assert said in text(answer)
    assert states(batch) == {"WAITING": 1}


def test_messages_are_listed_without_names_by_state_and_practice(browser: Any, mailing: Mailing) -> None:
    patient = validated(family_name="Khanweiler")
    validated(death_status="FORMAL")
    batch = mailing.released()
    work()
    everything = text(browser.get(page(batch, "batch_messages")))
    assert "2 messages" in everything
    assert "Khanweiler" not in everything
    assert "Has died" in everything
    held = text(browser.get(page(batch, "batch_messages"), {"state": "HELD"}))
    assert patient.messages.get().reference not in held
    code = patient.practice.code
    assert patient.messages.get().reference in text(browser.get(page(batch, "batch_messages"), {"practice": code}))
    assert "There is no GP practice" in text(browser.get(page(batch, "batch_messages"), {"practice": "NONE"}))
    assert "no such messages" in text(browser.get(page(batch, "batch_messages"), {"state": "FAILED"}))
    assert browser.get(page(batch, "batch_messages"), {"after": "x", "state": "NO"}).status_code == 200
    assert not ReadLog.objects.exists()


def test_messages_page_in_order(browser: Any, mailing: Mailing, monkeypatch: Any) -> None:
    monkeypatch.setattr("letters.web.views.MESSAGES_PER_PAGE", 2)
    for _ in range(3):
        validated()
    batch = mailing.plan()
    ids = sorted(str(id_) for id_ in Message.objects.values_list("id", flat=True))
    first = text(browser.get(page(batch, "batch_messages")))
    assert [id_ in first for id_ in ids] == [True, True, False] or f"{ids[2]}-1" not in first
    assert f"after={ids[1]}" in first
    second = text(browser.get(page(batch, "batch_messages"), {"after": ids[1]}))
    assert f"{ids[2]}-1" in second
    assert "First page" in second
    assert "Next page" not in second


def test_one_letter_is_read_as_it_was_handed_over_and_the_reading_is_logged(browser: Any, mailing: Mailing) -> None:
    patient = validated(given_name="Amina", family_name="Khan")
    batch = mailing.released()
    message = patient.messages.get()
    assert browser.get(page(batch, "letter", message.id)).status_code == 404
    work()
    answer = browser.get(page(batch, "letter", message.id))
    assert answer["Content-Type"] == "application/pdf"
    assert "Amina Khan" in PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    assert "no-store" in answer["Cache-Control"]
    log = ReadLog.objects.get()
    assert (log.what, [str(pk) for pk in log.patient_ids]) == ("letters:letter", [str(patient.pk)])


def test_a_text_and_another_batchs_letter_are_not_found(browser: Any, mailing: Mailing) -> None:
    patient = validated()
    letters, texts = mailing.released(), mailing.released(Channel.SMS)
    work()
    text_id = patient.messages.get(channel="SMS").id
    assert browser.get(page(texts, "letter", text_id)).status_code == 404
    assert browser.get(page(texts, "letter", patient.messages.get(channel="LETTER").id)).status_code == 404
    assert browser.get(page(letters, "letter", text_id)).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role != Role.CENTRAL_OPERATOR])
def test_other_roles_are_refused(mailing: Mailing, sign_in: Any, role: Role) -> None:
    patient = validated()
    batch = mailing.released()
    work()
    browser = sign_in(MembershipFactory(role=role))
    for name, args in (("stop_part", []), ("batch_messages", []), ("letter", [patient.messages.get().id])):
        assert browser.get(page(batch, name, *args)).status_code == 403
    for name in ("pause", "resume", "stop_part"):
        assert browser.post(page(batch, name)).status_code == 403
    assert not ReadLog.objects.exists()
