"""The null transport: takes everything and keeps nothing. For measuring what the rest costs, and nothing else.

Since it keeps nothing, it finds nothing: a hand-over that a dead worker left is handed over again.
"""

from collections.abc import Iterable
from uuid import UUID

from letters.transports.contract import Item, Receipt, WholeHandOvers


class Null(WholeHandOvers):
    """Nowhere."""

    needs_content = False

    def find(self, *, key: UUID, batch_id: UUID) -> Receipt | None:
        """Returns None: it keeps nothing."""

    def hand_over(self, items: Iterable[Item], *, key: UUID, batch_id: UUID) -> Receipt:
        """Returns a receipt for everything, of an empty file's SHA-256."""
        return Receipt(f"{batch_id}/{key}", EMPTY, frozenset(item.reference for item in items))

    def read_letter(self, reference: str, *, key: UUID, batch_id: UUID) -> bytes | None:
        """Returns None: it keeps nothing."""


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
