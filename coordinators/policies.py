"""Who may do what in the coordinators app."""

from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed, Permission

LEAD = Permission("see a caseload and log check-ins", frozenset({Role.COORDINATOR}))
ANSWER_REFERRALS = Permission("see, download and answer referrals", frozenset({Role.LA_STAFF}))
MAY = (LEAD, ANSWER_REFERRALS)


def check_can_lead(membership: Membership | None) -> Membership:
    """Returns the membership of a coordinator, who has a caseload and logs check-ins; raises NotAllowed."""
    return LEAD.check(membership)


def check_can_answer_referrals(membership: Membership | None) -> Membership:
    """Returns the membership of council staff, who answer their council's referrals; raises NotAllowed."""
    allowed = ANSWER_REFERRALS.check(membership)
    if allowed.organisation.local_authority_id is None:
        raise NotAllowed("Your organisation is not a local authority, so it has no referrals.")
    return allowed
