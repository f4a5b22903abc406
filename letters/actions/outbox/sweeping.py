"""Sweeps up: leases that ran out, holds that are gone, calls that nobody knows the end of, batches that are done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from cohort.models import Patient
from cohort.queries.holds import hold_reason_of
from cohort.rules import Audience, Channel
from letters.actions.locks import is_alone, lock_to_work
from letters.actions.outbox.claiming import LEASE_SECONDS
from letters.actions.planning import queue_fallbacks
from letters.models import Batch, Campaign, Message, Supplier
from letters.queries import reached_otherwise, uk_date
from letters.rules import OPEN, BatchState, MessageState
from letters.transports import OneCallEach, transport_of

#: So many held messages take a third of a second to look through.
FEW_HELD = 20_000
REQUEUE_PAUSE = timedelta(minutes=5)
_REQUEUED = "letters.requeued"
_GOING = (BatchState.RELEASED, BatchState.PAUSED, BatchState.FINISHED)


@dataclass(frozen=True)
class Swept:
    """What a sweep did: messages put back, parked, freed of a hold, queued otherwise; batches finished, reopened."""

    put_back: int
    parked: int
    unheld: int
    fallbacks: int
    finished: int
    reopened: int


def sweep(*, at: datetime, lease_seconds: int = LEASE_SECONDS) -> Swept:
    """Puts back what dead workers held, queues those whose hold is gone, and closes and opens batches."""
    return Swept(
        _put_back_expired(at=at),
        park_in_doubt(at=at, older_than_seconds=lease_seconds),
        requeue_unheld(at=at) if _is_time_to_requeue(at) else 0,
        queue_fallbacks_of_batches(at=at),
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

    Returns how many wait again. Messages of stopped batches stay as they are; so do those whose person
    the batch's other channel reaches. One worker at a time does this: the others return 0.
    """
    waiting = 0
    for channel, audience in product(Channel, Audience):
        with transaction.atomic():
            if not is_alone("requeue"):
                return waiting
            held = (
                Message.objects.filter(
                    ~reached_otherwise(),
                    state=MessageState.HELD,
                    channel=channel.value,
                    campaign__in=Campaign.objects.filter(audience=audience.value),
                )
                .annotate(held_by=hold_reason_of("patient_id", channel, uk_date(at), audience))
                .exclude(hold_reason=F("held_by"))
            )
            ids = _lock_free(held)
            if not ids:
                continue
            held = held.filter(id__in=ids)
            stamps = {"holds_checked_at": at, "holds_checked_against": _details_as_at()}
            waiting += held.filter(held_by="").update(state=MessageState.WAITING, hold_reason="", **stamps)
            held.update(hold_reason=F("held_by"), **stamps)
    return waiting


def _is_time_to_requeue(at: datetime) -> bool:
    """Returns whether the held are to be looked through now: at every sweep, unless they are many.

    Then it is once in `REQUEUE_PAUSE` over all workers. When that was is kept in the cache: what is lost
    is done again.
    """
    if Message.objects.filter(state=MessageState.HELD).order_by()[: FEW_HELD + 1].count() <= FEW_HELD:
        return True
    last: datetime | None = cache.get(_REQUEUED)
    if last and timedelta(0) <= at - last < REQUEUE_PAUSE:
        return False
    cache.set(_REQUEUED, at, REQUEUE_PAUSE.total_seconds())
    return True


def queue_fallbacks_of_batches(*, at: datetime) -> int:
    """Queues the fallback channel for whom the first one has turned out not to reach; returns for how many.

    One worker at a time does this: the others return 0.
    """
    queued = 0
    for batch_id in Batch.objects.filter(state__in=_GOING).exclude(fallback_channel="").values_list("pk", flat=True):
        with transaction.atomic():
            if not is_alone("requeue"):
                return queued
            # Nobody tries the failed again meanwhile.
            batch = lock_to_work(batch_id)
            if batch.state in _GOING:
                queued += queue_fallbacks(batch, at=at)
    return queued


def _finish_batches() -> int:
    released = Batch.objects.filter(state=BatchState.RELEASED)
    done = [batch_id for batch_id in released.values_list("pk", flat=True) if not _is_open(batch_id)]
    return released.filter(pk__in=done).update(state=BatchState.FINISHED) if done else 0


def _is_open(batch_id: UUID) -> bool:
    """Returns whether any message of a batch has no end yet.

    A state at a time: each has an index of its own, and PostgreSQL would look through the table for all of them.
    """
    return any(Message.objects.filter(batch=batch_id, state=state).exists() for state in OPEN)


def _reopen_batches() -> int:
    waiting = Exists(Message.objects.filter(batch=OuterRef("pk"), state=MessageState.WAITING))
    return Batch.objects.filter(waiting, state=BatchState.FINISHED).update(state=BatchState.RELEASED)


def _lock_free(messages: QuerySet[Message]) -> list[UUID]:
    """Locks those nobody else has locked, and returns their ids."""
    return list(messages.select_for_update(skip_locked=True, no_key=True, of=("self",)).values_list("id", flat=True))


def _details_as_at() -> Subquery:
    return Subquery(Patient.objects.filter(pk=OuterRef("patient_id")).values("as_at")[:1])
