"""Settles by hand what a supplier can no longer be asked about: an operator says what its people answered."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from letters.actions.receipts import record
from letters.actions.reconcile import NEVER_THERE
from letters.models import Message, Settlement
from letters.policies import check_can_send
from letters.queries.doubts import age
from letters.rules import DeliveryStatus, MessageState
from letters.transports import Event
from shielding.accounts.models import Membership

logger = logging.getLogger(__name__)


class NotSettled(Exception):
    """A doubt cannot be settled by hand; the message is fit to show."""


@transaction.atomic
def settle_doubt(*, message_id: UUID, provider_id: str, by: Membership, at: datetime) -> Message:
    """Settles a message in doubt: handed over, where the supplier has it under an id of its own, or else failed.

    Who settled it, when and how stays in the message's history. Only once the supplier can no longer be asked by us.
    Raises NotSettled, Message.DoesNotExist, NotAllowed.
    """
    check_can_send(by)
    message = Message.objects.select_for_update(no_key=True, of=("self",)).select_related("supplier").get(pk=message_id)
    if message.state != MessageState.IN_DOUBT:
        raise NotSettled("This message is not in doubt any more.")
    _, is_forgotten = age(message, at)
    if not is_forgotten:
        raise NotSettled(f"We still ask {message.supplier} about this message ourselves.")
    Settlement.objects.create(message=message, attempt=message.attempt, has_it=bool(provider_id), at=at, by=by.user)
    if provider_id:
        record([Event(message.reference, DeliveryStatus.PENDING, at, provider_id=provider_id)], at=at)
    else:
        message.state, message.failure = MessageState.FAILED, NEVER_THERE
        message.save(update_fields=["state", "failure"])
    logger.info("User %s settled message %s as %s", by.user_id, message_id, "taken" if provider_id else "not taken")
    message.refresh_from_db()
    return message
