"""What the outbox and its transports agree on: what is handed over, and the two ways of doing it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from letters.pdf_pages import Pages
from letters.rules import DeliveryStatus, Format

if TYPE_CHECKING:
    from letters.contents import Text


@dataclass(frozen=True)
class Item:
    """One letter (its pages) or text, by the reference that suppliers know it by.

    `format` is what the supplier shall make of it; `language` is a BCP 47 tag such as `en-GB`.
    """

    reference: str
    content: Pages | Text
    format: Format = Format.STANDARD
    language: str = "en-GB"


@dataclass(frozen=True)
class Receipt:
    """What the supplier has under a hand-over's id: its file, the file's SHA-256, and whose it is by reference."""

    file_name: str
    sha256: str
    references: frozenset[str]


@dataclass(frozen=True)
class Event:
    """What a supplier says of one attempt at a moment; `reason` is in plain words, without personal details.

    `provider_id` is its own id of it, where it has one. `wrong_address`: the address or number is what failed.
    """

    reference: str
    status: DeliveryStatus
    at: datetime
    reason: str = ""
    provider_id: str = ""
    wrong_address: bool = False


class WholeHandOvers(ABC):
    """Gives a supplier many messages in one file, idempotent by the hand-over's key.

    Whatever goes wrong, the same key may be handed over again, by anybody, and only one file results.
    Every method raises TryLater (the supplier cannot be reached) and HandOverMismatch.
    """

    #: Whether letters and texts have to be made for it; one that only measures takes empty ones.
    needs_content = True

    @abstractmethod
    def find(self, *, key: UUID, batch_id: UUID) -> Receipt | None:
        """Returns what the supplier has under this key, or None."""

    @abstractmethod
    def hand_over(self, items: Iterable[Item], *, key: UUID, batch_id: UUID) -> Receipt:
        """Gives letters, or texts, under this key. What it has under the key already stays, and is returned.

        After TryLater it may have been taken or not: hand over under the same key, and no other. Raises
        Refused where the supplier will never take this file.
        """

    @abstractmethod
    def read_letter(self, reference: str, *, key: UUID, batch_id: UUID) -> bytes | None:
        """Returns one letter's pages as they were handed over, as a PDF, or None where the supplier has it no more."""


class OneCallEach(ABC):
    """Gives a provider one message a call, which it does not recognise when it comes twice."""

    #: How long after it was sent the provider can be asked about a message.
    remembers: timedelta

    @abstractmethod
    def send(self, item: Item) -> str:
        """Gives one message; returns the provider's own id of it. Raises Refused, TryLater and InDoubt."""

    @abstractmethod
    def look_up(self, reference: str) -> Event | None:
        """Returns what the provider says of a reference, or None where it has none. Raises TryLater."""

    @abstractmethod
    def news(self, *, since: datetime) -> Iterator[Event]:
        """Yields what the provider says of everything given since then, the newest first. Raises TryLater."""
