"""The decisions of the letters app: a message's legal moves.

Pure: no Django, no clock, no I/O.
"""

from enum import StrEnum


class MessageState(StrEnum):
    """Where one letter or text stands in the outbox.

    WAITING: queued, nobody works on it. MAKING: a worker holds its lease.
    RELEASED: the hold check passed, in the same statement. HANDED_OVER: the supplier's folder has
    it. HELD and FAILED carry a reason; a held message waits again once the reason is gone.
    """

    WAITING = "WAITING"
    MAKING = "MAKING"
    RELEASED = "RELEASED"
    HANDED_OVER = "HANDED_OVER"
    HELD = "HELD"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


#: From each message state, where it may go. Enforced in the database. MAKING to WAITING: the lease
#: ran out and the sweeper put it back. RELEASED to MAKING never happens: what was released is only
#: ever handed over again under the same id.
MESSAGE_TRANSITIONS: dict[MessageState, frozenset[MessageState]] = {
    MessageState.WAITING: frozenset({MessageState.MAKING, MessageState.HELD, MessageState.STOPPED}),
    MessageState.MAKING: frozenset(
        {MessageState.WAITING, MessageState.RELEASED, MessageState.HELD, MessageState.FAILED, MessageState.STOPPED}
    ),
    MessageState.RELEASED: frozenset({MessageState.HANDED_OVER, MessageState.FAILED}),
    MessageState.HANDED_OVER: frozenset(),
    MessageState.HELD: frozenset({MessageState.WAITING, MessageState.STOPPED}),
    MessageState.FAILED: frozenset({MessageState.WAITING, MessageState.STOPPED}),
    MessageState.STOPPED: frozenset(),
}


class BatchState(StrEnum):
    """Where a batch stands. PLANNED: being queued. RELEASED: workers may make and send it."""

    PLANNED = "PLANNED"
    RELEASED = "RELEASED"
    STOPPED = "STOPPED"
    FINISHED = "FINISHED"


#: From each batch state, where it may go. Enforced in the database.
BATCH_TRANSITIONS: dict[BatchState, frozenset[BatchState]] = {
    BatchState.PLANNED: frozenset({BatchState.RELEASED, BatchState.STOPPED}),
    BatchState.RELEASED: frozenset({BatchState.STOPPED, BatchState.FINISHED}),
    BatchState.STOPPED: frozenset(),
    BatchState.FINISHED: frozenset(),
}
