"""Who may do what in the coordinators app."""

from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import NotAllowed, Permission

LEAD = Permission("see a caseload and log check-ins", frozenset({Role.COORDINATOR}))
ANSWER_REFERRALS = Permission("see, download and answer referrals", frozenset({Role.LA_STAFF}))
_PRACTICE = frozenset({Role.PRACTICE_STAFF, Role.GP})
#: The practice calls the meeting, since it is about its patients; then both sides write down what is theirs.
CALL_CONFERENCES = Permission("plan, hold, close and cancel case conferences", _PRACTICE, Organisation.Kind.PRACTICE)
TAKE_PART = Permission("take part in case conferences and their agreed actions", _PRACTICE | {Role.LA_STAFF})
MAY = (LEAD, ANSWER_REFERRALS, CALL_CONFERENCES, TAKE_PART)


def check_can_lead(membership: Membership | None) -> Membership:
    """Returns the membership of a coordinator, who has a caseload and logs check-ins; raises NotAllowed."""
    return LEAD.check(membership)


def check_can_answer_referrals(membership: Membership | None) -> Membership:
    """Returns the membership of council staff, who answer their council's referrals; raises NotAllowed."""
    allowed = ANSWER_REFERRALS.check(membership)
    if allowed.organisation.local_authority_id is None:
        raise NotAllowed("Your organisation is not a local authority, so it has no referrals.")
    return allowed


def check_can_call_conferences(membership: Membership | None) -> Membership:
    """Returns the membership of somebody at a practice, who plans and runs case conferences; raises NotAllowed."""
    return CALL_CONFERENCES.check(membership)


def can_call_conferences(membership: Membership | None) -> bool:
    """Says whether somebody plans and runs case conferences."""
    return CALL_CONFERENCES.allows(membership)


def check_can_take_part(membership: Membership | None) -> Membership:
    """Returns the membership of somebody at a practice or a council, who reads and writes there; raises NotAllowed."""
    allowed = TAKE_PART.check(membership)
    if allowed.role in _PRACTICE:
        return CALL_CONFERENCES.check(allowed)
    if allowed.organisation.local_authority_id is None:
        raise NotAllowed("Your organisation is not a local authority, so it has no case conferences.")
    return allowed
