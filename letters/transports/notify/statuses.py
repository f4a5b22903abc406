"""What GOV.UK Notify's statuses and callbacks mean. Pure, and without the person's number, which Notify sends too.

Notify's documentation: docs.notifications.service.gov.uk, "Delivery status" and "Callbacks".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from letters.rules import DeliveryStatus
from letters.transports.contract import Event

_NUMBER = "The number does not exist"
#: Status by status: what it means of a text, and why. One that only letters have means the same of both.
_OF_TEXTS: dict[str, tuple[DeliveryStatus, str]] = {
    "created": (DeliveryStatus.PENDING, ""),
    "sending": (DeliveryStatus.PENDING, ""),
    "pending": (DeliveryStatus.PENDING, ""),
    "sent": (DeliveryStatus.DISPATCHED, ""),
    "delivered": (DeliveryStatus.DELIVERED, ""),
    "permanent-failure": (DeliveryStatus.FAILED, _NUMBER),
    "temporary-failure": (DeliveryStatus.FAILED, "The phone could not be reached for 72 hours"),
    "technical-failure": (DeliveryStatus.FAILED, "A fault between GOV.UK Notify and the network"),
}
_OF_LETTERS: dict[str, tuple[DeliveryStatus, str]] = {
    "created": (DeliveryStatus.PENDING, ""),
    "sending": (DeliveryStatus.ACCEPTED, ""),
    "pending-virus-check": (DeliveryStatus.PENDING, ""),
    "accepted": (DeliveryStatus.ACCEPTED, ""),
    # Notify never learns that a letter is at the door: "received" is printed and posted.
    "received": (DeliveryStatus.DISPATCHED, ""),
    "delivered": (DeliveryStatus.DISPATCHED, ""),
    "cancelled": (DeliveryStatus.CANCELLED, "Cancelled at GOV.UK Notify"),
    "virus-scan-failed": (DeliveryStatus.REJECTED, "GOV.UK Notify found a virus in the file"),
    "validation-failed": (DeliveryStatus.REJECTED, "GOV.UK Notify could not print the page as it is laid out"),
    "permanent-failure": (DeliveryStatus.REJECTED, "The printer could not print it"),
    "technical-failure": (DeliveryStatus.FAILED, "A fault between GOV.UK Notify and the printer"),
    "returned-letter": (DeliveryStatus.RETURNED, "It came back to the sender"),
}


def read_notification(said: Mapping[str, Any], *, provider_id: str) -> Event:
    """Returns what Notify says of one message, as its callbacks and its answers say it.

    Raises ValueError, with a reason, where it is no delivery status of a text or letter.
    """
    kind = said.get("notification_type") or said.get("type")
    known = {"sms": _OF_TEXTS, "letter": _OF_LETTERS}.get(str(kind))
    if known is None:
        raise ValueError("The type is neither sms nor letter")
    found = known.get(str(said.get("status")))
    if found is None:
        raise ValueError("The status is none that Notify has")
    status, reason = found
    return Event(
        reference=_text(said, "reference"),
        status=status,
        at=_moment(said.get("completed_at") or said.get("sent_at") or said.get("created_at")),
        reason=reason,
        provider_id=provider_id,
        wrong_address=reason == _NUMBER or status is DeliveryStatus.RETURNED,
    )


def read_callback(said: Any) -> Event:
    """Returns what a delivery receipt says. Raises ValueError, with a reason."""
    if not isinstance(said, dict):
        raise ValueError("The body is not a JSON object")
    return read_notification(said, provider_id=_text(said, "id"))


def read_returned(said: Any, *, at: datetime) -> Event:
    """Returns what a returned-letter callback says; it came back by now. Raises ValueError, with a reason."""
    if not isinstance(said, dict):
        raise ValueError("The body is not a JSON object")
    status, reason = _OF_LETTERS["returned-letter"]
    reference, provider_id = _text(said, "reference"), _text(said, "notification_id")
    return Event(reference, status, at, reason, provider_id, wrong_address=True)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise ValueError(f"There is no {name}")
    return value


def _moment(words: Any) -> datetime:
    try:
        at = datetime.fromisoformat(words)
    except (TypeError, ValueError):
        raise ValueError("There is no time of it") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
