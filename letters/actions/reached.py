"""Tells people's records what their letters and texts showed: that an address or number fails, or reaches them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from cohort.actions.contact_problems import letter_returned, number_reached, number_undeliverable
from cohort.rules import Channel
from letters.models import Message, PastAttempt, Receipt
from letters.rules import NOT_REACHED, DeliveryStatus

#: A message's id, and the number of the attempt.
Attempt = tuple[UUID, int]
#: The statements join people's whole history: without fresh statistics, in time quadratic in how many there are.
_TOGETHER = 500


def note_failed(attempts: Collection[Attempt], *, at: datetime) -> None:
    """Notes that what these attempts were sent to does not reach their people. A text that was delivered reached them.

    `at` is when the news came.
    """
    delivered = set(
        Receipt.objects.filter(
            message__in=[message_id for message_id, _ in attempts], status=DeliveryStatus.DELIVERED
        ).values_list("message_id", "attempt")
    )
    letters = _sent_at(Channel.LETTER, attempts)
    texts = _sent_at(Channel.SMS, [attempt for attempt in attempts if attempt not in delivered])
    for note, sent in ((letter_returned, letters), (number_undeliverable, texts)):
        sent_at = dict(sent.values())
        for some in _parts(sent_at):
            note(patient_ids=some, at=at, sent_at={patient_id: sent_at[patient_id] for patient_id in some})


def note_reached(delivered_at: Mapping[Attempt, datetime]) -> None:
    """Takes back that texts do not reach the numbers of these texts, which were delivered at these moments.

    Not what was learned after a text was delivered, but for what was learned of that very text: a delivery counts
    more than any failure.
    """
    texts = _sent_at(Channel.SMS, delivered_at)
    failures = Receipt.objects.filter(
        message__in=[message_id for message_id, _ in texts], status__in=list(NOT_REACHED)
    ).order_by()
    failed = {
        (message_id, attempt): moment
        for message_id, attempt, moment in failures.values_list("message_id", "attempt").annotate(Max("received_at"))
    }
    sent_at = dict(texts.values())
    known_at = {
        patient_id: max(delivered_at[attempt], failed.get(attempt, delivered_at[attempt]))
        for attempt, (patient_id, _) in texts.items()
    }
    for some in _parts(sent_at):
        number_reached(
            sent_at={patient_id: sent_at[patient_id] for patient_id in some},
            known_at={patient_id: known_at[patient_id] for patient_id in some},
        )


def _sent_at(channel: Channel, attempts: Collection[Attempt]) -> dict[Attempt, tuple[UUID, datetime]]:
    """Returns the person and the moment of release of each attempt by this channel, the earlier attempts first."""
    ids = [message_id for message_id, _ in attempts]
    messages = {message.pk: message for message in Message.objects.filter(pk__in=ids, channel=channel)}
    if not messages:
        return {}
    past = PastAttempt.objects.filter(message__in=list(messages)).values_list("message_id", "attempt", "released_at")
    released_at = {(message_id, attempt): moment for message_id, attempt, moment in past}
    found: dict[Attempt, tuple[UUID, datetime]] = {}
    for message_id, attempt in sorted(attempts):
        message = messages.get(message_id)
        moment = released_at.get((message_id, attempt), message.released_at if message else None)
        if message and moment:
            found[message_id, attempt] = (message.patient_id, moment)
    return found


def _parts(people: Collection[UUID]) -> list[list[UUID]]:
    in_order = sorted(people)
    return [in_order[start : start + _TOGETHER] for start in range(0, len(in_order), _TOGETHER)]
