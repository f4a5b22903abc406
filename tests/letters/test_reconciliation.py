"""Messages in doubt are asked about, never sent again by themselves; receipts that got lost are asked for."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from cohort.rules import Channel
from letters.actions import outbox
from letters.actions.batches import retry_failed
from letters.actions.receipts import record
from letters.actions.reconcile import GRACE, NEVER_THERE, Reconciled, catch_up, reconcile
from letters.models import Message, Receipt, Supplier
from letters.rules import DeliveryStatus
from letters.transports import Event
from letters.transports.notify.stub import NotifyStub
from tests.letters.factories import Mailing, validated
from tests.letters.stub_suppliers import notify

__all__ = ["notify"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def texting(mailing: Mailing, notify: NotifyStub) -> NotifyStub:
    """Texts go by Notify."""
    Supplier.objects.create(slug="notify", name="Notify", channel="SMS", transport="NOTIFY", in_use=True)
    return notify


def text_somebody(mailing: Mailing, at: datetime) -> Message:
    validated()
    mailing.released(Channel.SMS, at)
    outbox.work(clock=lambda: at)
    return Message.objects.get()


#: The stub has a clock of its own, so these tests live now, at an hour at which texts may go.
NOW = timezone.now().replace(hour=12, minute=0)


@pytest.mark.parametrize("way", ["drop_after", "error_after"])
def test_what_the_provider_has_is_marked_so_and_sent_once(mailing: Mailing, texting: NotifyStub, way: str) -> None:
    texting.misbehave(**{way: 1, "times": 1})
    message = text_somebody(mailing, NOW)
    assert message.state == "IN_DOUBT"
    assert reconcile(at=NOW) == Reconciled(found=1)
    assert reconcile(at=NOW) == Reconciled()
    message.refresh_from_db()
    assert (message.state, message.delivery) == ("HANDED_OVER", "DELIVERED")
    assert message.provider_id == texting.accepted[0]["id"]
    outbox.work(clock=lambda: NOW)
    assert len(texting.accepted) == 1


def test_what_the_provider_never_had_fails_after_a_while_and_only_a_person_tries_again(
    mailing: Mailing, texting: NotifyStub
) -> None:
    texting.misbehave(drop=1, times=1)
    message = text_somebody(mailing, NOW)
    assert reconcile(at=NOW + GRACE - timedelta(seconds=1)) == Reconciled(too_early=1)
    assert Message.objects.get().state == "IN_DOUBT"
    later = NOW + GRACE
    assert reconcile(at=later) == Reconciled(never_there=1)
    outbox.work(clock=lambda: later)
    message.refresh_from_db()
    assert (message.state, message.failure) == ("FAILED", NEVER_THERE)
    assert texting.accepted == []
    retry_failed(batch_id=message.batch_id, by=mailing.operator, at=later)
    outbox.work(clock=lambda: later)
    assert [each["reference"] for each in texting.accepted] == [f"{message.pk}-2"]


def test_nothing_is_decided_while_the_provider_cannot_be_asked(mailing: Mailing, texting: NotifyStub) -> None:
    texting.misbehave(drop=1, times=1)
    text_somebody(mailing, NOW)
    texting.misbehave(down=True)
    assert reconcile(at=NOW + timedelta(hours=5)) == Reconciled()
    assert Message.objects.get().state == "IN_DOUBT"


def test_what_the_provider_has_forgotten_stays_in_doubt_for_a_person(
    mailing: Mailing, texting: NotifyStub, caplog: Any
) -> None:
    texting.misbehave(drop=1, times=1)
    text_somebody(mailing, NOW)
    assert reconcile(at=NOW + timedelta(days=7)) == Reconciled(unanswerable=1)
    assert Message.objects.get().state == "IN_DOUBT"
    assert "in doubt for longer" in caplog.text


def test_receipts_that_got_lost_are_asked_for(mailing: Mailing, texting: NotifyStub) -> None:
    message = text_somebody(mailing, NOW - timedelta(days=1))
    assert (message.state, message.delivery) == ("HANDED_OVER", "")
    assert catch_up(at=NOW) == 1
    assert catch_up(at=NOW) == 0
    assert Receipt.objects.get().status == "DELIVERED"
    texting.misbehave(down=True)
    assert catch_up(at=NOW) == 0


@pytest.mark.parametrize("status", ["PENDING", "DELIVERED"])
def test_what_turns_up_after_all_is_handed_over_and_not_tried_again(
    mailing: Mailing, texting: NotifyStub, status: str
) -> None:
    texting.misbehave(drop=1, times=1)
    message = text_somebody(mailing, NOW)
    later = NOW + GRACE
    reconcile(at=later)
    record([Event(message.reference, DeliveryStatus(status), NOW, provider_id="late")], at=later)
    message.refresh_from_db()
    assert (message.state, message.failure, message.provider_id) == ("HANDED_OVER", "", "late")
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=later) == 0


def test_what_was_never_handed_over_is_not_settled_by_a_receipt(mailing: Mailing, texting: NotifyStub) -> None:
    texting.misbehave(drop=1, times=1)
    message = text_somebody(mailing, NOW)
    reconcile(at=NOW + GRACE)
    record([Event(message.reference, DeliveryStatus.DELIVERED, NOW)], at=NOW)
    message.refresh_from_db()
    assert (message.state, message.delivery) == ("FAILED", "DELIVERED")
    assert retry_failed(batch_id=message.batch_id, by=mailing.operator, at=NOW) == 0
