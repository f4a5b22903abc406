"""Claims: messages that one worker holds, under a lease and a fencing token."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from cohort.rules import Channel
from letters.actions.suppliers import taking
from letters.models import Batch, Supplier
from letters.rules import BatchState, reference
from letters.transports import OneCallEach, WholeHandOvers, transport_of

LEASE_SECONDS = 300
#: Messages in one claim, which is one hand-over.
CHUNK = {Channel.LETTER: 50, Channel.SMS: 500}
#: Where nothing is made, a claim costs the same whatever its size.
CHUNK_WITHOUT_CONTENT = 2_000
#: Where each message is a call of its own, a worker that dies keeps these few from the others for a lease.
CHUNK_OF_CALLS = 20

_CLAIM = """
WITH token AS MATERIALIZED (SELECT nextval('letters_lease_token') AS token),
picked AS MATERIALIZED (
  SELECT id FROM letters_message WHERE batch_id = %s AND channel = %s AND state = 'WAITING'
  ORDER BY queued_at, turn, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE letters_message message SET state = 'MAKING', lease_token = token.token, lease_until = %s
FROM picked, token WHERE message.id = picked.id
RETURNING message.id, message.attempt, token.token
"""


@dataclass(frozen=True)
class Claim:
    """Messages one worker holds, all of one batch and channel, by a token that no other claim has or had.

    `references` is what suppliers will know them by. `supplier` is whom they will be released to.
    """

    token: int
    batch: Batch
    channel: Channel
    supplier: Supplier
    references: Mapping[UUID, str]

    @property
    def message_ids(self) -> tuple[UUID, ...]:
        """Whose these are."""
        return tuple(self.references)


def claim(
    *, at: datetime, limit: int | None = None, lease_seconds: int = LEASE_SECONDS, batch_id: UUID | None = None
) -> Claim | None:
    """Leases the oldest waiting messages of the oldest released batch; None when nothing may go now.

    At most `limit`, by default the size of a hand-over, and no more than the supplier has room for
    today. Nothing outside its hours, and nothing while it rests after having said "later".
    """
    places = {channel: place for channel in Channel if (place := taking(channel, at=at))}
    # Not only those with something waiting: PostgreSQL would look through all that waits to find them.
    released = Batch.objects.filter(state=BatchState.RELEASED)
    batches = released.select_related("campaign").order_by("released_at", "id")
    if batch_id:
        batches = batches.filter(pk=batch_id)
    for batch in batches:
        for channel in (Channel(words) for words in (batch.channel, batch.fallback_channel) if words in places):
            supplier, room = places[channel]
            size = min(limit or chunk(transport_of(supplier), channel), room)
            with connection.cursor() as cursor:
                cursor.execute(_CLAIM, [batch.pk, channel.value, size, at + timedelta(seconds=lease_seconds)])
                rows = cursor.fetchall()
            if rows:
                return Claim(rows[0][2], batch, channel, supplier, {id_: reference(id_, n) for id_, n, _ in rows})
    return None


def chunk(transport: WholeHandOvers | OneCallEach, channel: Channel) -> int:
    """Returns how many messages a claim for this transport holds."""
    if isinstance(transport, OneCallEach):
        return CHUNK_OF_CALLS
    return CHUNK[channel] if transport.needs_content else CHUNK_WITHOUT_CONTENT
