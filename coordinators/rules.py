"""The decisions of the coordinators app: check-in outcomes, needs, and a referral's legal moves.

Those of case conferences are in `coordinators.conference_rules`.

Pure: no Django, no clock, no I/O.
"""

from collections.abc import Iterable
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


def can_move(state: ReferralState, to: ReferralState) -> bool:
    """Returns whether a referral in `state` may go to `to`."""
    return to in REFERRAL_TRANSITIONS[state]


#: Only after these was somebody there to ask whether it is safe to talk, and to say what they need.
SOMEBODY_ANSWERED = frozenset({CheckInOutcome.COMPLETED, CheckInOutcome.CALL_BACK, CheckInOutcome.REFUSED})

_UNSAFE = {"LETTER": "Do not write to this person.", "SMS": "Do not send this person texts."}


def safe_contact(instruction: str, unsafe_channels: Iterable[str]) -> str:
    """Returns how to contact somebody safely, never why (domain, section 10); an empty string where all is safe.

    Channels known to be unsafe are always named, so that an empty instruction does not read as "anything goes".
    """
    warnings = [_UNSAFE[channel] for channel in sorted(set(unsafe_channels)) if channel in _UNSAFE]
    return " ".join([*warnings, *([instruction.strip()] if instruction.strip() else [])])


def death_notice(death_status: str) -> str:
    """Returns what to tell anybody about to phone or visit, for a death registered or only reported; else ''."""
    if death_status == "FORMAL":
        return "This person has died. Do not phone, write or visit."
    if death_status == "INFORMAL":
        return "This person is reported to have died. Do not phone, write or visit before their GP practice says so."
    return ""
