"""Whom the first channel does not reach gets the other one, and nobody gets both because of it."""

from typing import Any

import pytest

from cohort.models import Patient
from cohort.rules import Channel
from letters import queries
from letters.actions import batches, outbox
from letters.actions.receipts import record
from letters.models import Batch, Message
from letters.rules import DeliveryStatus
from letters.transports import Event
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import LATER, states, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(mailing: Mailing) -> Any:
    def plan(first: Channel = Channel.LETTER, then: Channel = Channel.SMS) -> Batch:
        return batches.plan_batch(campaign=mailing.campaign, channel=first, fallback=then, by=mailing.operator, at=NOON)

    return plan


def of(patient: Patient) -> dict[str, str]:
    return dict(patient.messages.values_list("channel", "state"))


NO_LETTER: list[dict[str, Any]] = [
    {"postcode": ""},
    {"no_fixed_abode": True},
    {"unsafe_channels": ["LETTER"]},
]
NOTHING: list[dict[str, Any]] = [
    {"death_status": "FORMAL"},
    {"is_restricted": True},
    {"asked_not_to_be_contacted": True},
]


@pytest.mark.parametrize("details", NO_LETTER)
def test_whom_no_letter_reaches_gets_a_text_in_the_same_batch(mailing: Mailing, plan: Any, details: Any) -> None:
    reached, unreached = validated(), validated(**details)
    batch = mailing.release(plan())
    assert (of(reached), of(unreached)) == ({"LETTER": "WAITING"}, {"LETTER": "HELD", "SMS": "WAITING"})
    work()
    assert (of(reached), of(unreached)) == ({"LETTER": "HANDED_OVER"}, {"LETTER": "HELD", "SMS": "HANDED_OVER"})
    batch.refresh_from_db()
    assert batch.state == "FINISHED"


@pytest.mark.parametrize("details", NOTHING)
def test_who_must_not_be_contacted_at_all_gets_neither(mailing: Mailing, plan: Any, details: Any) -> None:
    patient = validated(**details)
    mailing.release(plan())
    work()
    assert of(patient) == {"LETTER": "HELD"}


def test_whom_neither_reaches_is_held_until_one_does(mailing: Mailing, plan: Any) -> None:
    patient = validated(postcode="", mobile="")
    mailing.release(plan())
    work()
    assert of(patient) == {"LETTER": "HELD"}
    Patient.objects.filter(pk=patient.pk).update(mobile="07700900123")
    work()
    assert of(patient) == {"LETTER": "HELD", "SMS": "HANDED_OVER"}


@pytest.mark.parametrize(
    ("by_then", "then"),
    [
        ("WAITING", {"state": "STOPPED", "stop_asked": False}),
        ("MAKING", {"state": "STOPPED", "stop_asked": False}),
        ("RELEASED", {"state": "RELEASED", "stop_asked": True}),
        ("HANDED_OVER", {"state": "HANDED_OVER", "stop_asked": False}),
    ],
)
def test_a_late_delivery_stops_what_would_go_instead(
    mailing: Mailing, plan: Any, by_then: str, then: dict[str, Any]
) -> None:
    patient = validated()
    mailing.release(plan(Channel.SMS, Channel.LETTER))
    work()
    text = patient.messages.get()
    record([Event(text.reference, DeliveryStatus.FAILED, NOON)], at=NOON)
    outbox.sweep(at=NOON)
    letter = Message.objects.get(channel="LETTER")
    if by_then != "WAITING":
        claimed = outbox.claim(at=NOON)
        assert claimed
        if by_then != "MAKING":
            outbox.release(claimed=claimed, made=outbox.make(claimed.batch, claimed.message_ids), at=NOON)
        if by_then == "HANDED_OVER":
            work(LATER)
    record([Event(text.reference, DeliveryStatus.DELIVERED, NOON)], at=LATER)
    assert Message.objects.values("state", "stop_asked").get(pk=letter.pk) == then
    assert of(patient)["SMS"] == "HANDED_OVER"
    work(LATER)
    assert of(patient)["LETTER"] == ("HANDED_OVER" if by_then == "HANDED_OVER" else "STOPPED")


def test_a_mended_address_does_not_bring_a_letter_to_whoever_got_the_text(mailing: Mailing, plan: Any) -> None:
    patient = validated(postcode="")
    mailing.release(plan())
    work()
    Patient.objects.filter(pk=patient.pk).update(postcode="SM1 1AA")
    work(LATER)
    assert of(patient) == {"LETTER": "HELD", "SMS": "HANDED_OVER"}


