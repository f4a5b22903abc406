"""Gives messages, one call each, to a provider that does not recognise one that comes twice.

Each is released on its own, and the release is committed before the call: it is the intent. A worker
that dies in between leaves it RELEASED, and the sweeper parks it as IN_DOUBT, since nobody knows
whether the provider has it. During the call its row is locked, so that nobody parks it meanwhile.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from letters.actions.locks import lock_for_state
from letters.actions.outbox.claiming import Claim
from letters.actions.outbox.making import Made
from letters.actions.outbox.releasing import put_back, release
from letters.actions.suppliers import give_back, let_rest, well_again
from letters.models import Message
from letters.rules import DOUBTS_BORNE, BatchState, DeliveryStatus, MessageState
from letters.transports import Item, OneCallEach
from letters.transports.errors import InDoubt, Refused, TryLater

logger = logging.getLogger(__name__)


#: What makes a released message one that waits: surely not taken.
_UNRELEASED: dict[str, Any] = {
    "state": MessageState.WAITING,
    "released_at": None,
    "hand_over_key": None,
    "supplier": None,
    "stop_asked": False,
}


def call_each(*, claimed: Claim, made: Made, transport: OneCallEach, clock: Callable[[], datetime]) -> int:
    """Gives each message of a claim to the provider; returns how many it took.

    One that it refuses for good fails with its reason. Where it says "later", that one and the rest of
    the claim wait again, and the provider is left alone for a while; so too when doubts come in a row.
    """
    taken = 0
    is_troubled = claimed.supplier.setbacks > 0
    for message_id, item in made.items.items():
        at = clock()
        key = release(claimed=claimed, made=made, at=at, only=message_id)
        if key is None:
            continue
        try:
            state = _call(claimed=claimed, id_=message_id, key=key, item=item, transport=transport, at=at)
        except TryLater as error:
            logger.warning("Supplier %s takes nothing now: %s", claimed.supplier.slug, error)
            let_rest(claimed.supplier, at=clock(), after_seconds=error.after_seconds)
            put_back(claimed)
            break
        if state == MessageState.HANDED_OVER:
            taken += 1
            if is_troubled:
                well_again(claimed.supplier)
                is_troubled = False
        elif state == MessageState.IN_DOUBT:
            is_troubled = True
            if let_rest(claimed.supplier, at=clock(), borne=DOUBTS_BORNE):
                put_back(claimed)
                break
    return taken


def _call(
    *, claimed: Claim, id_: UUID, key: UUID, item: Item, transport: OneCallEach, at: datetime
) -> MessageState | None:
    """Returns what became of one released message; None where it was parked meanwhile. Raises TryLater."""
    later: TryLater | None = None
    with transaction.atomic():
        state = lock_for_state(claimed.batch.pk)
        # By its id, since only what is released is found by the key alone.
        message = Message.objects.filter(pk=id_, hand_over_key=key)
        stop_asked = _lock_released(id_, key)
        if stop_asked is None:
            return None
        change: dict[str, Any]
        if stop_asked or state == BatchState.STOPPED:
            change = {"state": MessageState.STOPPED, "stop_asked": False}
        elif state == BatchState.PAUSED:
            change = _UNRELEASED
        else:
            try:
                change = {"state": MessageState.HANDED_OVER, "provider_id": transport.send(item)}
            except Refused as error:
                change = {
                    "state": MessageState.FAILED,
                    "failure": error.reason[:300],
                    "delivery": DeliveryStatus.REJECTED,
                    "delivery_at": at,
                }
            except InDoubt as error:
                logger.warning("Message %s is in doubt: %s", item.reference, error)
                change = {"state": MessageState.IN_DOUBT}
            except TryLater as error:
                later, change = error, _UNRELEASED
        message.update(**change)
        if change["state"] in (MessageState.WAITING, MessageState.STOPPED):
            give_back(claimed.supplier, 1, at=at)
    if later:
        raise later
    return MessageState(change["state"])


def _lock_released(id_: UUID, key: UUID) -> bool | None:
    """Locks a message that was released under this key; returns whether its stop was asked, None where it moved on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT stop_asked FROM letters_message WHERE id = %s AND hand_over_key = %s AND state = 'RELEASED'"
            " FOR NO KEY UPDATE",
            [id_, key],
        )
        found = cursor.fetchone()
    return found[0] if found else None
