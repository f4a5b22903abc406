"""Queues the messages of a batch: one statement for everybody due, one for whom the first channel cannot reach."""

from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from cohort.queries.holds import hold_reason_of
from cohort.rules import Audience, Channel
from letters.models import Batch, Message
from letters.queries import due, uk_date
from letters.rules import CHANNEL_HOLDS, DeliveryStatus, MessageState

# Whose turn it is: each care system's people are spread evenly over the batch, so that at every moment
# all of them are about as far. The order of ids is as good as random, and stays.
_QUEUE = """
WITH due AS MATERIALIZED ({due})
INSERT INTO letters_message (id, batch_id, campaign_id, patient_id, channel, state, hold_reason, failure, queued_at,
  lease_token, holds_checked_at, holds_checked_against, turn)
SELECT gen_random_uuid(), %s, %s, due.id, %s, CASE due.hold WHEN '' THEN 'WAITING' ELSE 'HELD' END, due.hold, '', %s,
  0, %s, due.as_at,
  (1e9 * (row_number() OVER (PARTITION BY practice__ics_id ORDER BY id) - 0.5)
    / count(*) OVER (PARTITION BY practice__ics_id))::int
FROM due
ON CONFLICT DO NOTHING
"""

_QUEUE_FALLBACKS = """
WITH unreached AS MATERIALIZED ({unreached})
INSERT INTO letters_message (id, batch_id, campaign_id, patient_id, channel, state, hold_reason, failure, queued_at,
  lease_token, turn)
SELECT gen_random_uuid(), %s, %s, patient_id, %s, 'WAITING', '', '', %s, 0, turn
FROM unreached
ON CONFLICT DO NOTHING
"""


def queue(batch: Batch, *, at: datetime) -> int:
    """Queues one message for everybody due, and returns how many; with them whom the fallback channel reaches instead.

    Those who must not be contacted are queued as HELD with the reason, so that the ledger accounts for them.
    """
    channel = Channel(batch.channel)
    columns = ("id", "as_at", "hold", "practice__ics_id")
    everybody = due(batch.campaign, channel, uk_date(at), batch.unit).values(*columns)
    sql, parameters = everybody.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE.format(due=sql), [*parameters, batch.pk, batch.campaign_id, channel.value, at, at])
        queued = cursor.rowcount
    return queued + queue_fallbacks(batch, at=at)


def queue_fallbacks(batch: Batch, *, at: datetime) -> int:
    """Queues the fallback channel for those whom the batch's first one cannot reach, and it can; returns how many.

    Not reached is whose address or number is no use, or whose message failed for good. Nobody who has
    a message of the campaign by that channel gets another.
    """
    if not batch.fallback_channel:
        return 0
    fallback = Channel(batch.fallback_channel)
    failed_for_good = Q(state=MessageState.FAILED) & (
        Q(released_at__isnull=True)  # it could not be made
        | Q(delivery__in=[DeliveryStatus.REJECTED, DeliveryStatus.FAILED, DeliveryStatus.RETURNED])
    )
    others = Message.objects.filter(
        patient=OuterRef("patient"), campaign=batch.campaign_id, channel=fallback.value
    ).exclude(state=MessageState.STOPPED)
    unreached = (
        Message.objects.filter(
            Q(state=MessageState.HELD, hold_reason__in=CHANNEL_HOLDS) | failed_for_good,
            ~Exists(others),
            batch=batch,
            channel=batch.channel,
        )
        .annotate(hold=hold_reason_of("patient_id", fallback, uk_date(at), Audience(batch.campaign.audience)))
        .filter(hold="")
        .values("patient_id", "turn")
    )
    sql, parameters = unreached.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE_FALLBACKS.format(unreached=sql), [*parameters, batch.pk, batch.campaign_id, fallback.value, at]
        )
        return cursor.rowcount
