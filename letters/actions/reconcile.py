"""Asks providers what became of messages: those in doubt, and those whose receipts may have been lost.

A message in doubt is never sent again by itself. The provider that may have it is asked by its
reference: what it has is marked as handed over; what it does not have, when it surely would by now,
fails, and only a person tries it again, as another attempt.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Min, QuerySet

from letters.actions.receipts import record
from letters.models import Message, Supplier
from letters.rules import DeliveryStatus, MessageState
from letters.transports import OneCallEach, transport_of
from letters.transports.errors import TryLater

logger = logging.getLogger(__name__)

#: How long a provider may take from a call until it answers about it. GOV.UK Notify queues what it takes under load.
GRACE = timedelta(minutes=15)
NEVER_THERE = "The provider never had it"
#: News recorded in one transaction.
_TOGETHER = 1000
#: Of these, more is to come.
_OPEN = ("", DeliveryStatus.PENDING, DeliveryStatus.ACCEPTED)


@dataclass(frozen=True)
class Reconciled:
    """How many messages in doubt the provider has, never had, may still turn out to have, and has forgotten about.

    `unanswerable` were sent longer ago than the provider remembers: they stay in doubt, for a person.
    """

    found: int = 0
    never_there: int = 0
    too_early: int = 0
    unanswerable: int = 0

    def __add__(self, other: "Reconciled") -> "Reconciled":
        return Reconciled(
            self.found + other.found,
            self.never_there + other.never_there,
            self.too_early + other.too_early,
            self.unanswerable + other.unanswerable,
        )


def reconcile(*, at: datetime, grace: timedelta = GRACE) -> Reconciled:
    """Asks every provider about the messages in doubt, oldest first; leaves the rest where one cannot be asked."""
    total = Reconciled()
    for supplier, provider in _providers():
        for message in _in_doubt(supplier).iterator():
            try:
                total += _ask(provider, message, at=at, grace=grace)
            except TryLater as error:
                logger.warning("Supplier %s cannot be asked now: %s", supplier.slug, error)
                break
    if total.unanswerable:
        logger.error("%s messages are in doubt for longer than their provider remembers", total.unanswerable)
    return total


def _in_doubt(supplier: Supplier) -> QuerySet[Message]:
    return Message.objects.filter(state=MessageState.IN_DOUBT, supplier=supplier).order_by("released_at")


def _ask(provider: OneCallEach, message: Message, *, at: datetime, grace: timedelta) -> Reconciled:
    if message.released_at is None:
        raise ValueError("A message is in doubt after it was released.")
    found = provider.look_up(message.reference)
    if found:
        record([found], at=at)
        return Reconciled(found=1)
    age = at - message.released_at
    if age < grace:
        return Reconciled(too_early=1)
    if age >= provider.remembers:
        return Reconciled(unanswerable=1)
    # A callback may have settled it since it was read.
    failed = Message.objects.filter(pk=message.pk, state=MessageState.IN_DOUBT, attempt=message.attempt).update(
        state=MessageState.FAILED, failure=NEVER_THERE
    )
    return Reconciled(never_there=failed)


def catch_up(*, at: datetime) -> int:
    """Reads again what providers say of messages of which more is to come; returns how much of it was new.

    Callbacks are given up after some tries, and letters have none.
    """
    new = 0
    for supplier, provider in _providers():
        oldest = Message.objects.filter(
            supplier=supplier,
            state=MessageState.HANDED_OVER,
            delivery__in=_OPEN,
            released_at__gt=at - provider.remembers,
        ).aggregate(at=Min("released_at"))["at"]
        if oldest is None:
            continue
        try:
            news = iter(provider.news(since=oldest))
            while events := list(islice(news, _TOGETHER)):
                new += record(events, at=at).new
        except TryLater as error:
            logger.warning("Supplier %s cannot be asked now: %s", supplier.slug, error)
    return new


def _providers() -> Iterator[tuple[Supplier, OneCallEach]]:
    for supplier in Supplier.objects.order_by("pk"):
        transport = transport_of(supplier)
        if isinstance(transport, OneCallEach):
            yield supplier, transport
