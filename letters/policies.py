"""Who may plan, release and stop letters and texts."""

from shielding.accounts.models import Membership, Organisation, Role
from shielding.accounts.policies import Permission

SEND = Permission("plan, release and stop letters and texts", frozenset({Role.CENTRAL_OPERATOR}))
WRITE = Permission(
    "write to their unit's own patients on the list", frozenset({Role.HOSPITAL_STAFF}), Organisation.Kind.HOSPITAL
)
MAY = (SEND, WRITE)


def check_can_send(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is a central operator's."""
    return SEND.check(membership)


def check_can_write(membership: Membership | None) -> Membership:
    """Returns the membership. Raises NotAllowed unless it is of a hospital unit's staff."""
    return WRITE.check(membership)
