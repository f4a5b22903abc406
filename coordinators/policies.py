"""Who may do what in the coordinators app."""

from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed, check_role


def check_can_lead(membership: Membership | None) -> Membership:
    """Returns the membership of a coordinator, who has a caseload and logs check-ins; raises NotAllowed."""
    return check_role(membership, {Role.COORDINATOR}, to="see a caseload")


def check_can_answer_referrals(membership: Membership | None) -> Membership:
    """Returns the membership of council staff, who answer their council's referrals; raises NotAllowed."""
    allowed = check_role(membership, {Role.LA_STAFF}, to="see referrals")
    if allowed.organisation.local_authority_id is None:
        raise NotAllowed("Your organisation is not a local authority, so it has no referrals.")
    return allowed
