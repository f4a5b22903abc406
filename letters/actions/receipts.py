"""Records what suppliers say of messages: receipts, deliveries, what came back, and hand-overs that do not match.

News comes late, twice and out of order. Each status of an attempt is kept once; the message shows the
last in the order of `DeliveryStatus`; who was not reached fails, for a person to try again; and what
failed is handed over after all where the supplier says that it has it, though another attempt be queued:
that is not needed, unless it has been released. All of it is set-wise: a file of
20,000 statuses takes a handful of statements.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from cohort.rules import Channel
from letters.actions.reached import note_failed, note_reached
from letters.models import HandOver, HandOverCheck, Message, PastAttempt
from letters.rules import NOT_REACHED, DeliveryStatus, MessageState, read_reference, reference
from letters.transports.contract import Event
from letters.transports.print_supplier.receipts import Received

logger = logging.getLogger(__name__)

#: What a message fails with when a supplier says this of it. The supplier's own words are on its receipt.
FAILURES = {
    (Channel.LETTER, DeliveryStatus.CANCELLED): "The printer cancelled it",
    (Channel.LETTER, DeliveryStatus.REJECTED): "The printer rejected it",
    (Channel.LETTER, DeliveryStatus.FAILED): "The printer could not send it",
    (Channel.LETTER, DeliveryStatus.RETURNED): "The letter came back",
    (Channel.SMS, DeliveryStatus.CANCELLED): "The text was cancelled",
    (Channel.SMS, DeliveryStatus.REJECTED): "The text was rejected",
    (Channel.SMS, DeliveryStatus.FAILED): "The text could not be delivered",
    (Channel.SMS, DeliveryStatus.RETURNED): "The text could not be delivered",
}
_ORDER = [status.value for status in DeliveryStatus]
_FAILED = [status.value for status in NOT_REACHED]

_LOCK = "SELECT id, attempt, state FROM letters_message WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_LATEST = "SELECT message_id, max(attempt) FROM letters_pastattempt WHERE message_id = ANY(%s) GROUP BY message_id"
_KEEP = """
INSERT INTO letters_receipt (message_id, attempt, status, at, received_at, reason)
SELECT said.* FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
  AS said (message_id, attempt, status, at, received_at, reason)
ON CONFLICT DO NOTHING
RETURNING message_id, attempt, status
"""
# A provider that speaks of a message by its own id has it, whatever became of our call.
_SETTLE = """
UPDATE letters_message message SET state = 'HANDED_OVER', provider_id = said.provider_id, stop_asked = false
FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS said (id, attempt, provider_id)
WHERE message.id = said.id AND message.attempt = said.attempt
  AND message.state IN ('IN_DOUBT', 'RELEASED') AND said.provider_id <> ''
"""
_SHOW = """
UPDATE letters_message message SET delivery = latest.status, delivery_at = latest.at
FROM (
  SELECT DISTINCT ON (receipt.message_id) receipt.message_id, receipt.status, receipt.at
  FROM letters_receipt receipt JOIN letters_message current
    ON current.id = receipt.message_id AND current.attempt = receipt.attempt
  WHERE receipt.message_id = ANY(%s)
  ORDER BY receipt.message_id, array_position(%s::text[], receipt.status::text) DESC
) latest
WHERE message.id = latest.message_id
  AND array_position(%s::text[], latest.status::text) > coalesce(array_position(%s::text[], message.delivery::text), 0)
"""
# Without its file or a provider's id nothing shows that it went: such news contradicts the supplier itself, and
# is for a person.
_SETTLE_LATE = """
UPDATE letters_message message SET state = 'HANDED_OVER', failure = '',
  provider_id = coalesce(nullif(said.provider_id, ''), message.provider_id)
FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS said (id, attempt, provider_id)
WHERE message.id = said.id AND message.attempt = said.attempt AND message.state = 'FAILED'
  AND message.delivery <> '' AND message.delivery <> ALL (%s::text[]) AND message.released_at IS NOT NULL
  AND (said.provider_id <> '' OR message.provider_id <> '' OR message.hand_over_id = message.hand_over_key)
RETURNING message.id
"""
# The attempt that the supplier has takes the place of the one that was queued because it had seemed to fail.
_SETTLE_PAST = """
UPDATE letters_message message SET state = 'HANDED_OVER', attempt = past.attempt, failure = '', hold_reason = '',
  lease_until = NULL, released_at = past.released_at, supplier_id = past.supplier_id,
  hand_over_id = past.hand_over_id, hand_over_key = coalesce(past.hand_over_id, gen_random_uuid()),
  provider_id = coalesce(nullif(said.provider_id, ''), past.provider_id)
FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS said (id, attempt, provider_id)
JOIN letters_pastattempt past ON past.message_id = said.id AND past.attempt = said.attempt
CROSS JOIN LATERAL (
  SELECT receipt.status FROM letters_receipt receipt
  WHERE receipt.message_id = past.message_id AND receipt.attempt = past.attempt
  ORDER BY array_position(%s::text[], receipt.status::text) DESC LIMIT 1
) latest
WHERE message.id = said.id AND past.attempt < message.attempt AND past.released_at IS NOT NULL
  AND (message.state IN ('WAITING', 'MAKING', 'HELD') OR message.state = 'FAILED' AND message.released_at IS NULL)
  AND latest.status <> ALL (%s::text[])
  AND (said.provider_id <> '' OR past.provider_id <> '' OR past.hand_over_id IS NOT NULL)
RETURNING message.id
"""
# The other channel was queued because this one had failed.
_STOP_INSTEAD = """
UPDATE letters_message other SET
  state = CASE other.state WHEN 'RELEASED' THEN 'RELEASED' ELSE 'STOPPED' END,
  stop_asked = other.state = 'RELEASED', lease_until = NULL
