"""Stopping a batch, and what the database refuses whoever asks."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import Error

from letters.actions import batches, outbox
from letters.models import Message
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import LATER, Killed, dying_after, noon, sent, sent_once, states, work


@pytest.mark.django_db
def test_a_stopped_batch_hands_over_nothing_more_and_its_people_are_due_again(mailing: Mailing) -> None:
    first = validated()
    mailing.released()
    work()
    validated()
    second = mailing.plan()
    assert second.messages.count() == 1
    mailing.release(second)
    claimed = outbox.claim(at=NOON)
    assert claimed
    stopped = batches.stop_batch(batch_id=second.id, reason="Wrong words", by=mailing.operator, at=NOON)
    assert (stopped.state, stopped.stop_reason) == ("STOPPED", "Wrong words")
    assert outbox.make_and_hand_over(claimed=claimed, clock=noon) == 0
    work(LATER)
    assert states(second) == {"STOPPED": 1}
    assert sent() == [str(first.messages.get().id)]
    again = mailing.released()
    work()
    assert states(again) == {"HANDED_OVER": 1}


@pytest.mark.django_db
def test_a_stop_between_release_and_hand_over_is_in_time(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    made = outbox.make(batch, claimed.message_ids)
    key = outbox.release(claimed=claimed, made=made, at=NOON)
    assert key
    batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    assert outbox.hand_over(key=key, at=NOON, made=made) is None
    assert states(batch) == {"STOPPED": 1}
    assert sent() == []


@pytest.mark.django_db
def test_a_stop_after_the_supplier_has_it_says_that_it_went(mailing: Mailing, monkeypatch: Any) -> None:
    validated()
    batch = mailing.released()
    with dying_after(Path, "rename", monkeypatch), pytest.raises(Killed):
        work()
    batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    work(LATER)
    assert states(batch) == {"HANDED_OVER": 1}
    assert sent_once()


@pytest.mark.django_db
def test_a_stop_needs_a_reason_and_something_to_stop(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    with pytest.raises(batches.BatchError):
        batches.stop_batch(batch_id=batch.id, reason=" ", by=mailing.operator, at=NOON)
    work()
    with pytest.raises(batches.WrongState):
        batches.stop_batch(batch_id=batch.id, reason="Late", by=mailing.operator, at=NOON)


@pytest.mark.django_db
def test_a_batch_is_released_once_and_never_after_a_stop(mailing: Mailing) -> None:
    validated()
    batch = mailing.released()
    with pytest.raises(batches.WrongState):
        batches.release_batch(batch_id=batch.id, by=mailing.operator, at=NOON)
    batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    for action in (batches.release_batch, batches.retry_failed):
        with pytest.raises(batches.WrongState):
            action(batch_id=batch.id, by=mailing.operator, at=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "change"),
    [
        ("WAITING", {"state": "RELEASED"}),
        ("WAITING", {"state": "HANDED_OVER"}),
        ("HANDED_OVER", {"state": "WAITING"}),
        ("STOPPED", {"state": "WAITING"}),
        ("MAKING", {"state": "RELEASED"}),  # holds were not checked
        ("MAKING", {"state": "HELD"}),  # no reason
        ("MAKING", {"state": "FAILED"}),
        ("WAITING", {"hold_reason": "DIED"}),
        ("HANDED_OVER", {"hand_over_key": uuid.UUID(int=1)}),
        ("HANDED_OVER", {"hand_over": None}),
    ],
)
def test_the_database_refuses_illegal_moves_and_half_rows(mailing: Mailing, state: str, change: Any) -> None:
    validated()
    batch = mailing.released()
    if state == "HANDED_OVER":
        work()
    elif state == "STOPPED":
        batches.stop_batch(batch_id=batch.id, reason="Wrong words", by=mailing.operator, at=NOON)
    elif state == "MAKING":
        outbox.claim(at=NOON)
    assert states(batch) == {state: 1}
    with pytest.raises(Error):
        batch.messages.update(**change)


@pytest.mark.django_db
def test_the_database_refuses_a_second_message_for_one_purpose(mailing: Mailing) -> None:
    patient = validated()
    batch = mailing.released()
    work()
    with pytest.raises(Error):
        Message.objects.create(
            batch=batch,
            campaign=batch.campaign,
            patient=patient,
            channel="LETTER",
            state="WAITING",
            queued_at=NOON,
        )
