"""Gives messages, one call each, to a provider that does not recognise one that comes twice.

Each is released on its own, and the release is committed before the call: it is the intent. A worker
that dies in between leaves it RELEASED, and the sweeper parks it as IN_DOUBT, since nobody knows
whether the provider has it. During the call its row is locked, so that nobody parks it meanwhile.

What became of one is committed together with the release of the next: a commit each, and not two.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from letters.actions.locks import lock_and_read, lock_for_state
from letters.actions.outbox.claiming import Claim
from letters.actions.outbox.making import Made
from letters.actions.outbox.releasing import fail_unmade, put_back, release_one
from letters.actions.suppliers import count_as_taken, give_back, is_limited, let_rest, well_again
from letters.models import Message
from letters.rules import DOUBTS_BORNE, BatchState, DeliveryStatus, MessageState
from letters.transports import Item, OneCallEach
from letters.transports.errors import InDoubt, Refused, TryLater

logger = logging.getLogger(__name__)


#: What of a claim has not been released yet, in order.
_Left = Iterator[tuple[UUID, Item]]
#: What counts against the supplier's day: the others it surely does not have.
_COUNTED = (MessageState.HANDED_OVER, MessageState.FAILED, MessageState.IN_DOUBT)
_LOCK_RELEASED = (
    "SELECT batch.state, message.stop_asked FROM letters_message message JOIN letters_batch batch"
    " ON batch.id = message.batch_id WHERE message.id = %s AND message.hand_over_key = %s"
    " AND message.state = 'RELEASED' FOR NO KEY UPDATE OF message"
)
#: What makes a released message one that waits: surely not taken.
_UNRELEASED: dict[str, Any] = {
    "state": MessageState.WAITING,
    "released_at": None,
    "hand_over_key": None,
    "supplier": None,
    "stop_asked": False,
}


@dataclass(frozen=True)
class _Ready:
    """A message that was released under a key, at a moment, and is about to be given."""

    id: UUID
    item: Item
    key: UUID
    at: datetime


@dataclass(frozen=True)
class _Given:
    """What became of a message, None where it was parked meanwhile; and the next one, if that was released with it."""

    state: MessageState | None
    following: _Ready | None = None


def call_each(*, claimed: Claim, made: Made, transport: OneCallEach, clock: Callable[[], datetime]) -> int:
    """Gives each message of a claim to the provider; returns how many it took.

    One that it refuses for good fails with its reason. Where it says "later", that one and the rest of
    the claim wait again, and the provider is left alone for a while; so too when doubts come in a row.
    """
    taken = counted = 0
    is_troubled = claimed.supplier.setbacks > 0
    left = iter(made.items.items())
    ready = _release_first(claimed, made, left, clock)
    while ready:
        try:
            given = _call(claimed=claimed, ready=ready, left=left, transport=transport, clock=clock)
        except TryLater as error:
            logger.warning("Supplier %s takes nothing now: %s", claimed.supplier.slug, error)
            let_rest(claimed.supplier, at=clock(), after_seconds=error.after_seconds)
            put_back(claimed)
            break
        counted += given.state in _COUNTED
        ready = given.following
        if given.state == MessageState.HANDED_OVER:
            taken += 1
            if is_troubled:
                well_again(claimed.supplier)
                is_troubled = False
        elif given.state == MessageState.IN_DOUBT:
            is_troubled = True
            if let_rest(claimed.supplier, at=clock(), borne=DOUBTS_BORNE):
                put_back(claimed)
                break
            ready = _release_first(claimed, made, left, clock)
    if counted and not is_limited(claimed.supplier):
        count_as_taken(claimed.supplier, counted, at=clock())
    return taken


@transaction.atomic
def _release_first(claimed: Claim, made: Made, left: _Left, clock: Callable[[], datetime]) -> _Ready | None:
    """Releases the first of what is left that nothing holds; None where there is none."""
    state = lock_for_state(claimed.batch.pk)
    fail_unmade(claimed, made)
    return _release_next(claimed, state, left, clock)


def _release_next(claimed: Claim, state: BatchState, left: _Left, clock: Callable[[], datetime]) -> _Ready | None:
    """Does as `_release_first` in a transaction that has the batch's lock: it is in this state."""
    for id_, item in left:
        at = clock()
        if key := release_one(claimed=claimed, id_=id_, state=state, at=at):
            return _Ready(id_, item, key, at)
    return None


def _call(
    *, claimed: Claim, ready: _Ready, left: _Left, transport: OneCallEach, clock: Callable[[], datetime]
) -> _Given:
    """Gives one released message, and releases the next unless there is a doubt. Raises TryLater."""
    with transaction.atomic():
        found = lock_and_read(claimed.batch.pk, _LOCK_RELEASED, [ready.id, ready.key])
        if found is None:
            return _Given(None, _release_next(claimed, lock_for_state(claimed.batch.pk), left, clock))
        state, later = BatchState(found[0]), None
        try:
            change = _change(ready, state, transport, stop_asked=found[1])
        except TryLater as error:
            later, change = error, _UNRELEASED
        # By its id: only what is released is found by the key alone.
        Message.objects.filter(pk=ready.id).update(**change)
        if change["state"] in (MessageState.WAITING, MessageState.STOPPED) and is_limited(claimed.supplier):
            give_back(claimed.supplier, 1, at=ready.at)
        following = None
        if not later and change["state"] != MessageState.IN_DOUBT:
            following = _release_next(claimed, state, left, clock)
    if later:
        raise later
    return _Given(MessageState(change["state"]), following)


def _change(ready: _Ready, state: BatchState, transport: OneCallEach, *, stop_asked: bool) -> dict[str, Any]:
    """Gives a message, unless its batch was stopped or paused, and returns how it changes. Raises TryLater."""
    if stop_asked or state == BatchState.STOPPED:
        return {"state": MessageState.STOPPED, "stop_asked": False}
    if state == BatchState.PAUSED:
        return _UNRELEASED
    try:
        return {"state": MessageState.HANDED_OVER, "provider_id": transport.send(ready.item)}
    except Refused as error:
        return {
            "state": MessageState.FAILED,
            "failure": error.reason[:300],
            "delivery": DeliveryStatus.REJECTED,
            "delivery_at": ready.at,
        }
    except InDoubt as error:
        logger.warning("Message %s is in doubt: %s", ready.item.reference, error)
        return {"state": MessageState.IN_DOUBT}
