"""What may go wrong when a supplier is given something. Each says what is known of it afterwards.

Messages of these errors hold references and plain words alone: no name, number or address.
"""


class TransportError(Exception):
    """A supplier could not be given something, or asked about it."""


class Refused(TransportError):
    """The supplier has not taken it and never will as it is: the same again would be refused again.

    `reason` is for people, in plain English.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TryLater(TransportError):
    """Surely not taken, or given under a key that makes giving it again harmless: try again later.

    `after_seconds` is when the supplier says it will do, where it says so.
    """

    def __init__(self, words: str, after_seconds: float | None = None) -> None:
        super().__init__(words)
        self.after_seconds = after_seconds


class InDoubt(TransportError):
    """It may have been taken. Never send it again before the supplier was asked for its reference."""


class HandOverMismatch(TransportError):
    """The supplier has other messages under this hand-over's id than we have: a person must look."""
