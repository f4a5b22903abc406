"""Whom messages are released to: the one in use, within its hours and its room of the day."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from cohort.rules import Channel
from letters.actions import batches, outbox
from letters.actions.outbox import handing_over
from letters.actions.suppliers import supplier_for
from letters.models import Message, Supplier, SupplierDay
from letters.transports.errors import HandOverMismatch, InDoubt, Refused, TryLater
from letters.transports.folder import Folder
from letters.transports.null import Null
from tests.letters.factories import NOON, Mailing, validated
from tests.letters.outbox import LATER, Killed, dying_after, noon, sent_once, states, work

pytestmark = pytest.mark.django_db


def printer(**options: Any) -> Supplier:
    return Supplier.objects.create(
        **{"slug": "printer", "name": "Printer", "channel": "LETTER", "transport": "FOLDER", "in_use": True, **options}
    )


def test_a_new_installation_has_a_folder_for_each_channel() -> None:
    folders = [supplier_for(channel) for channel in Channel]
    assert [(s.slug, s.transport, s.in_use) for s in folders if s] == [
        ("folder-letter", "FOLDER", True),
        ("folder-sms", "FOLDER", True),
    ]
    assert [supplier_for(channel) for channel in Channel] == folders


def test_nothing_goes_where_every_supplier_is_out_of_use(mailing: Mailing) -> None:
    printer(in_use=False)
    validated()
    batch = mailing.released()
    assert work() == 0
    assert states(batch) == {"WAITING": 1}


def test_a_message_keeps_the_supplier_it_was_released_to_when_another_comes_into_use(
    mailing: Mailing, monkeypatch: Any
) -> None:
    first = printer()
    validated()
    mailing.released()
    with dying_after(handing_over, "hand_over", monkeypatch, before=True), pytest.raises(Killed):
        work()
    Supplier.objects.update(in_use=False)
    printer(slug="other", transport="NULL")
    assert work(LATER) == 1
    assert Message.objects.get().supplier == first
    assert sent_once()


def test_no_more_goes_in_a_day_than_a_supplier_takes_the_oldest_first_and_the_rest_the_next_day(
    mailing: Mailing,
) -> None:
    printer(daily_capacity=2)
    for _ in range(5):
        validated()
    batch = mailing.released()
    order = list(Message.objects.order_by("queued_at", "turn", "id").values_list("id", flat=True))
    for day, gone in enumerate((2, 4, 5)):
        work(NOON + timedelta(days=day))
        work(NOON + timedelta(days=day, hours=1))
        assert set(Message.objects.filter(state="HANDED_OVER").values_list("id", flat=True)) == set(order[:gone])
    assert list(SupplierDay.objects.order_by("day").values_list("taken", flat=True)) == [2, 2, 1]
    batch.refresh_from_db()
    assert batch.state == "FINISHED"


def test_what_a_claim_holds_beyond_the_room_waits_again(mailing: Mailing) -> None:
    supplier = printer(daily_capacity=3)
    for _ in range(2):
        validated()
    validated(death_status="INFORMAL")
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    SupplierDay.objects.create(supplier=supplier, day=NOON.date(), taken=2)  # another worker was quicker
    assert outbox.make_and_hand_over(claimed=claimed, clock=noon) == 1
    assert states(batch) == {"HANDED_OVER": 1, "WAITING": 1, "HELD": 1}
    assert SupplierDay.objects.get().taken == 3
    assert outbox.claim(at=NOON) is None


def test_the_held_take_no_room(mailing: Mailing) -> None:
    printer(daily_capacity=1)
    safe, dead = validated(), validated()
    batch = mailing.released()
    claimed = outbox.claim(at=NOON, limit=1)
    assert claimed
    patient = Message.objects.get(pk=claimed.message_ids[0]).patient
    patient.death_status = "FORMAL"
    patient.save()
    outbox.make_and_hand_over(claimed=claimed, clock=noon)
    assert work() == 1
    assert states(batch) == {"HANDED_OVER": 1, "HELD": 1}
    assert {safe, dead} == {message.patient for message in Message.objects.all()}


@pytest.mark.parametrize(
    ("at", "goes"),
    [(time(8, 59), False), (time(9), True), (time(16, 59), True), (time(17), False)],
)
def test_a_supplier_gets_nothing_outside_its_hours(mailing: Mailing, at: time, goes: bool) -> None:
    printer(takes_from=time(9), takes_until=time(17))
    validated()
    mailing.released()
    assert work(datetime.combine(NOON.date(), at, NOON.tzinfo)) == int(goes)


def test_what_was_made_when_a_supplier_closed_waits_until_it_opens(mailing: Mailing) -> None:
    printer(takes_from=time(9), takes_until=time(17))
    validated()
    batch = mailing.released()
    claimed = outbox.claim(at=NOON)
    assert claimed
    evening = NOON.replace(hour=17)
    assert outbox.make_and_hand_over(claimed=claimed, clock=lambda: evening) == 0
    assert states(batch) == {"WAITING": 1}


@pytest.mark.parametrize("error", [TryLater("Down", 40), InDoubt("Time-out")])
def test_a_supplier_that_is_down_is_left_alone_and_stops_no_other(
    mailing: Mailing, monkeypatch: Any, error: Exception
) -> None:
    printer(transport="NULL")
    for _ in range(2):
        validated()
    letters, texts = mailing.released(), mailing.released(Channel.SMS)
    tries: list[UUID] = []

    def down(self: Null, items: Any, *, key: UUID, batch_id: UUID) -> Any:
        tries.append(key)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Null, "hand_over", down)
        assert work() == 2
        assert (states(letters), states(texts)) == ({"RELEASED": 2}, {"HANDED_OVER": 2})
        assert work() == 0
        assert len(tries) == 1
        work(LATER)
        assert tries == [tries[0]] * 2  # the same hand-over, under the same id
    assert work(LATER) == 0  # it rests
    assert work(LATER + timedelta(minutes=1)) == 2
    assert Message.objects.filter(batch=letters, hand_over_key=tries[0], state="HANDED_OVER").count() == 2
    assert Supplier.objects.get(slug="printer").setbacks == 0


def test_a_hand_over_refused_for_good_fails_with_the_reason_and_can_be_tried_again(
    mailing: Mailing, monkeypatch: Any
) -> None:
    validated()
    batch = mailing.released()

    def refuse(*_: Any, **__: Any) -> Any:
        raise Refused("The printer does not take this file.")

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "hand_over", refuse)
        assert work() == 0
    assert Message.objects.get().failure == "The printer does not take this file."
    assert batches.retry_failed(batch_id=batch.id, by=mailing.operator, at=NOON) == 1
    assert work() == 1
    assert Message.objects.get().attempt == 2
    assert sent_once()


def test_a_mismatch_stops_no_other_batch(mailing: Mailing, monkeypatch: Any) -> None:
    validated()
    letters, texts = mailing.released(), mailing.released(Channel.SMS)

    def mismatch(*_: Any, **__: Any) -> Any:
        raise HandOverMismatch("Other messages")

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "hand_over", mismatch)
        assert work() == 0
    assert (states(letters), states(texts)) == ({"RELEASED": 1}, {"RELEASED": 1})
    assert work(LATER) == 2
