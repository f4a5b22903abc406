"""What cannot be done with a batch, and why: every message is fit to show."""

from letters.models import Batch
from letters.rules import BATCH_TRANSITIONS, BatchState


class BatchError(Exception):
    """What was asked cannot be done with this batch; the message is fit to show."""


class NoTemplate(BatchError):
    """There are no words for this campaign and channel."""


class NobodyDue(BatchError):
    """Everybody on the list already has a message of this campaign and channel."""


class WrongState(BatchError):
    """The batch has moved on."""


class SamePerson(BatchError):
    """Whoever planned a batch cannot approve it."""


class NothingToStop(BatchError):
    """All of it has been handed over, or stopped."""


def check_move(batch: Batch, to: BatchState, *allowed_from: BatchState) -> None:
    """Raises WrongState unless the batch is in one of these states and may move on to `to`."""
    state = BatchState(batch.state)
    if state not in allowed_from or to not in BATCH_TRANSITIONS[state]:
        raise WrongState(f"This batch is {batch.get_state_display().lower()}, so it cannot be {to.value.lower()}.")
