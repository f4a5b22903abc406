"""Hands released messages over in one file, idempotent by the hand-over's id."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from cohort.rules import Channel
from letters.actions.locks import lock_to_work
from letters.actions.outbox.claiming import LEASE_SECONDS
from letters.actions.outbox.making import Made, make, only
from letters.actions.suppliers import is_open, is_resting, let_rest, supplier_of, well_again
from letters.models import Batch, HandOver, Message, Supplier
from letters.rules import BatchState, MessageState, read_reference
from letters.transports import Receipt, WholeHandOvers, transport_of
from letters.transports.errors import HandOverMismatch, InDoubt, Refused, TryLater

logger = logging.getLogger(__name__)


def hand_over(*, key: UUID, at: datetime, made: Made | None = None) -> HandOver | None:
    """Gives the released messages of one hand-over to the supplier, or finishes what a dead worker began.

    `made` is what was made for this very release, by whoever gives it for the first time; it is made
    again otherwise, unless the supplier has it already under this id. What was stopped meanwhile and
    the supplier does not have is stopped; in a paused batch it waits. None when nothing was handed
    over. What the supplier refuses for good fails with its reason. Raises TryLater, HandOverMismatch.
    """
    released = Message.objects.filter(hand_over_key=key, state=MessageState.RELEASED)
    first = released.first()
    if first is None:
        return None
    supplier = supplier_of(first.supplier_id, Channel(first.channel))
    transport = transport_of(supplier)
    if not isinstance(transport, WholeHandOvers):
        return None
    with transaction.atomic():
        batch = lock_to_work(first.batch_id)
        asked = dict(released.select_for_update(no_key=True).values_list("id", "stop_asked"))
        try:
            receipt = None if made else transport.find(key=key, batch_id=batch.pk)
            if receipt is None:
                receipt = _give(transport, batch, asked, key=key, made=made)
        except Refused as error:
            released.update(state=MessageState.FAILED, failure=error.reason[:300])
            return None
        except InDoubt as error:
            raise TryLater(str(error)) from error  # the same id again is harmless
        if receipt is None:
            return None
        handed_over = _settle(receipt, batch, asked, key=key, at=at)
    well_again(supplier)
    return handed_over


def _give(
    transport: WholeHandOvers, batch: Batch, asked: Mapping[UUID, bool], *, key: UUID, made: Made | None
) -> Receipt | None:
    """Gives what may still go, and says of the rest what became of it."""
    released = Message.objects.filter(hand_over_key=key, state=MessageState.RELEASED)
    if batch.state == BatchState.PAUSED:
        return None
    stopped = [id_ for id_, is_asked in asked.items() if is_asked or batch.state == BatchState.STOPPED]
    if stopped:
        released.filter(id__in=stopped).update(state=MessageState.STOPPED, stop_asked=False)
    going = asked.keys() - set(stopped)
    if not going:
        return None
    made = only(made, batch, going) if made else make(batch, going)
    for message_id, failure in made.failed.items():
        released.filter(id=message_id).update(state=MessageState.FAILED, failure=failure[:300])
    return transport.hand_over(made.items.values(), key=key, batch_id=batch.pk) if made.items else None


def _settle(receipt: Receipt, batch: Batch, asked: Mapping[UUID, bool], *, key: UUID, at: datetime) -> HandOver:
    taken = {read_reference(each)[0] for each in receipt.references}
    if not taken <= asked.keys():
        raise HandOverMismatch(f"Hand-over {key} of batch {batch.pk}")
    handed_over = HandOver.objects.create(
        id=key, batch=batch, file_name=receipt.file_name, count=len(taken), sha256=receipt.sha256, at=at
    )
    released = Message.objects.filter(hand_over_key=key, state=MessageState.RELEASED)
    gone = released if taken == asked.keys() else released.filter(id__in=taken)
    gone.update(state=MessageState.HANDED_OVER, hand_over=handed_over, stop_asked=False)
    # An earlier try could not make these, and died before it could say so.
    released.update(state=MessageState.FAILED, failure="It could not be made when its hand-over was finished.")
    return handed_over


def hand_over_or_rest(*, key: UUID, supplier: Supplier, at: datetime, made: Made | None = None) -> int:
    """As `hand_over`, and returns how many went; a supplier that says "later" is left alone for a while."""
    try:
        finished = hand_over(key=key, at=at, made=made)
    except TryLater as error:
        logger.warning("Supplier %s takes nothing now: %s", supplier.slug, error)
        let_rest(supplier, at=at, after_seconds=error.after_seconds)
        return 0
    except HandOverMismatch:
        logger.exception("A hand-over does not match what the supplier has")
        return 0
    return finished.count if finished else 0


def finish_stranded(*, at: datetime, older_than_seconds: int = LEASE_SECONDS) -> int:
    """Finishes every hand-over that was decided longer ago than this; returns how many messages went.

    Outside its hours, and while it rests, a supplier is left alone; so are paused batches. What does not
    match what the supplier has is logged and left for a person.
    """
    keys = (
        Message.objects.filter(state=MessageState.RELEASED, released_at__lte=at - timedelta(seconds=older_than_seconds))
        .exclude(batch__state=BatchState.PAUSED)
        .order_by("hand_over_key")
        .values_list("hand_over_key", "supplier_id", "channel")
        .distinct()
    )
    handed_over = 0
    for key, supplier_id, channel in keys:
        supplier = supplier_of(supplier_id, Channel(channel))
        # Read anew each time: it may have said "later" to the last one.
        if key and is_open(supplier, at=at) and not is_resting(supplier, at=at):
            handed_over += hand_over_or_rest(key=key, supplier=supplier, at=at)
    return handed_over
