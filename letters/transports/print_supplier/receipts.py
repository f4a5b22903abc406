"""Reads a print supplier's receipt files: JSON objects with what it received of a hand-over, or statuses, or both.

{"hand_over": "<key>", "count": 50, "sha256": "...", "references": ["..."], "at": "2020-03-21T10:00:00Z",
 "statuses": [{"reference": "...", "status": "returned", "at": "...", "reason": "..."}]}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from letters.rules import DeliveryStatus
from letters.transports.contract import Event


@dataclass(frozen=True)
class Received:
    """What the supplier says it received under a hand-over's key."""

    key: UUID
    count: int
    sha256: str
    references: frozenset[str]
    at: datetime


@dataclass(frozen=True)
class ReceiptFile:
    """What a receipt file says. `unreadable` is what is wrong with it, each with its place and no value."""

    received: Received | None
    events: tuple[Event, ...]
    unreadable: tuple[str, ...]


def read_receipt(said: Any) -> ReceiptFile:
    """Reads what can be read of a receipt file."""
    if not isinstance(said, dict):
        return ReceiptFile(None, (), ("It is not a JSON object",))
    received, events, unreadable = None, [], []
    if "hand_over" in said:
        try:
            received = _received(said)
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable.append("What was received cannot be read")
    statuses = said.get("statuses", [])
    if not isinstance(statuses, list):
        statuses, unreadable = [], [*unreadable, "The statuses are not a list"]
    for number, each in enumerate(statuses, start=1):
        try:
            events.append(_event(each))
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable.append(f"Status {number} cannot be read")
    return ReceiptFile(received, tuple(events), tuple(unreadable))


def _received(said: Mapping[str, Any]) -> Received:
    return Received(
        key=UUID(said["hand_over"]),
        count=int(said["count"]),
        sha256=str(said["sha256"]),
        references=frozenset(str(each) for each in said["references"]),
        at=_moment(said["at"]),
    )


def _event(said: Mapping[str, Any]) -> Event:
    status = DeliveryStatus(said["status"].upper())
    return Event(
        reference=str(said["reference"]),
        status=status,
        at=_moment(said["at"]),
        reason=str(said.get("reason") or ""),
        wrong_address=status is DeliveryStatus.RETURNED,
    )


def _moment(words: str) -> datetime:
    at = datetime.fromisoformat(words)
    if at.tzinfo is None:
        raise ValueError("A time without its offset")
    return at
