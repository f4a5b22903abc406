"""Who may plan, release and stop letters and texts."""

from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import Permission

SEND = Permission("plan, release and stop letters and texts", frozenset({Role.CENTRAL_OPERATOR}))
MAY = (SEND,)


def check_can_send(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is a central operator's."""
    return SEND.check(membership)