def test_of_two_that_are_freed_at_once_one_goes(mailing: Mailing, plan: Any) -> None:
    patient = validated(postcode="")
    mailing.release(plan())
    Patient.objects.filter(pk=patient.pk).update(death_status="INFORMAL")
    work()
    assert of(patient) == {"LETTER": "HELD", "SMS": "HELD"}
    Patient.objects.filter(pk=patient.pk).update(death_status="", postcode="SM1 1AA")
    work()
    assert sorted(of(patient).values()) == ["HANDED_OVER", "HELD"]


def test_an_address_that_turns_bad_before_the_release_makes_it_a_text(mailing: Mailing, plan: Any) -> None:
    patient = validated()
    mailing.release(plan())
    Patient.objects.filter(pk=patient.pk).update(postcode="")
    work()
    work()
    assert of(patient) == {"LETTER": "HELD", "SMS": "HANDED_OVER"}


@pytest.mark.parametrize("delivery", ["RETURNED", "REJECTED", "FAILED"])
def test_whose_letter_does_not_arrive_gets_a_text_and_no_second_letter(
    mailing: Mailing, plan: Any, delivery: str
) -> None:
    patient = validated()
    batch = mailing.release(plan())
    work()
    Message.objects.update(state="FAILED", failure="It came back", delivery=delivery, delivery_at=NOON)
    work(LATER)
    assert of(patient) == {"LETTER": "FAILED", "SMS": "HANDED_OVER"}
    assert batches.retry_failed(batch_id=batch.id, by=mailing.operator, at=LATER) == 0
    assert not patient.messages.get(channel="LETTER").past_attempts.exists()


def test_a_letter_that_cannot_be_made_becomes_a_text_and_one_the_printer_refused_does_not(
    mailing: Mailing, plan: Any
) -> None:
    unmade, refused = validated(address_lines=["x" * 100]), validated()
    mailing.release(plan())
    work()
    Message.objects.filter(patient=refused).update(state="FAILED", failure="The printer does not take this file.")
    work(LATER)
    assert (of(unmade), of(refused)) == ({"LETTER": "FAILED", "SMS": "HANDED_OVER"}, {"LETTER": "FAILED"})


def test_a_doubt_is_no_failure(mailing: Mailing, plan: Any) -> None:
    patient = validated()
    mailing.release(plan())
    claimed = outbox.claim(at=NOON)
    assert claimed
    outbox.release(claimed=claimed, made=outbox.make(claimed.batch, claimed.message_ids), at=NOON)
    Message.objects.update(state="IN_DOUBT")
    work(LATER)
    assert of(patient) == {"LETTER": "IN_DOUBT"}


def test_who_had_a_text_of_the_campaign_before_gets_no_other(mailing: Mailing, plan: Any) -> None:
    patient = validated(postcode="")
    mailing.released(Channel.SMS)
    mailing.release(plan())
    work()
    assert of(patient) == {"LETTER": "HELD", "SMS": "HANDED_OVER"}
    assert patient.messages.count() == 2


def test_texts_can_come_first(mailing: Mailing, plan: Any) -> None:
    texted, written = validated(), validated(mobile="")
    mailing.release(plan(Channel.SMS, Channel.LETTER))
    work()
    assert (of(texted), of(written)) == ({"SMS": "HANDED_OVER"}, {"SMS": "HELD", "LETTER": "HANDED_OVER"})


def test_a_stopped_batch_falls_back_on_nothing(mailing: Mailing, plan: Any) -> None:
    patient = validated(postcode="", mobile="")
    batch = mailing.release(plan())
    batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    Patient.objects.filter(pk=patient.pk).update(mobile="07700900123")
    work()
    assert of(patient) == {"LETTER": "STOPPED"}


def test_preview_and_progress_count_each_person_once(mailing: Mailing, plan: Any) -> None:
    for details in ({}, {"postcode": ""}, {"postcode": "", "mobile": ""}, {"death_status": "FORMAL"}):
        validated(**details)
    shown = queries.preview(mailing.campaign, Channel.LETTER, NOON.date(), fallback=Channel.SMS)
    held = {"DIED": 1, "NO_USABLE_ADDRESS": 1}
    assert (shown.to_go, shown.instead, dict(shown.held), shown.everybody) == (1, 1, held, 4)
    batch = mailing.release(plan())
    made = queries.progress([batch.id])[batch.id]
    assert (made.waiting, made.instead, made.held, made.queued) == (2, 1, held, 5)
    work()
    gone = queries.progress([batch.id])[batch.id]
    assert (gone.handed_over, gone.by_channel, gone.percent) == (2, {"LETTER": 1, "SMS": 1}, 100)
    assert states(batch) == {"HANDED_OVER": 2, "HELD": 3}
    counts = queries.contact_counts(mailing.campaign, NOON.date())
    assert (counts["contacted"], counts["held"]) == (2, held)
