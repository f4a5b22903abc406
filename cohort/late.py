"""The rules about late practices: which reminder is due, when the next step follows. Pure: no Django, clock or I/O."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum


class LatePolicy(StrEnum):
    """What happens to people whose practice has not reviewed them in time."""

    HOLD = "HOLD"
    CONTACT = "CONTACT"


class ReminderKind(StrEnum):
    """What a practice is reminded of. ESCALATED goes to its integrated care system, not to the practice."""

    DUE_SOON = "DUE_SOON"
    DUE_TODAY = "DUE_TODAY"
    OVERDUE = "OVERDUE"
    ESCALATED = "ESCALATED"


class ReminderState(StrEnum):
    """What became of a reminder.

    CLAIMED: somebody is sending it, or died while doing so, and then it may or may not have gone: it
    is not sent again, because nobody can tell. FAILED: it certainly did not go. NOBODY: there is
    nobody to write to.
    """

    CLAIMED = "CLAIMED"
    SENT = "SENT"
    FAILED = "FAILED"
    NOBODY = "NOBODY"


#: From each reminder state, where it may go. Enforced in the database.
REMINDER_TRANSITIONS: Mapping[ReminderState, frozenset[ReminderState]] = {
    ReminderState.CLAIMED: frozenset({ReminderState.SENT, ReminderState.FAILED, ReminderState.NOBODY}),
    ReminderState.FAILED: frozenset({ReminderState.CLAIMED}),
    ReminderState.NOBODY: frozenset({ReminderState.CLAIMED}),
    ReminderState.SENT: frozenset(),
}


def reminders_due(due_date: date, today: date, *, days_before: int, escalate_after_days: int) -> list[ReminderKind]:
    """Returns what is due today about a list that nobody has signed off: at most one for the practice, one above.

    `days_before` the due date the first goes to the practice; that many days after it, and not
    before the day after, the list is escalated. One that was missed on its day is due until the next takes its place.
    """
    days_left = (due_date - today).days
    if days_left > days_before:
        return []
    if days_left > 0:
        return [ReminderKind.DUE_SOON]
    if days_left == 0:
        return [ReminderKind.DUE_TODAY]
    is_escalated = -days_left >= max(escalate_after_days, 1)
    return [ReminderKind.OVERDUE, ReminderKind.ESCALATED] if is_escalated else [ReminderKind.OVERDUE]
