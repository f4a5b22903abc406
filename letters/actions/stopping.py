"""Stops batches, whole or a part of their people, until the supplier has taken theirs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from letters.actions.batch_errors import BatchError, NothingToStop, WrongState, check_move
from letters.actions.locks import lock_out_workers
from letters.models import Batch, Message, PartialStop
from letters.policies import check_can_send
from letters.queries import name_of_part, part_of
from letters.rules import BatchState, MessageState
from shielding.accounts.models import Membership

#: What a stop stops at once. What is RELEASED is being handed over: whoever does it looks whether it was
#: stopped, under the batch's lock, and stops what the supplier does not have.
_CAN_STOP = (MessageState.WAITING, MessageState.MAKING, MessageState.HELD, MessageState.FAILED)


@dataclass(frozen=True)
class Stopped:
    """What stopping a part of a batch did: how many it stopped, how many had gone, and how many are between.

    `in_hand` are being handed over, or their supplier may have them: of them those are stopped that it
    turns out not to have.
    """

    part: PartialStop
    gone: int
    in_hand: int


@transaction.atomic
def stop_batch(*, batch_id: UUID, reason: str, by: Membership, at: datetime) -> Batch:
    """Stops everything of a batch that has not been handed over, for good. Raises WrongState, NotAllowed.

    Those people are due again: another batch of the same campaign may hold them.
    """
    check_can_send(by)
    _check_reason(reason)
    batch = lock_out_workers(batch_id)
    check_move(batch, BatchState.STOPPED, *BatchState)
    stopped = _stop(Message.objects.filter(batch=batch))
    if batch.state == BatchState.FINISHED and not stopped:
        raise WrongState("Everything in this batch has been handed over. There is nothing left to stop.")
    batch.state, batch.stopped_at, batch.stopped_by = BatchState.STOPPED, at, by.user
    batch.stop_reason = reason.strip()
    batch.save(update_fields=["state", "stopped_at", "stopped_by", "stop_reason"])
    return batch


@transaction.atomic
def stop_part(
    *, batch_id: UUID, kind: PartialStop.Kind, value: str, reason: str, by: Membership, at: datetime
) -> Stopped:
    """Stops what has not been handed over to the people of a practice (its id), disease group or source, for good.

    The rest of the batch goes on. Raises BatchError where there is no such part, NothingToStop,
    WrongState, NotAllowed.
    """
    check_can_send(by)
    _check_reason(reason)
    words = name_of_part(kind, value)
    if words is None:
        raise BatchError("There is no such part of the list.")
    batch = lock_out_workers(batch_id)
    if batch.state == BatchState.STOPPED:
        raise WrongState("This batch is stopped already.")
    part = part_of(Message.objects.filter(batch=batch), kind, value)
    stopped = _stop(part)
    in_hand = part.filter(state=MessageState.RELEASED).update(stop_asked=True)
    in_doubt = part.filter(state=MessageState.IN_DOUBT).count()
    gone = part.filter(state=MessageState.HANDED_OVER).count()
    if not stopped and not in_hand:
        raise NothingToStop(
            f"Nothing is left to stop for {words}. {gone} had been handed over already."
            if gone or in_doubt
            else f"Nobody in this batch belongs to {words}."
        )
    kept = PartialStop.objects.create(
        batch=batch, kind=kind, value=value, words=words, reason=reason.strip(), stopped=stopped, at=at, by=by.user
    )
    return Stopped(kept, gone=gone, in_hand=in_hand + in_doubt)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise BatchError("Say why you stop it.")


def _stop(messages: QuerySet[Message]) -> int:
    return messages.filter(state__in=_CAN_STOP).update(
        state=MessageState.STOPPED, hold_reason="", failure="", lease_until=None
    )
