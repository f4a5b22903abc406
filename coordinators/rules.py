"""The decisions of the coordinators app: check-in outcomes, needs, and a referral's legal moves.

Pure: no Django, no clock, no I/O.
"""

from enum import StrEnum


class CheckInOutcome(StrEnum):
    """What a call handler logs (domain, section 8)."""

    COMPLETED = "COMPLETED"
    NO_ANSWER = "NO_ANSWER"
    VOICEMAIL = "VOICEMAIL"
    WRONG_NUMBER = "WRONG_NUMBER"
    CALL_BACK = "CALL_BACK"
    REFUSED = "REFUSED"


#: The person was not spoken to. After this many in a row something else must happen.
UNSUCCESSFUL = frozenset(
    {CheckInOutcome.NO_ANSWER, CheckInOutcome.VOICEMAIL, CheckInOutcome.WRONG_NUMBER, CheckInOutcome.CALL_BACK}
)
TRIES_BEFORE_SOMETHING_ELSE = 3


def needs_another_way(outcomes_newest_first: list[CheckInOutcome]) -> bool:
    """Returns whether the latest tries were all unsuccessful, so that a home visit or a neighbour agency is due."""
    latest = outcomes_newest_first[:TRIES_BEFORE_SOMETHING_ELSE]
    return len(latest) == TRIES_BEFORE_SOMETHING_ELSE and all(outcome in UNSUCCESSFUL for outcome in latest)


class NeedKind(StrEnum):
    """What a local authority can be asked to help with (domain, section 9)."""

    FOOD = "FOOD"
    MEDICINES = "MEDICINES"
    BASIC_CARE = "BASIC_CARE"
    SUPERMARKET = "SUPERMARKET"
    LONELINESS = "LONELINESS"
    MONEY = "MONEY"
    HOUSING = "HOUSING"
    TRANSPORT = "TRANSPORT"


class ReferralState(StrEnum):
    """Where a referral stands with the local authority. WAITING: nobody there has taken it yet."""

    WAITING = "WAITING"
    ACCEPTED = "ACCEPTED"
    CLOSED = "CLOSED"
    REJECTED = "REJECTED"


#: From each referral state, where it may go. Enforced in the database.
REFERRAL_TRANSITIONS: dict[ReferralState, frozenset[ReferralState]] = {
    ReferralState.WAITING: frozenset({ReferralState.ACCEPTED, ReferralState.REJECTED}),
    ReferralState.ACCEPTED: frozenset({ReferralState.CLOSED, ReferralState.REJECTED}),
    ReferralState.CLOSED: frozenset(),
    ReferralState.REJECTED: frozenset(),
}


class RejectionReason(StrEnum):
    """Why a local authority does not act on a referral."""

    MOVED_AWAY = "MOVED_AWAY"
    NOT_OURS = "NOT_OURS"
    COULD_NOT_REACH = "COULD_NOT_REACH"
    DECLINED = "DECLINED"
