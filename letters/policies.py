"""Who may plan, release and stop letters and texts, and who decides what they say."""

from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import Permission

SEND = Permission("plan, release and stop letters and texts", frozenset({Role.CENTRAL_OPERATOR}))
WRITE = Permission(
    "write to their unit's own patients on the list", frozenset({Role.HOSPITAL_STAFF}), Organisation.Kind.HOSPITAL
)
DRAFT_WORDS = Permission(
    "see and draft the words of letters and texts",
    frozenset({Role.CENTRAL_OPERATOR, Role.CENTRAL_CLINICIAN}),
)
APPROVE_WORDS = Permission(
    "approve the words of letters and texts that a colleague has drafted",
    frozenset({Role.CENTRAL_OPERATOR, Role.CENTRAL_CLINICIAN}),
)
MAY = (SEND, WRITE, DRAFT_WORDS, APPROVE_WORDS)


def check_can_send(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is a central operator's."""
    return SEND.check(membership)


def can_send(membership: Membership | None) -> bool:
    """Says whether somebody is a central operator."""
    return SEND.allows(membership)


def check_can_write(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is of a hospital unit's staff."""
    return WRITE.check(membership)


def check_can_draft_words(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is a central operator's or clinician's."""
    return DRAFT_WORDS.check(membership)


def check_can_approve_words(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is a central operator's or clinician's."""
    return APPROVE_WORDS.check(membership)


def can_approve_words(membership: Membership | None) -> bool:
    """Says whether somebody may approve words at all; nobody may approve their own."""
    return APPROVE_WORDS.allows(membership)