FROM letters_message settled
WHERE settled.id = ANY(%s::uuid[]) AND other.patient_id = settled.patient_id AND other.batch_id = settled.batch_id
  AND other.id <> settled.id AND other.state IN ('WAITING', 'MAKING', 'RELEASED')
"""
_FAIL = """
UPDATE letters_message message SET state = 'FAILED', failure = reasons.failure
FROM unnest(%s::text[], %s::text[], %s::text[]) AS reasons (channel, delivery, failure)
WHERE message.id = ANY(%s) AND message.state = 'HANDED_OVER'
  AND message.channel = reasons.channel AND message.delivery = reasons.delivery
"""


@dataclass(frozen=True)
class Recorded:
    """How much of some news was new, was known already, and was of messages or attempts that we do not have.

    `early` is of messages whose hand-over is not marked yet: record it once more later.
    """

    new: int
    repeated: int
    unknown: int
    early: int


@transaction.atomic
def record(events: Iterable[Event], *, at: datetime) -> Recorded:
    """Records what a supplier says. Safe to call with anything that it ever said, in any order, twice."""
    told = list(events)
    by_attempt = [(attempt, event) for event in told if (attempt := _attempt_of(event))]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [sorted({message_id for (message_id, _), _ in by_attempt})])
        found = {message_id: (attempt, state) for message_id, attempt, state in cursor.fetchall()}
        cursor.execute(_LATEST, [list(found)])
        latest = dict(cursor.fetchall())
        made = {message_id: max(attempt, latest.get(message_id, 0)) for message_id, (attempt, _) in found.items()}
        known = [each for each in by_attempt if each[0][1] <= made.get(each[0][0], 0)]
        ids = [message_id for (message_id, _), _ in known]
        attempts = [attempt for (_, attempt), _ in known]
        cursor.execute(
            _KEEP,
            [
                ids,
                attempts,
                [event.status.value for _, event in known],
                [event.at for _, event in known],
                [at] * len(known),
                [event.reason.replace("\0", "")[:300] for _, event in known],
            ],
        )
        new = set(cursor.fetchall())
        said: list[Any] = [ids, attempts, [event.provider_id for _, event in known]]
        cursor.execute(_SETTLE, said)
        settled = []
        if latest:
            cursor.execute(_SETTLE_PAST, [*said, _ORDER, _FAILED])
            settled += cursor.fetchall()
        cursor.execute(_SHOW, [ids, _ORDER, _ORDER, _ORDER])
        cursor.execute(_SETTLE_LATE, [*said, _FAILED])
        settled += cursor.fetchall()
        if settled:
            cursor.execute(_STOP_INSTEAD, [[message_id for (message_id,) in settled]])
        cursor.execute(
            _FAIL,
            [
                [channel.value for channel, _ in FAILURES],
                [status.value for _, status in FAILURES],
                list(FAILURES.values()),
                ids,
            ],
        )
    is_new = [(attempt, event) for attempt, event in known if (*attempt, event.status.value) in new]
    if failed := [attempt for attempt, event in is_new if event.wrong_address]:
        note_failed(failed, at=at)
    if delivered := {attempt: event.at for attempt, event in is_new if event.status is DeliveryStatus.DELIVERED}:
        note_reached(delivered)
    early = sum(
        1
        for (message_id, attempt), event in known
        if found[message_id] == (attempt, MessageState.RELEASED) and not event.provider_id
    )
    return Recorded(len(new), len(known) - len(new), len(told) - len(known), early)


def _attempt_of(event: Event) -> tuple[UUID, int] | None:
    try:
        message_id, attempt = read_reference(event.reference)
    except ValueError:
        return None
    return (message_id, attempt) if 1 <= attempt <= 32767 else None


def is_unmarked(key: UUID) -> bool:
    """Returns whether a hand-over of this id was decided and is not marked yet: its worker is at it, or died."""
    return Message.objects.filter(hand_over_key=key, state=MessageState.RELEASED).exists()


@transaction.atomic
def check_hand_over(received: Received, *, at: datetime) -> str:
    """Holds what a supplier says it received against what we gave it; returns the difference in words, or ''.

    Kept either way. A difference is for a person: nothing is sent again, and nothing is taken back.
    """
    difference = _difference(received)
    HandOverCheck.objects.bulk_create(
        [
            HandOverCheck(
                key=received.key,
                count=min(max(received.count, 0), 2_000_000_000),
                difference=difference,
                at=received.at,
                received_at=at,
            )
        ],
        ignore_conflicts=True,
    )
    if difference:
        logger.error("Hand-over %s does not match the supplier's receipt: %s", received.key, difference)
    return difference


def _difference(received: Received) -> str:
    given = HandOver.objects.filter(pk=received.key).first()
    if given is None:
        return "We have given no hand-over of this id"
    # A message that is tried again leaves its hand-over, and its attempt is kept apart.
    now = Message.objects.filter(hand_over=given).values_list("id", "attempt")
    before = PastAttempt.objects.filter(hand_over=given).values_list("message_id", "attempt")
    ours = {reference(*each) for each in [*now, *before]}
    if (received.count, len(received.references)) != (given.count, given.count):
        return f"We gave {given.count}; the supplier counted {received.count} and names {len(received.references)}"
    if received.references != ours:
        return (
            f"{len(ours - received.references)} of ours are not named, and {len(received.references - ours)} others are"
        )
    return "" if received.sha256 == given.sha256 else "The file is not the one that we gave"


assert {status for _, status in FAILURES} == NOT_REACHED  # noqa: S101 - each has its words
