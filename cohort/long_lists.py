"""How a hospital unit's list comes to its end: its states, how often a worker tries a long one, and why it failed.

Pure: no Django, no clock, no I/O.
"""

from datetime import datetime, timedelta
from enum import StrEnum


class ListState(StrEnum):
    """Where a list stands.

    WAITING to be matched; CHECKED, and not sent; SENDING: asked to be sent; SENT: its requests count. FAILED: a
    worker could not check or send it, so nothing in it counts.
    """

    WAITING = "WAITING"
    CHECKED = "CHECKED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"


#: From each state, where a list may go. Enforced in the database.
LIST_TRANSITIONS: dict[ListState, frozenset[ListState]] = {
    ListState.WAITING: frozenset({ListState.CHECKED, ListState.FAILED}),
    ListState.CHECKED: frozenset({ListState.SENDING}),
    ListState.SENDING: frozenset({ListState.SENT, ListState.FAILED}),
    ListState.FAILED: frozenset({ListState.WAITING, ListState.SENDING}),
    ListState.SENT: frozenset(),
}

#: A worker is to do something with these.
WAITING_STATES = frozenset({ListState.WAITING, ListState.SENDING})


class Failure(StrEnum):
    """Why the last try of a list failed."""

    STOPPED = "STOPPED"
    NO_RECORDS = "NO_RECORDS"
    FAULT = "FAULT"


#: The same in words, for the unit. None of it is the unit's to mend.
FAILURES: dict[Failure, str] = {
    Failure.STOPPED: "The computer that worked on it stopped before it was done.",
    Failure.NO_RECORDS: "The records in which we look people up could not be read.",
    Failure.FAULT: "Our service has a fault.",
}

#: What is wrong for a minute, such as a server that starts again, is over before the last.
TRIES = 5
#: From the beginning of one try to the next. Longer than one takes, so that none seems over while it goes on.
PAUSE = timedelta(minutes=3)
#: Five tries are over by then: a list that still waits has no worker.
LATE = timedelta(minutes=30)


def may_try(*, tries: int, tried_at: datetime | None, at: datetime) -> bool:
    """Returns whether a list that was tried so often, the last time at `tried_at`, is to be taken up now."""
    return tries == 0 or tried_at is None or at - tried_at >= PAUSE


def is_late(*, asked_at: datetime, at: datetime) -> bool:
    """Returns whether a list that still waits, since somebody asked for it, takes longer than it should."""
    return at - asked_at > LATE
