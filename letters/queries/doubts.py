"""Messages in doubt: what a provider may or may not have, and since when. References and batches, no names."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from letters.models import Message, Supplier
from letters.rules import MessageState
from letters.transports import OneCallEach, transport_of


@dataclass(frozen=True)
class Doubts:
    """Messages in doubt with one supplier, of which `forgotten` went longer ago than it can be asked about."""

    supplier: Supplier
    remembers: timedelta
    count: int
    forgotten: int
    oldest_at: datetime


def doubts_by_supplier(at: datetime) -> list[Doubts]:
    """Returns the suppliers with messages in doubt, by name."""
    found = []
    for supplier in Supplier.objects.order_by("name"):
        remembers = memory_of(supplier)
        counted = _all_in_doubt(supplier).aggregate(
            count=Count("pk"),
            forgotten=Count("pk", filter=Q(released_at__lte=at - remembers)),
            oldest_at=Min("released_at"),
        )
        if counted["count"]:
            found.append(Doubts(supplier, remembers, **counted))
    return found


def in_doubt(at: datetime, *, supplier: Supplier | None = None, only_forgotten: bool = False) -> QuerySet[Message]:
    """Returns messages in doubt, the oldest first: all, of one supplier, or those that theirs cannot be asked about."""
    found = _all_in_doubt(supplier)
    if only_forgotten:
        of_each = [Q(supplier=each, released_at__lte=at - memory_of(each)) for each in Supplier.objects.all()]
        found = found.filter(Q(*of_each, _connector=Q.OR)) if of_each else found.none()
    return found.select_related("supplier", "batch__campaign").order_by("released_at", "pk")


def doubt(message_id: UUID) -> Message | None:
    """Returns one message in doubt, or None."""
    return _all_in_doubt().filter(pk=message_id).select_related("supplier", "batch__campaign").first()


def age(message: Message, at: datetime) -> tuple[timedelta, bool]:
    """Returns for how long a message has been in doubt, and whether its supplier can no longer be asked about it."""
    if message.supplier is None or message.released_at is None:
        raise ValueError("A message is in doubt after it was released.")
    passed = at - message.released_at
    return passed, passed >= memory_of(message.supplier)


def memory_of(supplier: Supplier) -> timedelta:
    """Returns for how long a supplier can be asked about a message."""
    transport = transport_of(supplier)
    return transport.remembers if isinstance(transport, OneCallEach) else timedelta()


def _all_in_doubt(supplier: Supplier | None = None) -> QuerySet[Message]:
    found = Message.objects.filter(state=MessageState.IN_DOUBT)
    return found.filter(supplier=supplier) if supplier else found
