"""Who may plan, release and stop letters and texts."""

from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import check_role


def check_can_send(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is a central operator's."""
    return check_role(membership, {Role.CENTRAL_OPERATOR}, to="work with letters and texts")


def can_send(membership: Membership | None) -> bool:
    """Returns whether this membership may plan, release and stop letters and texts."""
    return membership is not None and membership.role == Role.CENTRAL_OPERATOR
