"""Sweeps up: leases that ran out, holds that are gone, calls that nobody knows the end of, batches that are done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from cohort.models import Patient
from cohort.queries.holds import hold_reason_of
from cohort.rules import Channel
from letters.actions.outbox.claiming import LEASE_SECONDS
from letters.models import Batch, Message, Supplier
from letters.queries import OPEN, uk_date
from letters.rules import BatchState, MessageState
from letters.transports import OneCallEach, transport_of


@dataclass(frozen=True)
class Swept:
    """What a sweep found: messages put back, parked in doubt, whose hold is gone; batches finished or opened again."""

    put_back: int
    parked: int
    unheld: int
    finished: int
    reopened: int


def sweep(*, at: datetime, lease_seconds: int = LEASE_SECONDS) -> Swept:
    """Puts back what dead workers held, queues those whose hold is gone, and closes and opens batches."""
    return Swept(
        _put_back_expired(at=at),
        park_in_doubt(at=at, older_than_seconds=lease_seconds),
        requeue_unheld(at=at),
        _finish_batches(),
        _reopen_batches(),
    )


@transaction.atomic
def _put_back_expired(*, at: datetime) -> int:
    expired = Message.objects.filter(state=MessageState.MAKING, lease_until__lt=at)
    return expired.filter(id__in=_lock_free(expired)).update(state=MessageState.WAITING, lease_until=None)


@transaction.atomic
def park_in_doubt(*, at: datetime, older_than_seconds: int = LEASE_SECONDS) -> int:
    """Parks what was released to a provider of one call each longer ago than this, and has no end: nobody knows it.

    What a call is being made for at this moment is locked, and left alone.
    """
    providers = [supplier.pk for supplier in Supplier.objects.all() if isinstance(transport_of(supplier), OneCallEach)]
    stranded = Message.objects.filter(
        state=MessageState.RELEASED,
        supplier__in=providers,
        released_at__lte=at - timedelta(seconds=older_than_seconds),
    )
    return stranded.filter(id__in=_lock_free(stranded)).update(state=MessageState.IN_DOUBT)


def requeue_unheld(*, at: datetime) -> int:
    """Moves every held message whose hold is gone back to waiting, and renews the reason of the others.

    Returns how many wait again. Messages of stopped batches stay as they are.
    """
    waiting = 0
    for channel in Channel:
        with transaction.atomic():
            held = (
                Message.objects.filter(state=MessageState.HELD, channel=channel.value)
                .annotate(held_by=hold_reason_of("patient_id", channel, uk_date(at)))
                .exclude(hold_reason=F("held_by"))
            )
            ids = _lock_free(held)
            held = held.filter(id__in=ids)
            stamps = {"holds_checked_at": at, "holds_checked_against": _details_as_at()}
            waiting += held.filter(held_by="").update(state=MessageState.WAITING, hold_reason="", **stamps)
            held.update(hold_reason=F("held_by"), **stamps)
    return waiting


def _finish_batches() -> int:
    return (
        Batch.objects.filter(state=BatchState.RELEASED)
        .filter(~Exists(Message.objects.filter(batch=OuterRef("pk"), state__in=OPEN)))
        .update(state=BatchState.FINISHED)
    )


def _reopen_batches() -> int:
    waiting = Exists(Message.objects.filter(batch=OuterRef("pk"), state=MessageState.WAITING))
    return Batch.objects.filter(waiting, state=BatchState.FINISHED).update(state=BatchState.RELEASED)


def _lock_free(messages: QuerySet[Message]) -> list[UUID]:
    """Locks those nobody else has locked, and returns their ids."""
    return list(messages.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("id", flat=True))


def _details_as_at() -> Subquery:
    return Subquery(Patient.objects.filter(pk=OuterRef("patient_id")).values("as_at")[:1])
